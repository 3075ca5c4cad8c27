"""Others on the node are counted; names are for those alone who may see them."""

from dataclasses import replace

import pytest

from kqi_hub.domain.cluster import Freshness
from kqi_hub.domain.job import Job
from kqi_hub.domain.notebooks import Phase, Session
from kqi_hub.domain.people import Membership, Role, Standing
from kqi_hub.domain.queues import survey
from kqi_hub.services.board import Picture
from kqi_hub.services.notebook_neighbours import Neighbours, neighbours_of
from tests.fakes.notebooks import CHOICES, FakeNotebooks
from tests.fakes.queues import RULES, job, reading

NOW = 1_795_000_000.0
MIA = Standing("mia", (Membership("vision", Role.MEMBER),))
MAX = Standing("mia", (Membership("vision", Role.MANAGER),))
RITA = Standing("mia", (), is_operator=True)


def session() -> Session:
    fake = FakeNotebooks()
    made = fake.store.create("mia", CHOICES, NOW)
    asked = fake.sessions.ask(made.id, CHOICES, "key", NOW)
    fake.sessions.submitted(asked.id, 48_001, NOW)
    return fake.sessions.reached(asked.id, Phase.NODE, NOW)


def picture(own: Session, *others: Job, node: str = "jup01") -> Picture:
    seen = reading(NOW)
    mine = job(48_001, "mia", "jupyter", "RUNNING", node_list=node)
    jobs = (*seen.jobs, replace(mine, name=own.job_name), *others)
    scene = survey(seen.nodes, seen.partitions, jobs, ())
    fresh = Freshness(1, NOW, NOW)
    return Picture(fresh, jobs=jobs, scene=scene)


def found(who: Standing, *others: Job, node: str = "jup01") -> Neighbours | None:
    own = session()
    return neighbours_of(own, picture(own, *others, node=node), RULES, who)


@pytest.mark.parametrize(
    ("who", "people"),
    [
        (MIA, ()),
        (MAX, (("max", 1),)),
        (RITA, (("mallory", 1), ("max", 1))),
        (Standing("mia", (Membership("nlp", Role.MANAGER),)), (("mallory", 1),)),
        (Standing("mia", (Membership("vision", Role.VIEWER),)), ()),
    ],
)
def test_names_are_for_managers_of_the_tenant_and_operators(
    who: Standing, people: tuple[tuple[str, int], ...]
) -> None:
    stranger = job(7, "mallory", "jupyter", "RUNNING", account="nlp", node_list="jup01")
    beside = found(who, stranger)
    assert beside is not None
    assert beside.people == people
    assert (beside.jobs, beside.mine, beside.with_gpus) == (3, 1, 2)
    assert beside.shares_gpus


def test_alone_on_a_node_nobody_is_told_of() -> None:
    assert found(RITA, node="jup02") is None


def test_a_job_on_several_nodes_is_beside_it_too() -> None:
    wide = job(7, "max", "jupyter", "RUNNING", node_list="jup[01-02]")
    beside = found(MIA, wide, node="jup02")
    assert beside is not None
    assert (beside.node, beside.jobs) == ("jup02", 1)


@pytest.mark.parametrize("node", ["", "nowhere", "a[", "jup01\n"])
def test_a_node_that_is_not_known_has_no_neighbours(node: str) -> None:
    assert found(RITA, node=node) is None


def test_without_a_job_there_is_nobody_beside_it() -> None:
    own = session()
    assert neighbours_of(None, picture(own), RULES, RITA) is None
    assert neighbours_of(replace(own, ended_at=NOW), picture(own), RULES, RITA) is None
    assert neighbours_of(replace(own, job_id=None), picture(own), RULES, RITA) is None
