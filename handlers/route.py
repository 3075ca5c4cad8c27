"""One declaration for each route: it validates, checks, documents and is tested.

    routes = Routes("/api/v1", tag="tenants")

    @routes.get("/tenants/{tenant}", Spec(who=Who.VIEWER, answer=Tenant))
    async def show_tenant(ask: Ask) -> Tenant:
        \"\"\"Show a tenant and your role in it.\"\"\"

The first line of the docstring is what the documents say, in every language.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from handlers.access import Scope, Who
from kqi_hub.domain.errors import KqiError

API_PREFIX: Final = "/api/"
_PARAMETER: Final = re.compile(r"\{([a-z_]+)\}")
# What a path parameter may be; what is longer or stranger is not there (404).
_VALUE: Final = r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}"
# Free text as one part of a path, percent-encoded: names, tags, ids such as commits'.
_FREE: Final = frozenset({"search", "tag", "thing_id"})
_FREE_VALUE: Final = r"[^/]{1,4000}"

Call = Callable[..., Awaitable[Any]]


class Model(BaseModel):
    """What travels as JSON or as a form: unknown fields are refused, never guessed."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a route needs and gives."""

    who: Who = Who.PERSON
    scope: Scope | None = None
    query: type[Model] | None = None
    body: type[Model] | None = None
    answer: type[Model] | None = None
    status: int = 200
    errors: tuple[type[KqiError], ...] = ()
    body_limit: int = 256 * 1024
    # Whether one may come here before accepting the terms of use.
    before_terms: bool = False
    # Whether a form is answered with a page, rather than with the way to one.
    shows: bool = False
    # Whether the answer is a stream of events (handlers/live.py).
    streams: bool = False
    # Whether the answer is plain text (handlers/ask.py, Plain), and of which kind.
    plain: bool = False
    plain_type: str = "text/plain"
    # Whether the role is needed in the tenant of what path or body name, rather than
    # in that of the path: then the service checks it.
    in_its_tenant: bool = False
    # Values for {parameters} of the path and a body that are right: the documents
    # show them, the test of roles sends them.
    example_path: Mapping[str, str] = field(default_factory=dict)
    example: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one address."""

    method: str
    path: str
    spec: Spec
    call: Call
    tag: str

    def __post_init__(self) -> None:
        missing = set(self.parameters) - set(self.spec.example_path) - {"tenant"}
        if missing:
            raise ValueError(f"{self.name}: no example for {', '.join(missing)}")
        if self.spec.body and self.spec.example is None:
            raise ValueError(f"{self.name}: no example of a body")

    @property
    def name(self) -> str:
        """Return method and path, as people say it."""
        return f"{self.method} {self.path}"

    @property
    def is_page(self) -> bool:
        """Tell whether people's browsers read it, rather than programs."""
        return self.spec.answer is None and not self.path.startswith(API_PREFIX)

    @property
    def scope(self) -> Scope:
        """Return the scope that a login or token needs."""
        return self.spec.scope or (Scope.READ if self.is_reading else Scope.WRITE)

    @property
    def is_reading(self) -> bool:
        """Tell whether it changes nothing."""
        return self.method == "GET"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Return the names of the path's parameters."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def pattern(self) -> str:
        """Return the path as a regular expression with a group for each parameter."""
        return _PARAMETER.sub(_group, self.path)

    @property
    def summary(self) -> str:
        """Return the first line of the docstring."""
        return (self.call.__doc__ or "").strip().split("\n")[0]


def _group(parameter: re.Match[str]) -> str:
    name = parameter[1]
    return f"(?P<{name}>{_FREE_VALUE if name in _FREE else _VALUE})"


class Routes:
    """The routes of one resource."""

    def __init__(self, prefix: str = "", tag: str = "") -> None:
        self._prefix = prefix
        self._tag = tag
        self.all: list[Route] = []

    def get(self, path: str, spec: Spec) -> Callable[[Call], Call]:
        """Declare what reads."""
        return self._declare("GET", path, spec)

    def post(self, path: str, spec: Spec) -> Callable[[Call], Call]:
        """Declare what adds something or sets something going."""
        return self._declare("POST", path, spec)

    def put(self, path: str, spec: Spec) -> Callable[[Call], Call]:
        """Declare what replaces something."""
        return self._declare("PUT", path, spec)

    def patch(self, path: str, spec: Spec) -> Callable[[Call], Call]:
        """Declare what changes a part of something."""
        return self._declare("PATCH", path, spec)

    def delete(self, path: str, spec: Spec) -> Callable[[Call], Call]:
        """Declare what removes something."""
        return self._declare("DELETE", path, spec)

    def _declare(self, method: str, path: str, spec: Spec) -> Callable[[Call], Call]:
        def register(call: Call) -> Call:
            self.all.append(Route(method, self._prefix + path, spec, call, self._tag))
            return call

        return register
