"""Make the portal's Tornado application out of routes, templates and services."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jupyterhub.services.auth import HubOAuth
from tornado.web import Application

from handlers.agent_document import with_agent
from handlers.api import (
    bills,
    budgets,
    closing,
    credentials,
    data,
    datasets,
    events,
    factor,
    git,
    images,
    job_tokens,
    jobs,
    ledger,
    lineage,
    me,
    notebooks,
    outside_runs,
    own_jobs,
    password,
    preferences,
    preprocessings,
    prices,
    queues,
    rates,
    runs,
    ssh_keys,
    storage,
    tenant_notebooks,
    tenants,
    terms,
    tokens,
    uploads,
    usage,
    version,
    whoami,
)
from handlers.api.document import routes as document_routes
from handlers.ask import Deps
from handlers.base import PortalHandler
from handlers.callback import CallbackHandler
from handlers.login_document import with_login
from handlers.openapi import document
from handlers.pages import (
    api_docs,
    budgets as budget_pages,
    choices,
    design,
    files,
    home,
    logout,
    months,
    queues as queue_pages,
    rates as rate_pages,
    terms as terms_page,
)
from handlers.pages.data import (
    change as data_change,
    detail as data_detail,
    listing as data_list,
    new as data_new,
    storage as storage_page,
)
from handlers.pages.datasets import (
    actions as dataset_actions,
    builder as dataset_builder,
    detail as dataset_detail,
    listing as dataset_list,
    types as dataset_types,
)
from handlers.pages.environments import listing as environment_pages
from handlers.pages.jobs import actions as job_actions, listing as job_list
from handlers.pages.me import (
    credentials as my_credentials,
    factor as my_factor,
    password as my_password,
    profile as my_profile,
    ssh_keys as my_ssh_keys,
    tokens as my_tokens,
)
from handlers.pages.notebooks import (
    actions as notebook_actions,
    change as notebook_change,
    detail as notebook_detail,
    listing as notebook_list,
    new as notebook_new,
)
from handlers.pages.preprocessings import (
    detail as preprocessing_detail,
    form as preprocessing_form,
    history as preprocessing_history,
    listing as preprocessing_list,
    running as preprocessing_running,
)
from handlers.pages.runs import (
    actions as run_actions,
    bulk as run_bulk,
    detail as run_detail,
    listing as run_list,
    new as run_new,
)
from handlers.pages.usage import (
    bills as bill_pages,
    overview as usage_pages,
    runs as used_run_pages,
)
from handlers.portal import SETTING, Portal
from handlers.route import Route, Routes
from kqi_hub.face.look import Pages
from kqi_hub.face.site import Site
from kqi_hub.face.static import StaticHandler, read_tree

access_log = logging.getLogger("handlers.access_log")
ALL: Final[tuple[Routes, ...]] = (
    version.health,
    version.routes,
    whoami.routes,
    tenants.routes,
    preferences.routes,
    me.routes,
    password.routes,
    factor.routes,
    ssh_keys.routes,
    credentials.routes,
    tokens.routes,
    job_tokens.routes,
    terms.routes,
    queues.routes,
    prices.routes,
    rates.routes,
    rate_pages.routes,
    runs.trainings,
    runs.inferences,
    preprocessings.routes,
    outside_runs.routes,
    runs.past_preprocessings,
    jobs.routes,
    own_jobs.routes,
    git.routes,
    images.routes,
    events.routes,
    notebooks.routes,
    tenant_notebooks.routes,
    # /data/tags and /data/bulk come before /data/{data_id}.
    data.routes,
    uploads.routes,
    datasets.routes,
    lineage.routes,
    storage.routes,
    budgets.routes,
    # /usage/runs/csv comes before /usage/runs/{run_id}.
    usage.routes,
    bills.routes,
    ledger.routes,
    closing.routes,
    document_routes,
    home.routes,
    queue_pages.routes,
    # /notebooks/new comes before /notebooks/{notebook_id}.
    notebook_list.routes,
    notebook_new.routes,
    notebook_change.routes,
    notebook_actions.routes,
    notebook_detail.routes,
    # /training/new comes before /training/{run_id}.
    run_list.routes,
    run_new.routes,
    run_bulk.routes,
    run_actions.routes,
    run_detail.routes,
    # /preprocessing/new comes before /preprocessing/{preprocessing_id}.
    preprocessing_list.routes,
    preprocessing_form.routes,
    preprocessing_running.routes,
    preprocessing_detail.routes,
    preprocessing_history.routes,
    job_list.routes,
    job_actions.routes,
    environment_pages.routes,
    files.routes,
    # /data/new and /datasets/new come before those of one item.
    data_list.routes,
    data_new.routes,
    data_change.routes,
    data_detail.routes,
    storage_page.routes,
    dataset_list.routes,
    dataset_types.routes,
    dataset_builder.routes,
    dataset_actions.routes,
    dataset_detail.routes,
    usage_pages.routes,
    used_run_pages.routes,
    bill_pages.routes,
    months.routes,
    budget_pages.routes,
    logout.routes,
    choices.routes,
    my_profile.routes,
    my_password.routes,
    my_factor.routes,
    my_ssh_keys.routes,
    my_credentials.routes,
    my_tokens.routes,
    terms_page.routes,
    api_docs.routes,
    design.routes,
)
_LONGEST_LOGGED: Final = 200


@dataclass(frozen=True, slots=True)
class Folders:
    """Where templates, static files and catalogues lie."""

    templates: Path
    static: Path
    translations: Path


@cache
def all_routes() -> tuple[Route, ...]:
    """Return every route of the portal."""
    return tuple(route for routes in ALL for route in routes.all)


# Both take longer than all the rest of a portal's start, of which tests make thousands.
_static_files: Final = cache(read_tree)


@cache
def _own_document(site: Site, prefix: str, base: str) -> Mapping[str, Any]:
    return _document(all_routes(), site, prefix, base)


def _document(
    routes: Iterable[Route], site: Site, prefix: str, base: str
) -> Mapping[str, Any]:
    return with_login(with_agent(document(routes, site, prefix), base), base)


def make_app(
    deps: Deps,
    hub_auth: HubOAuth,
    folders: Folders,
    cookie_secret: bytes,
    routes: tuple[Route, ...] | None = None,
) -> Application:
    """Return the application; `routes` other than the portal's own are for tests."""
    prefix = hub_auth.base_url
    base = hub_auth.hub_prefix.removesuffix("hub/")
    tree = _static_files(folders.static)
    if routes is None:
        shown, about = all_routes(), _own_document(deps.site, prefix, base)
    else:
        shown, about = routes, _document(routes, deps.site, prefix, base)
    portal = Portal(
        deps=deps,
        hub_auth=hub_auth,
        pages=Pages(folders.templates, folders.translations, tree, prefix),
        translations=folders.translations,
        routes=shown,
        document=about,
        base=base,
        prefix=prefix,
    )
    settings: dict[str, Any] = {
        SETTING: portal,
        "cookie_secret": cookie_secret,
        "default_handler_class": PortalHandler,
        "log_function": log_request,
        "xsrf_cookie_kwargs": {
            "httponly": True,
            "samesite": "Lax",
            "secure": portal.is_secure,
        },
        "autoreload": False,
    }
    static = (rf"{prefix}static/([0-9a-f]+)/(.+)", StaticHandler, {"tree": tree})
    callback = (rf"{prefix}oauth_callback", CallbackHandler)
    return Application([*_addresses(shown, prefix), static, callback], **settings)


def _addresses(routes: Iterable[Route], prefix: str) -> list[Any]:
    """Return one handler for each path, with its routes by method."""
    by_path: dict[str, dict[str, Route]] = {}
    for route in routes:
        methods = by_path.setdefault(route.pattern, {})
        if route.method in methods:
            raise ValueError(f"{route.name} is declared twice")
        methods[route.method] = route
    start = prefix.rstrip("/")
    return [_address(start, pattern, methods) for pattern, methods in by_path.items()]


def _address(start: str, pattern: str, methods: Mapping[str, Route]) -> Any:
    return (f"{start}{pattern}", PortalHandler, {"routes": methods})


def log_request(handler: Any) -> None:
    """Log one line for a request: no query, no header, no body, so no secret."""
    request = handler.request
    path = request.path[:_LONGEST_LOGGED].encode("ascii", "backslashreplace").decode()
    visit = getattr(handler, "visit", None)
    who = visit.visitor.standing.person if visit and visit.visitor else "-"
    access_log.info(
        "%s %s %d %.0fms %s %s %s",
        request.method[:16],
        path,
        handler.get_status(),
        request.request_time() * 1000,
        who,
        visit.address if visit else "-",
        getattr(handler, "request_id", "-"),
    )
