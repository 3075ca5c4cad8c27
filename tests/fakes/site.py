"""The portal beside a fake hub on one port, as a proxy would join them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from jupyterhub.httpclient import JupyterHubHTTPClient
from jupyterhub.services.auth import HubOAuth
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.routing import AnyMatches, PathMatches, Rule, RuleRouter
from tornado.web import Application

import hub_config
from handlers.ask import Deps
from handlers.hub_tokens import HubTokensClient
from handlers.live import Live, Source
from handlers.route import Route
from handlers.service import Folders, make_app
from kqi_hub.domain.people import GroupRules
from kqi_hub.face.site import Site
from kqi_hub.services.git_refs import GitRefs
from kqi_hub.services.images import Images
from kqi_hub.services.notebook_live import NotebookNews
from kqi_hub.services.people import People, tenants_of
from kqi_hub.services.purse import Purse
from kqi_hub.services.run_live import RunNews
from kqi_hub.services.run_searches import RunSearches
from tests.fakes.account import FakeAccount
from tests.fakes.budgets import FakeBudgets
from tests.fakes.close_orders import FakeCloseOrders
from tests.fakes.git import FakeRemote
from tests.fakes.hub import CLIENT, SECRET, FakeHub
from tests.fakes.images import REGISTRIES, FakeRegistries
from tests.fakes.job_tokens import FakeJobTokens
from tests.fakes.ledger import FakeLedger
from tests.fakes.notebooks import FakeNotebooks, open_to_all
from tests.fakes.own_jobs import FakeOwnJobs
from tests.fakes.people import FakeAssociations, FakePreferences, association
from tests.fakes.queues import FakeQueues
from tests.fakes.rates import FakeRates
from tests.fakes.reconciling import FakeComparison
from tests.fakes.run_searches import FakeRunSearches
from tests.fakes.runs import FakeRuns
from tests.fakes.site_data import FakeSiteData
from tests.fakes.site_preprocessings import FakeSitePreprocessings
from tests.fakes.store_door import StoreDoor
from tests.fakes.usage import FakeUse

HERE = Path(hub_config.__file__).parent
FOLDERS = Folders(HERE / "templates", HERE / "static", HERE / "translations")
PREFIX = "/services/portal/"
# Roles in the tenant `vision`; mallory works in another tenant, rita runs the site.
PEOPLE = {
    "victor": ("kqi-users", "vision-viewers"),
    "mia": ("kqi-users", "vision", "nlp"),
    "max": ("kqi-users", "vision", "vision-managers"),
    "rita": ("kqi-users", "kqi-operators"),
    "mallory": ("kqi-users", "nlp"),
    "stranger": ("students",),
}
ASSOCIATIONS = (
    association("mia", "vision"),
    association("mia", "nlp"),
    association("max", "vision"),
    association("mallory", "nlp"),
    association("", "empty"),
)


@dataclass
class FakeSite:
    """One portal and one fake hub."""

    hub: FakeHub = field(default_factory=lambda: FakeHub(PEOPLE))
    associations: FakeAssociations = field(
        default_factory=lambda: FakeAssociations(ASSOCIATIONS)
    )
    preferences: FakePreferences = field(default_factory=FakePreferences)
    searches: FakeRunSearches = field(default_factory=FakeRunSearches)
    account: FakeAccount = field(default_factory=lambda: FakeAccount(PEOPLE))
    queues: FakeQueues = field(default_factory=FakeQueues)
    rates: FakeRates = field(default_factory=FakeRates)
    notebooks: FakeNotebooks = field(default_factory=FakeNotebooks)
    own_jobs: FakeOwnJobs = field(default_factory=FakeOwnJobs)
    git: FakeRemote = field(default_factory=FakeRemote)
    registries: FakeRegistries = field(default_factory=FakeRegistries)
    data: FakeSiteData = field(default_factory=FakeSiteData)
    usage: FakeUse = field(default_factory=FakeUse)
    budgets: FakeBudgets = field(default_factory=FakeBudgets)
    comparison: FakeComparison = field(default_factory=FakeComparison)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    job_tokens: FakeJobTokens = field(default_factory=FakeJobTokens)
    folders: Folders = FOLDERS
    routes: tuple[Route, ...] | None = None
    name: str = "KQI Hub"
    support: str = "hpc-help@example.org"
    is_secure: bool = False
    origin: str = ""
    live: Live = field(default_factory=lambda: Live({}))

    def __post_init__(self) -> None:
        self.door = StoreDoor(self.data.lab.store)
        self.runs = FakeRuns(self.data.datasets)
        self.notebooks.runs = self.runs.store
        self.closing = FakeCloseOrders(self.ledger)
        self.preprocessings = FakeSitePreprocessings(self.runs, self.data)

    def url(self, path: str = "") -> str:
        """Return the address of a page of the portal."""
        return f"{self.origin}{PREFIX}{path}"

    def application(self, port: int) -> Application:
        """Return the portal's application for a port that is listened on."""
        auth = HubOAuth(
            api_url=f"http://127.0.0.1:{port}/hub/api",
            api_token=SECRET,
            oauth_client_id=CLIENT,
            base_url=PREFIX,
            hub_prefix="/hub/",
            hub_host="",
            cookie_options={"samesite": "Lax", "secure": self.is_secure},
            cache_max_age=5,
        )
        people = People(self.associations, GroupRules("kqi-users", "kqi-operators"))
        site = Site(self.name, "0.1.0", support=self.support)
        tokens = HubTokensClient(auth.api_url, auth.cache.clear)
        account = self.account.account()
        held = self.budgets.budgets(
            lambda: tenants_of(self.associations.associations())
        )
        queues = replace(
            self.queues.queues(self.associations),
            budgets=Purse(lambda: held.read(held.period), "JPY"),
        )
        open_queues = open_to_all(PEOPLE, self.queues)
        notebooks = self.notebooks.notebooks(open_queues)
        runs = self.runs.runs(open_queues)
        closing = self.closing.service()
        sources: dict[str, Source] = {
            "queues": queues,
            "notebooks": NotebookNews(notebooks),
            "runs": RunNews(runs),
            "months": closing,
        }
        self.live = Live(sources, look_every_s=0.05)
        self.git_refs = GitRefs(
            self.git, account.credentials, account.services, offer_s=0.5
        )
        deps = Deps(
            site,
            people,
            self.preferences,
            account,
            tokens,
            queues,
            self.live,
            notebooks,
            self.data.lab.items,
            self.data.lab.uploads,
            self.data.lab.use,
            self.data.datasets.service(),
            self.data.datasets.lineage(),
            self.data.staging,
            runs,
            self.git_refs,
            self.own_jobs.own_jobs(self.queues.store, open_queues),
            self.preprocessings.preprocessings(runs),
            self.preprocessings.history(runs),
            self.preprocessings.outside_runs(runs),
            self.preprocessings.arrays(runs),
            budgets=held,
            reconciler=self.comparison.reconciler(),
            rates=self.rates.rates(),
            usage=self.usage.usage(),
            bills=self.usage.bills_service(),
            ledger=self.ledger.service(),
            job_tokens=self.job_tokens.service(tokens, SECRET),
            closing=closing,
            images=Images(
                self.registries, lambda: account.credentials, REGISTRIES, offer_s=0.5
            ),
            searches=RunSearches(self.searches),
        )
        return make_app(deps, auth, self.folders, b"a secret of tests", self.routes)

    def start(self) -> HTTPServer:
        """Listen; must be called on the loop that serves."""
        [socket] = bind_sockets(0, "127.0.0.1")
        port = socket.getsockname()[1]
        self.origin = f"http://127.0.0.1:{port}"
        hub = Rule(PathMatches(r"/hub/.*"), self.hub.application())
        store = Rule(PathMatches(r"/services/store/.*"), self.door.application())
        portal = Rule(AnyMatches(), self.application(port))
        server = HTTPServer(RuleRouter([hub, store, portal]))
        server.add_socket(socket)
        return server


@asynccontextmanager
async def serving(site: FakeSite) -> AsyncIterator[FakeSite]:
    """Serve on the test's own loop."""
    server = site.start()
    try:
        yield site
    finally:
        server.stop()
        await server.close_all_connections()
        await JupyterHubHTTPClient.loop_instance().close()


@contextmanager
def serving_beside(site: FakeSite) -> Iterator[FakeSite]:
    """Serve on a thread, for a browser that is driven without a loop."""
    started, stop = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        async with serving(site):
            loops.append(asyncio.get_running_loop())
            started.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    if not started.wait(20):
        raise TimeoutError("the portal did not start")
    try:
        yield site
    finally:
        loops[0].call_soon_threadsafe(stop.set)
        thread.join(20)
