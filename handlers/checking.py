"""What was sent, taken apart; and the checks that a route asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from tornado.httputil import HTTPInputError, HTTPServerRequest, parse_body_arguments

from handlers.access import Who, check_role, check_scope
from handlers.ask import Ask
from handlers.failures import NotLoggedIn, WrongContentType
from handlers.route import Model, Route
from handlers.validation import build, flat, parse_json
from kqi_hub.domain.errors import InvalidInput

FORM_TYPE: Final = "application/x-www-form-urlencoded"
# Read by the frame around the page, not by the page.
_TENANT: Final = "tenant"
_XSRF: Final = "_xsrf"


class _Nothing(Model):
    """No field at all."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The query and the body as they came."""

    query: Mapping[str, list[bytes]]
    form: Mapping[str, list[bytes]]
    body: bytes
    content_type: str

    @classmethod
    def read(cls, request: HTTPServerRequest, body: bytes) -> "Sent":
        """Take a request apart; form fields also become Tornado's arguments."""
        content_type = request.headers.get("Content-Type", "")
        form: dict[str, list[bytes]] = {}
        if content_type.partition(";")[0].strip().lower() == FORM_TYPE:
            try:
                parse_body_arguments(FORM_TYPE, body, form, {}, request.headers)
            except HTTPInputError as error:
                raise InvalidInput(
                    "This form cannot be read.", "Send fewer fields."
                ) from error
            # JupyterHub looks for the XSRF token there.
            for name, values in form.items():
                request.arguments.setdefault(name, []).extend(values)
        return cls(request.query_arguments, form, body, content_type)

    @property
    def tenant(self) -> str | None:
        """Return the tenant that the query names."""
        values = self.query.get(_TENANT)
        return values[-1].decode(errors="replace") if values else None

    def query_as(self, route: Route) -> Model | None:
        """Return the query as a model; pages overlook what they do not know."""
        if route.is_page:
            if route.spec.query is None:
                return None
            known = route.spec.query.model_fields
            fields = {name: v for name, v in self.query.items() if name in known}
            return build(route.spec.query, flat(fields))
        return build(route.spec.query or _Nothing, flat(self.query))

    def body_as(self, route: Route) -> Model | None:
        """Return the body as the route's model: a form for pages, JSON for the API."""
        if route.spec.body is None:
            return None
        if not route.is_page:
            return build(route.spec.body, parse_json(self.content_type, self.body))
        if not self.content_type.lower().startswith(FORM_TYPE):
            raise WrongContentType(FORM_TYPE)
        fields = {name: v for name, v in self.form.items() if name != _XSRF}
        return build(route.spec.body, flat(fields))


def checked(ask: Ask, sent: Sent) -> Ask:
    """Return the request with what was sent, if the person may and it is right."""
    spec, visitor = ask.route.spec, ask.visitor
    if spec.who is not Who.ANYBODY:
        if visitor is None:
            raise NotLoggedIn
        check_scope(ask.route.scope, visitor.scopes)
        if not spec.in_its_tenant:
            check_role(spec.who, visitor.standing, ask.tenant)
    return replace(
        ask, sent_query=sent.query_as(ask.route), sent_body=sent.body_as(ask.route)
    )
