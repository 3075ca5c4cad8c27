"""One request under way: who asks, in which language, in which tenant."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from jupyterhub.services.auth import HubOAuth
from tornado.web import HTTPError, RequestHandler

from handlers.access import Scope, no_such_tenant
from handlers.ask import Ask, Deps, Visitor
from handlers.checking import Sent, checked
from handlers.failures import HubUnavailable, StaleForm
from handlers.job_access import is_of_a_job, job_scopes, job_standing
from handlers.portal import Portal
from handlers.route import Route
from kqi_hub.domain.errors import NotPermitted
from kqi_hub.domain.preferences import Preferences
from kqi_hub.face import cookies
from kqi_hub.i18n import Texts, accepted, choose
from kqi_hub.services import preferences
from kqi_hub.services.people import People

UserModel = Mapping[str, Any]
_SCOPES: Final = frozenset(scope.value for scope in Scope)
_LONGEST_TAG: Final = 20


@dataclass(slots=True)
class Visit:
    """What is known of a request by now; identifying fills it in."""

    portal: Portal
    request_id: str
    address: str
    texts: Texts
    route: Route | None
    sent: Sent | None = None
    visitor: Visitor | None = None
    tenant: str | None = None

    def ask(self, route: Route, path: Mapping[str, str], sent: Sent) -> Ask:
        """Return the request for the route's function, checked."""
        ask = Ask(
            deps=self.portal.deps,
            route=route,
            texts=self.texts,
            visitor=self.visitor,
            tenant=self.tenant,
            path=path,
            address=self.address,
            document=self.portal.document,
            request_id=self.request_id,
        )
        return checked(ask, sent)


async def identify(
    handler: RequestHandler, visit: Visit, model: UserModel, tenant: str | None
) -> None:
    """Find out a person's roles and choices; language and tenant follow from them."""
    portal = visit.portal
    visitor = await _visitor(portal.deps, portal.hub_auth, model, visit.route)
    word = portal.hub_auth.get_token(handler) or ""
    visit.visitor = replace(visitor, word=word)
    visit.texts = texts_for(handler, portal, visit.visitor.chosen)
    kept = handler.get_cookie(cookies.TENANT)
    visit.tenant = await _tenant(portal.deps.people, visit.visitor, tenant, kept)


async def hub_user(handler: RequestHandler, hub_auth: HubOAuth) -> UserModel | None:
    """Return the hub's word on who asks, None for nobody.

    StaleForm when there is a login, but no proof that our own page made the request.
    """
    if _is_hidden_fetch(handler):
        return None
    try:
        model: UserModel | None = await hub_auth.get_user(handler, sync=False)
    except HTTPError as error:
        raise HubUnavailable from error
    if model is None and handler.get_signed_cookie(hub_auth.cookie_name):
        try:
            handler.check_xsrf_cookie()
        except HTTPError as error:
            raise StaleForm from error
    return model


def _is_hidden_fetch(handler: RequestHandler) -> bool:
    """Tell whether a script asks in the mode that JupyterHub exempts for pictures.

    Notebook servers share our origin, and a script of theirs could read such an
    answer. Our own pages load no picture that needs a login.
    """
    headers = handler.request.headers
    mode = headers.get("Sec-Fetch-Mode", "")
    return bool(mode == "no-cors" and "Authorization" not in headers)


async def _visitor(
    deps: Deps, hub_auth: HubOAuth, model: UserModel, route: Route | None
) -> Visitor:
    if model.get("kind", "user") != "user":
        raise NotPermitted(
            "This token belongs to a service, not to a person.",
            "Use a token that a person has made.",
        )
    scopes = frozenset(hub_auth.check_scopes(_SCOPES, model))
    standing = await deps.people.standing_of(model["name"], model.get("groups", ()))
    if is_of_a_job(model.get("scopes", ())):
        standing = await job_standing(deps.job_tokens, model, standing)
        scopes = job_scopes(route)
    chosen = await preferences.read(deps.preferences, standing.person)
    return Visitor(standing, scopes, chosen)


def texts_for(
    handler: RequestHandler, portal: Portal, chosen: Preferences | None
) -> Texts:
    """Return the texts of the person's language, this browser's, or the site's."""
    wanted = [chosen.language] if chosen and chosen.language else []
    kept = handler.get_cookie(cookies.LANGUAGE)
    if kept:
        wanted.append(kept[:_LONGEST_TAG])
    wanted += accepted(handler.request.headers.get("Accept-Language", ""))
    return portal.texts(choose([*wanted, portal.deps.site.language]))


async def _tenant(
    people: People, visitor: Visitor, asked: str | None, kept: str | None
) -> str | None:
    """Return the tenant: the one asked for, the one looked at last, the usual one.

    NotFound when one is asked for that is not the person's; operators see all.
    """
    who = visitor.standing
    if asked is not None:
        if who.role_in(asked) is None and not (
            who.is_operator and asked in await people.tenants()
        ):
            raise no_such_tenant(asked)
        return asked
    for tenant in (kept, visitor.chosen.default_tenant):
        if tenant is not None and who.role_in(tenant) is not None:
            return tenant
    return who.memberships[0].tenant if who.memberships else None
