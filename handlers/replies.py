"""Send what a route answers: JSON, a page, another page to go to, or an error."""

import json
from typing import Final

from tornado.web import RequestHandler

from handlers.ask import Answer, GoTo, Listing, Page, Plain
from handlers.failures import NotLoggedIn, StaleForm
from handlers.navigation import groups_for, shortcuts_for
from handlers.problem import PROBLEM_TYPE, problem_of
from handlers.resend import fields_to_resend
from handlers.route import API_PREFIX, Model, Spec
from handlers.visit import Visit
from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.preferences import Preferences, Theme
from kqi_hub.face import cookies
from kqi_hub.face.look import Look, Pages

_JSON: Final = "application/json; charset=utf-8"
_HTML: Final = "text/html; charset=utf-8"


async def send(handler: RequestHandler, visit: Visit, answer: Answer) -> None:
    """Send a route's answer; what is long is drawn off the loop."""
    off_loop = visit.portal.drawing.off_loop
    if isinstance(answer, Page):
        pages, look = visit.portal.pages, _look(handler, visit)
        text = await off_loop(lambda: _draw(pages, look, answer))
        _send_page(handler, visit, text, answer.status)
    elif isinstance(answer, GoTo):
        if answer.said:
            jar = visit.portal.jar
            cookies.say_next(handler, answer.said, answer.values, jar)
        portal = visit.portal
        start = f"{portal.base}hub/" if answer.at_hub else portal.prefix
        handler.redirect(start + answer.path, status=303)
    elif isinstance(answer, Listing):
        text = await off_loop(lambda: answer.make().model_dump_json())
        if answer.total is not None:
            handler.set_header("X-Total-Count", str(answer.total))
        _send_document(handler, visit, text)
    elif isinstance(answer, Plain):
        make = answer.text
        text = make if isinstance(make, str) else await off_loop(make)
        _send_plain(handler, visit, text, answer.file)
    elif isinstance(answer, Model):
        _send_document(handler, visit, answer.model_dump_json())
    else:
        handler.set_status(204)
        handler.finish()


def send_error(handler: RequestHandler, visit: Visit, error: KqiError) -> None:
    """Send an error as a page to browsers and as a document to programs."""
    problem = problem_of(error, visit.texts, visit.request_id)
    if not _wants_page(handler, visit):
        handler.set_status(error.status)
        handler.set_header("Content-Type", PROBLEM_TYPE)
        # Tornado would call a dict application/json.
        handler.finish(json.dumps(problem.document(f"{visit.portal.prefix}api")))
    elif isinstance(error, NotLoggedIn) and _is_opening(handler):
        handler.redirect(handler.get_login_url())
    else:
        again = isinstance(error, NotLoggedIn | StaleForm)
        resend = fields_to_resend(handler, visit) if again else ()
        # Short, and Tornado cannot wait while it answers for its own errors.
        page = Page("pages/error.html", {"problem": problem, "resend": resend})
        text = _draw(visit.portal.pages, _look(handler, visit), page)
        _send_page(handler, visit, text, error.status)


def _draw(pages: Pages, look: Look, page: Page) -> str:
    values = page.values() if callable(page.values) else page.values
    return pages.render(page.template, look, values)


def _send_page(handler: RequestHandler, visit: Visit, text: str, status: int) -> None:
    handler.set_status(status)
    handler.set_header("Content-Type", _HTML)
    handler.set_header("Content-Language", visit.texts.language)
    _keep_choices(handler, visit)
    handler.finish(text)


def _send_plain(handler: RequestHandler, visit: Visit, text: str, file: str) -> None:
    spec = visit.route.spec if visit.route else Spec()
    handler.set_header("Content-Type", f"{spec.plain_type}; charset=utf-8")
    if file:
        # Names of ours: letters, digits, hyphens.
        disposition = f'attachment; filename="{file}"'
        handler.set_header("Content-Disposition", disposition)
    handler.finish(text)


def _send_document(handler: RequestHandler, visit: Visit, text: str) -> None:
    handler.set_status(visit.route.spec.status if visit.route else 200)
    handler.set_header("Content-Type", _JSON)
    handler.finish(text)


def _keep_choices(handler: RequestHandler, visit: Visit) -> None:
    """Let this browser remember, for the login page and for the next visit."""
    portal, chosen = visit.portal, visit.visitor.chosen if visit.visitor else None
    if visit.tenant not in {None, handler.get_cookie(cookies.TENANT)}:
        cookies.keep_tenant(handler, visit.tenant or "", portal.jar)
    for name, choice in (
        (cookies.LANGUAGE, chosen and chosen.language),
        (cookies.THEME, chosen and chosen.theme),
    ):
        if choice not in {None, handler.get_cookie(name)}:
            cookies.keep_choice(handler, name, str(choice), portal.site_jar)


def _look(handler: RequestHandler, visit: Visit) -> Look:
    portal, visitor = visit.portal, visit.visitor
    who = visitor.standing if visitor else None
    groups = groups_for(who, portal.has_page, visit.texts)
    return Look(
        site=portal.deps.site,
        tree=portal.pages.tree,
        base=portal.base,
        prefix=portal.prefix,
        here=handler.request.uri or portal.prefix,
        language=visit.texts.language,
        theme=_theme(handler, visitor.chosen if visitor else Preferences()),
        request_id=visit.request_id,
        is_reading=_is_reading(handler),
        xsrf=_xsrf(handler),
        said=visit.texts.say(*cookies.take_said(handler, portal.jar)),
        me=who,
        chosen=visitor.chosen if visitor else Preferences(),
        tenant=visit.tenant,
        groups=groups,
        shortcuts=shortcuts_for(groups, visit.texts),
    )


def _theme(handler: RequestHandler, chosen: Preferences) -> Theme:
    kept = handler.get_cookie(cookies.THEME)
    if chosen.theme is not None:
        return chosen.theme
    return Theme(kept) if kept in set(Theme) else Theme.SYSTEM


def _xsrf(handler: RequestHandler) -> str:
    # Tornado says bytes; JupyterHub's replacement may return text.
    token: bytes | str = handler.xsrf_token
    return token if isinstance(token, str) else token.decode()


def _wants_page(handler: RequestHandler, visit: Visit) -> bool:
    """Tell whether a browser's page is asked for, rather than a document."""
    path = handler.request.path.removeprefix(visit.portal.prefix.rstrip("/"))
    if path.startswith(API_PREFIX):
        return False
    takes = handler.request.headers.get("Accept", "")
    return "text/html" in takes or "json" not in takes


def _is_reading(handler: RequestHandler) -> bool:
    return handler.request.method in {"GET", "HEAD"}


def _is_opening(handler: RequestHandler) -> bool:
    """Tell whether somebody opens a page, rather than a script reading one."""
    mode = handler.request.headers.get("Sec-Fetch-Mode", "navigate")
    return bool(mode == "navigate") and _is_reading(handler)
