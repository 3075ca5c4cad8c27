"""The service of notebooks: rules, who may what, starts that happen once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from kqi_hub.domain.errors import (
    ClusterUnreachable,
    Conflict,
    HubUnavailable,
    InvalidInput,
    NotFound,
)
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause, Choices, Repository, Shape
from kqi_hub.services.notebooks import Notebooks
from kqi_hub.services.proving import Who
from tests.fakes.notebooks import CHOICES, FakeNotebooks, open_to_all
from tests.fakes.queues import FakeQueues
from tests.fakes.snapshot_store import FakeSnapshotStore

MIA, EVE = Who("mia", "192.0.2.1"), Who("eve", "192.0.2.2")
SILENT = HubUnavailable("The hub does not answer right now.")
LATE = HubUnavailable("The hub does not answer right now.", may_have_happened=True)


@dataclass
class Lab:
    fake: FakeNotebooks = field(default_factory=FakeNotebooks)
    queues: FakeQueues = field(default_factory=FakeQueues)

    def __post_init__(self) -> None:
        self.service: Notebooks = self.fake.notebooks(
            open_to_all(["mia", "eve"], self.queues)
        )


@pytest.fixture
def lab() -> Lab:
    return Lab()


def changed(**about: object) -> Choices:
    return replace(CHOICES, **about)  # type: ignore[arg-type]  # names are the table's


REFUSED: list[tuple[str, Choices]] = [
    *(
        ("name", changed(name=name))
        for name in ("", "A", "a b", "a" * 31, "ü", "a\n", "../a", "a\0", "a'b", "a_b")
    ),
    *(("tenant", changed(tenant=t)) for t in ("", "a b", "-x", "a\nb", "v" * 65)),
    *(("queue", changed(queue=q)) for q in ("", "a,b", "-p", "a\n#SBATCH", "q" * 65)),
    ("cpus", changed(shape=Shape(0))),
    ("cpus", changed(shape=Shape(10**9))),
    ("memory_mb", changed(shape=Shape(1, 0))),
    ("gpus", changed(shape=Shape(1, 1, -1))),
    ("gpu_type", changed(shape=Shape(1, 1, 1, "a b"))),
    ("gpu_type", changed(shape=Shape(1, 1, 0, "a100"))),
    *(("lifetime", changed(lifetime_s=s)) for s in (0, 3599, 100 * 3600 + 1, -1, None)),
    *(("preset", changed(preset=p)) for p in ("none", "a'", "../x", "a\n")),
    *(("environment", changed(environment=e)) for e in ("../x", "a b", "-n", "a/b")),
    *(
        ("repository", changed(repository=Repository(url)))
        for url in (
            "",
            "file:///etc/passwd",
            "/etc",
            "ext::sh -c x",
            "-oProxyCommand=x",
            "ssh://-oProxyCommand=x/y",
            "https://host",
            "https://a/b\nc",
            "https://me:word@git.example.org/a.git",
            "git@host:-x",
            "https://[::1/x",
            "https://a/" + "x" * 1000,
        )
    ),
    *(
        ("ref", changed(repository=Repository("https://h.org/a.git", ref)))
        for ref in ("-x", "a..b", "a b", "a\nb", "x@{1}", "r" * 201)
    ),
    *(
        ("variables", changed(variables=((name, "v"),)))
        for name in (
            "",
            "1A",
            "A=B",
            "A B",
            "Ä",
            "A\n",
            "JUPYTERHUB_API_TOKEN",
            "KQI_HOME",
            "SLURM_JOB_ID",
            "HOME",
        )
    ),
    *(
        ("variables", changed(variables=(("A", value),)))
        for value in ("\0", "\ud800", "x" * 4097)
    ),
    ("variables", changed(variables=(("A", "1"), ("A", "2")))),
    ("variables", changed(variables=tuple((f"A{n}", "") for n in range(101)))),
    *(("command", changed(command=c)) for c in ("\0", "a\x1b[2J", "x" * 8193)),
    *(("memo", changed(memo=m)) for m in ("\0", "\u202ex", "x" * 1001)),
]


@pytest.mark.parametrize(("field_", "choices"), REFUSED)
async def test_what_breaks_a_rule_is_refused_by_the_fields_name(
    lab: Lab, field_: str, choices: Choices
) -> None:
    with pytest.raises(InvalidInput, match=f"^{field_}: "):
        await lab.service.create(MIA, choices)
    assert lab.fake.store.notebooks == {}


@pytest.mark.parametrize(
    "choices",
    [
        CHOICES,
        changed(name="0-" + "a" * 28),
        changed(lifetime_s=None, tenant="nlp"),
        changed(repository=Repository("git@git.example.org:a/b.git", "v1.0/x")),
        changed(repository=Repository("ssh://git@git.example.org:22/a/b", "a1b2c3")),
        changed(variables=(("A", "x\ny='\"$(z)"), (".b-c", ""))),
        changed(command="cd x\n\tpip install 'a b' && echo \"ü\"", memo="日本語\nzwei"),
    ],
)
async def test_what_keeps_the_rules_is_kept_as_it_is(
    lab: Lab, choices: Choices
) -> None:
    made = await lab.service.create(MIA, choices)
    assert made.choices == choices
    assert lab.fake.hub.asked == [], "nothing starts"


async def test_with_a_preset_queue_and_size_are_the_operators(lab: Lab) -> None:
    odd = changed(preset="free-4h", queue="a100", shape=Shape(64), lifetime_s=None)
    made = await lab.service.create(MIA, odd)
    assert made.choices.queue == "jupyter"
    assert made.choices.shape == Shape(2, 8192)
    await lab.service.start(MIA, made.id)
    assert lab.fake.hub.asked == [("start", "mia", "nb-1", "preset:free-4h")]


async def test_there_are_never_more_than_a_person_may_have(lab: Lab) -> None:
    lab.fake.rules = replace(lab.fake.rules, most_per_person=1)
    lab.__post_init__()
    await lab.service.create(MIA, CHOICES)
    with pytest.raises(Conflict, match="as many notebooks as one may have: 1"):
        await lab.service.create(MIA, changed(name="two"))


async def test_a_start_stores_the_wish_and_asks_the_hub(lab: Lab) -> None:
    made = await lab.service.create(MIA, CHOICES)
    view = await lab.service.start(MIA, made.id)
    [session] = lab.fake.sessions.live("mia")
    assert view.notebook.session == session
    assert view.status == "waiting"
    assert len(session.key) == 26
    assert session.key.isalnum()
    assert lab.fake.hub.asked == [("start", "mia", "nb-1", "notebook")]


async def test_ten_starts_at_once_make_one_session(lab: Lab) -> None:
    made = await lab.service.create(MIA, CHOICES)
    views = await asyncio.gather(*(lab.service.start(MIA, made.id) for _ in range(10)))
    assert len({view.notebook.session for view in views}) == 1
    assert len(lab.fake.store.all_sessions) == 1


async def test_a_hub_that_cannot_have_heard_leaves_no_wish(lab: Lab) -> None:
    made = await lab.service.create(MIA, CHOICES)
    lab.fake.hub.down = SILENT
    with pytest.raises(HubUnavailable):
        await lab.service.start(MIA, made.id)
    [session] = lab.fake.store.sessions(made.id)
    assert (session.cause, session.detail) == (Cause.FAILED, SILENT.message)
    lab.fake.hub.down = None
    assert (await lab.service.start(MIA, made.id)).notebook.is_live


async def test_a_hub_that_may_have_heard_keeps_the_wish(lab: Lab) -> None:
    made = await lab.service.create(MIA, CHOICES)
    lab.fake.hub.down = LATE
    assert (await lab.service.start(MIA, made.id)).notebook.is_live


@pytest.mark.parametrize(
    "choices",
    [
        changed(queue="jupyter", shape=Shape(999)),
        changed(queue="jupyter", lifetime_s=99 * 3600),
        changed(tenant="nlp"),
    ],
)
async def test_what_could_never_start_is_refused_before_anything_is_sent(
    lab: Lab, choices: Choices
) -> None:
    made = await lab.service.create(MIA, choices)
    assert (await lab.service.check("mia", choices)).objections
    with pytest.raises(InvalidInput, match="cannot start"):
        await lab.service.start(MIA, made.id)
    assert lab.fake.hub.asked == []
    assert lab.fake.store.all_sessions == {}


async def test_without_a_picture_of_the_cluster_nothing_starts() -> None:
    lab = Lab()
    lab.queues.store = FakeSnapshotStore()
    lab.__post_init__()
    made = await lab.service.create(MIA, CHOICES)
    with pytest.raises(ClusterUnreachable, match="not been looked at"):
        await lab.service.start(MIA, made.id)


CALLS: list[Callable[[Notebooks], object]] = [
    lambda s: s.one("eve", 1),
    lambda s: s.sessions("eve", 1),
    lambda s: s.change(EVE, 1, CHOICES, 1e12),
    lambda s: s.copy(EVE, 1),
    lambda s: s.set_favourite(EVE, 1, True),
    lambda s: s.delete(EVE, 1),
    lambda s: s.start(EVE, 1),
    lambda s: s.rerun(EVE, 1, CHOICES, 1e12),
    lambda s: s.stop(EVE, 1),
    lambda s: s.open("eve", 1),
]


@pytest.mark.parametrize("number", range(len(CALLS)))
async def test_somebody_elses_notebook_is_not_there(lab: Lab, number: int) -> None:
    await lab.service.create(MIA, CHOICES)
    before = dict(lab.fake.store.notebooks)
    with pytest.raises(NotFound, match="no such notebook"):
        await CALLS[number](lab.service)  # type: ignore[misc]  # each is a coroutine
    assert lab.fake.store.notebooks == before
    assert lab.fake.hub.asked == []


async def test_a_stop_is_noted_even_if_the_hub_is_silent(lab: Lab) -> None:
    made = await lab.service.create(MIA, CHOICES)
    await lab.service.start(MIA, made.id)
    lab.fake.hub.down = SILENT
    view = await lab.service.stop(MIA, made.id)
    assert view.status == "stopping"
    lab.fake.hub.down = None
    with pytest.raises(Conflict, match="being stopped"):
        await lab.service.start(MIA, made.id)


async def test_stopping_what_does_not_run_is_no_error(lab: Lab) -> None:
    made = await lab.service.create(MIA, CHOICES)
    assert (await lab.service.stop(MIA, made.id)).status == "new"


async def test_logging_out_can_stop_all_of_ones_own(lab: Lab) -> None:
    for name in ("one", "two"):
        made = await lab.service.create(MIA, changed(name=name))
        await lab.service.start(MIA, made.id)
    other = await lab.service.create(EVE, CHOICES)
    await lab.service.start(EVE, other.id)
    assert len(await lab.service.live("mia")) == 2
    assert await lab.service.stop_all(MIA) == 2
    assert [one.stopping for one in lab.fake.sessions.live("eve")] == [None]


async def test_a_rerun_changes_and_starts_but_never_what_runs(lab: Lab) -> None:
    made = await lab.service.create(MIA, CHOICES)
    wanted = changed(shape=Shape(1, 1024))
    view = await lab.service.rerun(MIA, made.id, wanted, made.changed_at)
    assert view.choices == wanted
    with pytest.raises(Conflict, match="Stop it first"):
        await lab.service.rerun(MIA, made.id, wanted, 1e12)


async def test_a_copy_has_a_free_name(lab: Lab) -> None:
    made = await lab.service.create(MIA, changed(name="a" * 30))
    names = [(await lab.service.copy(MIA, made.id)).choices.name for _ in range(2)]
    assert names == ["a" * 28 + "-2", "a" * 28 + "-3"]


async def test_what_runs_is_opened_with_a_token_for_it_alone(lab: Lab) -> None:
    lab.fake.furnish("mia")
    opening = await lab.service.open("mia", 2)
    assert opening.path == "user/mia/nb-2/lab"
    assert lab.fake.hub.asked == [("token", "mia", "nb-2", "600")]
    with pytest.raises(Conflict, match="not ready"):
        await lab.service.open("mia", 1)


async def test_the_agent_is_started_and_opened(lab: Lab) -> None:
    opening = await lab.service.agent("mia")
    assert opening.path == "user/mia/agent/"
    assert lab.fake.hub.asked[0] == ("start", "mia", "agent", "agent")


async def test_a_deleted_notebook_is_forgotten_by_the_hub_too(lab: Lab) -> None:
    lab.fake.furnish("mia")
    await lab.service.delete(MIA, 1)
    assert lab.fake.hub.asked == [("forget", "mia", "nb-1")]
    with pytest.raises(Conflict):
        await lab.service.delete(MIA, 2)


async def test_each_act_is_audited(lab: Lab) -> None:
    made = await lab.service.create(MIA, CHOICES)
    await lab.service.start(MIA, made.id)
    await lab.service.stop(MIA, made.id)
    events = lab.fake.audit.events
    assert [(one.actor, one.action, one.target) for one in events] == [
        ("mia", "notebook-created", "nb-1"),
        ("mia", "notebook-started", "nb-1"),
        ("mia", "notebook-stopped", "nb-1"),
    ]


async def test_a_preset_that_was_taken_away_starts_nothing_new_but_ends_nothing(
    lab: Lab,
) -> None:
    made = await lab.service.create(MIA, changed(preset="free-4h"))
    began = await lab.service.start(MIA, made.id)
    without = replace(lab.service, rules=replace(lab.fake.rules, presets=()))
    again = await without.start(MIA, made.id)
    assert again.notebook.session == began.notebook.session
    assert again.choices.queue == "jupyter"
    assert lab.fake.hub.asked[-1] == ("start", "mia", "nb-1", "preset:free-4h")
    await without.stop(MIA, made.id)
    session = lab.fake.sessions.live()[0]
    lab.fake.sessions.ended(session.id, SessionEnd(1e9, Cause.STOPPED))
    with pytest.raises(InvalidInput, match="no ready-made choice"):
        await without.start(MIA, made.id)
    assert lab.fake.sessions.live() == ()
