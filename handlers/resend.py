"""Give back what was typed, when a form was refused for its age alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr
from tornado.web import RequestHandler

from handlers.route import Route
from handlers.visit import Visit


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the refused form; secrets are typed again."""

    name: str
    value: str
    is_secret: bool


def fields_to_resend(handler: RequestHandler, visit: Visit) -> tuple[Field, ...]:
    """Return the fields to show for sending once more; none for another site's form."""
    route, sent = visit.route, visit.sent
    if route is None or sent is None or not route.is_page or route.spec.body is None:
        return ()
    return tuple(_fields(route, sent.form)) if _is_our_own(handler) else ()


def _fields(route: Route, form: Mapping[str, list[bytes]]) -> Iterator[Field]:
    model = route.spec.body
    for name, about in (model.model_fields if model else {}).items():
        if name in form:
            is_secret = about.annotation is SecretStr
            value = "" if is_secret else form[name][-1].decode(errors="replace")
            yield Field(name, value, is_secret)


def _is_our_own(handler: RequestHandler) -> bool:
    """Tell whether the browser says that the form was on a page of this host."""
    headers = handler.request.headers
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return bool(site == "same-origin")
    origin = urlsplit(headers.get("Origin", "")).netloc.lower()
    return bool(origin) and origin == handler.request.host.lower()
