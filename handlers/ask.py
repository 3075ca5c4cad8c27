"""What a route's function is given, and what it may answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from handlers.access import check_tenant_role
from handlers.failures import NotLoggedIn
from handlers.live import Live
from handlers.route import Model, Route
from kqi_hub.domain.people import Role, Standing
from kqi_hub.domain.preferences import Preferences, PreferenceStore
from kqi_hub.domain.tokens import HubTokens
from kqi_hub.face.site import Site
from kqi_hub.i18n import Texts
from kqi_hub.services.account import Account
from kqi_hub.services.array_use import Arrays
from kqi_hub.services.bills import Bills
from kqi_hub.services.budgets import Budgets
from kqi_hub.services.closing import Closing
from kqi_hub.services.data import DataItems
from kqi_hub.services.data_use import DataUse
from kqi_hub.services.datasets import Datasets
from kqi_hub.services.git_refs import GitRefs
from kqi_hub.services.images import Images
from kqi_hub.services.job_tokens import JobTokens
from kqi_hub.services.ledger import Ledger
from kqi_hub.services.lineage import LineageGraph
from kqi_hub.services.notebooks import Notebooks
from kqi_hub.services.outside_runs import OutsideRuns
from kqi_hub.services.own_jobs import OwnJobs
from kqi_hub.services.people import People
from kqi_hub.services.preprocessing_runs import PreprocessingRuns
from kqi_hub.services.preprocessings import Preprocessings
from kqi_hub.services.proving import Who
from kqi_hub.services.queues import Queues
from kqi_hub.services.rates import Rates
from kqi_hub.services.reconcile_use import UseReconciler
from kqi_hub.services.run_searches import RunSearches
from kqi_hub.services.runs import Runs
from kqi_hub.services.staging import Staging
from kqi_hub.services.tenant_rights import Asker
from kqi_hub.services.tokens import Bearer
from kqi_hub.services.uploads import Uploads
from kqi_hub.services.usage import Usage

M = TypeVar("M", bound=Model)
_NUMBER_DIGITS: Final = 18
Values = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Deps:
    """The services that routes call; made by the process, given to make_app."""

    site: Site
    people: People
    preferences: PreferenceStore
    account: Account
    tokens: HubTokens
    queues: Queues
    live: Live
    notebooks: Notebooks
    data: DataItems
    uploads: Uploads
    data_use: DataUse
    datasets: Datasets
    lineage: LineageGraph
    staging: Staging
    runs: Runs
    git: GitRefs
    own_jobs: OwnJobs
    preprocessings: Preprocessings
    preprocessing_runs: PreprocessingRuns
    outside_runs: OutsideRuns
    arrays: Arrays
    usage: Usage
    bills: Bills
    rates: Rates
    budgets: Budgets
    reconciler: UseReconciler
    ledger: Ledger
    job_tokens: JobTokens
    closing: Closing
    images: Images
    searches: RunSearches


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, and what their login or token was given for; `word` is that itself."""

    standing: Standing
    scopes: frozenset[str]
    chosen: Preferences = field(default_factory=Preferences)
    word: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, checked: the person may, and what they sent is right.

    `document` describes the whole API (OpenAPI).
    """

    deps: Deps
    route: Route
    texts: Texts
    visitor: Visitor | None
    tenant: str | None
    path: Mapping[str, str]
    address: str
    document: Mapping[str, Any]
    sent_query: Model | None = None
    sent_body: Model | None = None
    # Under which the log has it; operators are told this number.
    request_id: str = ""

    @property
    def me(self) -> Standing:
        """Return the person; NotLoggedIn on a route for anybody."""
        if self.visitor is None:
            raise NotLoggedIn
        return self.visitor.standing

    @property
    def who(self) -> Who:
        """Return the person and from where they ask, as the audit log wants them."""
        return Who(self.me.person, self.address, self.me)

    @property
    def bearer(self) -> Bearer:
        """Return the person with what they ask with, to ask the hub with it."""
        if self.visitor is None:
            raise NotLoggedIn
        return Bearer(self.who, self.visitor.word, self.visitor.scopes)

    @property
    def chosen(self) -> Preferences:
        """Return the person's choices."""
        return self.visitor.chosen if self.visitor else Preferences()

    @property
    def asker(self) -> Asker:
        """Return the person with roles, as the services of data want them."""
        return Asker(self.me, self.address)

    def number(self, name: str) -> int:
        """Return a number in the path; what is none is the number of nothing."""
        text = self.path[name]
        is_number = text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS
        return int(text) if is_number else -1

    def body(self, model: type[M]) -> M:
        """Return the body as the model that the route declares."""
        return _as(self.sent_body, model)

    def query(self, model: type[M]) -> M:
        """Return the query as the model that the route declares."""
        return _as(self.sent_query, model)

    def need(self, role: Role, tenant: str) -> None:
        """Refuse people without the role in a tenant that the body names."""
        check_tenant_role(role, self.me, tenant)


def _as(sent: Model | None, model: type[M]) -> M:
    if not isinstance(sent, model):
        raise TypeError(f"the route declares no {model.__name__}")
    return sent


@dataclass(frozen=True, slots=True)
class Page:
    """A page to draw.

    Values of many rows are given as a function: it runs where the page is drawn, off
    the loop.
    """

    template: str
    values: Values | Callable[[], Values] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Listing:
    """A document of many rows: it is made, and written as JSON, off the loop.

    `total` goes into the header X-Total-Count (KX-37).
    """

    make: Callable[[], Model]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class GoTo:
    """Another page to go to after a form; `said` is a text with `{names}`.

    `at_hub`: the page is one of the hub's own, such as logout.
    """

    path: str
    said: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    at_hub: bool = False


@dataclass(frozen=True, slots=True)
class Plain:
    """Text as it is, such as a script; the route's Spec says `plain`.

    What is long is given as a function, which is called off the loop. With `file` it is
    kept under that name, rather than shown.
    """

    text: str | Callable[[], str]
    file: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """Events on some subjects, for as long as the page listens.

    `tenants` are those whose things it shows; None: everybody's.
    """

    subjects: frozenset[str]
    tenants: tuple[str, ...] | None = ()


Answer = Model | Listing | Page | GoTo | Plain | Stream | None
