"""The portal's process, `python -m hub_config.portal`: beside the hub, or its child."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Final

from jupyterhub.httpclient import JupyterHubHTTPClient
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from handlers.ask import Deps
from handlers.hub_servers import HubServersClient
from handlers.hub_tokens import HubTokensClient
from handlers.live import Live
from handlers.portal import SETTING, Portal
from handlers.service import Folders, make_app
from hub_config.portal_place import Place, cookie_secret, hub_auth, hub_token, place_of
from kqi_hub import __version__
from kqi_hub.bootstrap.account import open_account
from kqi_hub.bootstrap.budgets import open_budgets
from kqi_hub.bootstrap.closing import open_closing
from kqi_hub.bootstrap.data import open_data
from kqi_hub.bootstrap.datasets import open_datasets
from kqi_hub.bootstrap.git import open_git
from kqi_hub.bootstrap.images import open_images
from kqi_hub.bootstrap.job_tokens import open_job_tokens
from kqi_hub.bootstrap.loop import favour_the_loop
from kqi_hub.bootstrap.notebooks import open_notebooks
from kqi_hub.bootstrap.own_jobs import open_own_jobs
from kqi_hub.bootstrap.portal import PortalParts, open_portal
from kqi_hub.bootstrap.preprocessings import (
    open_arrays,
    open_outside_runs,
    open_preprocessing_runs,
    open_preprocessings,
)
from kqi_hub.bootstrap.queues import open_queues
from kqi_hub.bootstrap.rates import open_rates
from kqi_hub.bootstrap.reconciling import open_reconciler
from kqi_hub.bootstrap.runs import open_runs, open_submission
from kqi_hub.bootstrap.usage import open_bills, open_usage
from kqi_hub.domain.address import networks
from kqi_hub.domain.errors import KqiError, SettingsError
from kqi_hub.face.site import Site
from kqi_hub.services.notebook_keeper import NotebookKeeper
from kqi_hub.services.notebook_live import NotebookNews
from kqi_hub.services.run_live import RunNews
from kqi_hub.settings.loader import load_settings
from kqi_hub.settings.model import Settings

HERE: Final = Path(__file__).resolve().parent
FOLDERS: Final = Folders(HERE / "templates", HERE / "static", HERE / "translations")
# How long requests that are under way may take when the process is told to stop.
GRACE_S: Final = 10.0
_IDLE_S: Final = 75.0
_HEADERS_BYTES: Final = 32 * 1024

log = logging.getLogger("hub_config.portal")


def application(settings: Settings, place: Place, parts: PortalParts) -> Application:
    """Return the portal's application for a site."""
    site = Site(
        name=settings.site.name,
        version=__version__,
        language=settings.site.language,
        timezone=settings.site.timezone,
        proxies=networks(settings.login.trusted_proxies),
        support=settings.site.support or "",
    )
    auth = hub_auth(place, hub_token(settings, os.environ), settings)
    account = open_account(settings, parts.engine)
    tokens = HubTokensClient(place.api_url, auth.cache.clear)
    queues = open_queues(settings, parts.engine)
    hub = HubServersClient(place.api_url, hub_token(settings, os.environ))
    notebooks = open_notebooks(settings, parts.engine, queues, hub)
    data = open_data(settings, parts.engine)
    datasets = open_datasets(settings, parts.engine)
    submission = open_submission(settings, parts.engine)
    runs = open_runs(settings, parts.engine, queues, submission)
    preprocessings = open_preprocessings(settings, parts.engine, runs)
    closing = open_closing(settings, parts.engine)
    live = Live(
        {
            "queues": queues,
            "notebooks": NotebookNews(notebooks),
            "runs": RunNews(runs),
            "months": closing,
        }
    )
    deps = Deps(
        site,
        parts.people,
        parts.preferences,
        account,
        tokens,
        queues,
        live,
        notebooks,
        data=data.items,
        uploads=data.uploads,
        data_use=data.use,
        datasets=datasets.datasets,
        lineage=datasets.lineage,
        staging=datasets.staging,
        runs=runs,
        git=open_git(settings, parts.engine),
        own_jobs=open_own_jobs(settings, parts.engine, queues),
        preprocessings=preprocessings,
        preprocessing_runs=open_preprocessing_runs(
            settings, parts.engine, runs, data.uploads
        ),
        rates=open_rates(settings, parts.engine, queues.pricing),
        arrays=open_arrays(settings, parts.engine, runs),
        outside_runs=open_outside_runs(parts.engine, preprocessings, data.uploads),
        budgets=open_budgets(settings, parts.engine),
        reconciler=open_reconciler(settings, parts.engine),
        usage=open_usage(settings, parts.engine),
        bills=open_bills(settings, parts.engine),
        job_tokens=open_job_tokens(
            settings, parts.engine, tokens, hub_token(settings, os.environ)
        ),
        ledger=closing.ledger,
        closing=closing,
        images=open_images(settings, parts.engine),
        searches=parts.searches,
    )
    app = make_app(deps, auth, FOLDERS, cookie_secret(settings))
    portal: Portal = app.settings[SETTING]
    portal.pages.warm_up(site)
    return app


async def serve(app: Application, place: Place) -> None:
    """Answer until SIGTERM or SIGINT, then finish what is under way."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = HTTPServer(
        app, idle_connection_timeout=_IDLE_S, max_header_size=_HEADERS_BYTES
    )
    server.add_sockets(bind_sockets(place.port, place.host))
    log.info("listening on %s:%d below %s", place.host, place.port, place.prefix)
    portal: Portal = app.settings[SETTING]
    keepers = [
        asyncio.create_task(keeper_of(portal.deps).run()),
        asyncio.create_task(portal.deps.job_tokens.run()),
    ]
    await stop.wait()
    for keeper in keepers:
        keeper.cancel()
    server.stop()
    portal.deps.live.close()
    await portal.deps.staging.close()
    if not await portal.busy.wait_idle(GRACE_S):
        log.warning("%d requests were cut off", portal.busy.count)
    # Requests that were let finish may have asked for jobs: these are on their way.
    await portal.deps.runs.submission.close()
    await server.close_all_connections()
    await JupyterHubHTTPClient.loop_instance().close()
    log.info("stopped")


def keeper_of(deps: Deps) -> NotebookKeeper:
    """Return what keeps notebooks and the hub's servers together."""
    notebooks = deps.notebooks
    return NotebookKeeper(notebooks.session_store, notebooks.hub)


def check_frontend(folders: Folders) -> None:
    """Refuse to start without what npm brings: every page would be bare."""
    for name in ("bootstrap.min.css", "icons.svg"):
        if not (folders.static / "vendor" / name).exists():
            raise SettingsError(
                f"The pages lack their front-end libraries: no {name} in "
                f"{folders.static / 'vendor'}.",
                "Run: .ci/prepare browser",
            )


def set_up_logging() -> None:
    """Log to standard error, a line a request; JupyterHub's chatter is left out."""
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    # It would name the session of every new login.
    logging.getLogger("tornado.application").setLevel(logging.ERROR)
    logging.getLogger("tornado.general").setLevel(logging.ERROR)


def main() -> int:
    """Run the portal of the site that the settings describe."""
    set_up_logging()
    try:
        check_frontend(FOLDERS)
        settings = load_settings()
        place = place_of(settings, os.environ)
        app = application(settings, place, open_portal(settings))
        favour_the_loop()
    except KqiError as error:
        log.error("%s", error)  # noqa: TRY400 - a sentence for operators, no traceback
        return error.exit_code
    asyncio.run(serve(app, place))
    return 0


if __name__ == "__main__":
    sys.exit(main())
