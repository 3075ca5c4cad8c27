"""Queues as one person sees them: free, allowed, and what could never start."""

from dataclasses import replace

import pytest

from kqi_hub.domain.amounts import Amounts, job_gpus, memory_mb
from kqi_hub.domain.cluster import Association
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.objections import cautions, objections, taken_by
from kqi_hub.domain.queues import Queue, QueueRules, Scene, queue_for, survey
from tests.fakes.queues import HOUR, RULES, job, node, partition, reading

NOW = 1_800_000_000.0


def association(account: str, user: str = "", **about: object) -> Association:
    plain = Association(
        account, user, "", "root", ("normal",), "normal", (), (), (), None, None, None
    )
    return replace(plain, **about)  # type: ignore[arg-type]  # names are the caller's


MEMBER = (association("vision"), association("vision", "mia"))


def scene(*associations: Association) -> Scene:
    seen = reading(NOW)
    return survey(seen.nodes, seen.partitions, seen.jobs, associations or MEMBER)


def queue(name: str, *associations: Association, person: str = "mia") -> Queue:
    found = queue_for(scene(*associations), name, person, "vision", RULES)
    assert found is not None
    return found


def words(found: object) -> str:
    assert isinstance(found, tuple)
    return " ".join(map(str, found))


def test_nodes_are_counted_by_what_they_do_and_only_open_ones_are_free() -> None:
    seen = queue("cpu")
    counts = seen.supply.counts
    assert (counts.idle, counts.mixed, counts.allocated, counts.down) == (0, 1, 0, 1)
    assert counts.total == 2
    assert seen.supply.free.cpus == 48
    assert seen.supply.total.cpus == 128


def test_on_an_exclusive_queue_only_empty_nodes_are_free() -> None:
    nodes = [
        node("a", "x", 10, gpus=("v100", 4), used=(1, 0, 0)),
        node("b", "x", 20, gpus=("v100", 2)),
    ]
    for is_exclusive, cpus, gpus in ((True, 20, 2), (False, 29, 6)):
        seen = survey(nodes, [partition("x", nodes, exclusive=is_exclusive)], [], ())
        free = seen.supplies["x"].free
        assert (free.cpus, free.gpu_total) == (cpus, gpus)


@pytest.mark.parametrize(
    ("state", "flags", "counted"),
    [
        ("idle", ("DRAIN",), "down"),
        ("mixed", ("NOT_RESPONDING",), "down"),
        ("idle", ("RESERVED",), "down"),
        ("down", (), "down"),
        ("idle", ("PLANNED",), "idle"),
        ("idle", ("POWERED_DOWN",), "idle"),
        ("allocated", (), "allocated"),
        ("somethingnew", (), "idle"),
    ],
)
def test_a_node_counts_once_whatever_its_flags(
    state: str, flags: tuple[str, ...], counted: str
) -> None:
    nodes = [node("a", "x", state=state, flags=flags)]
    counts = survey(nodes, [partition("x", nodes)], [], ()).supplies["x"].counts
    assert getattr(counts, counted) == 1
    assert counts.total == 1


def test_waiting_jobs_are_mine_or_others_in_every_queue_they_stand_in() -> None:
    seen = queue("a100")
    assert (seen.mine_waiting, seen.others_waiting) == (1, 1)
    nodes = [node("a", "x,y")]
    both = [partition("x", nodes), partition("y", nodes)]
    jobs = [job(1, "mia", "x,y", "PENDING"), job(2, "max", "y", "PENDING")]
    found = survey(nodes, both, jobs, MEMBER)
    for name, mine, others in (("x", 1, 0), ("y", 1, 1)):
        one = queue_for(found, name, "mia", "vision", {})
        assert one is not None
        assert (one.mine_waiting, one.others_waiting) == (mine, others)


def test_there_is_no_queue_of_another_name() -> None:
    for name in ("", "nope", "cpu ", "CPU", "../cpu"):
        assert queue_for(scene(), name, "mia", "vision", {}) is None


@pytest.mark.parametrize(
    ("about", "associations", "part"),
    [
        ({}, (association("vision"),), "no association"),
        ({"allow_accounts": ("nlp",)}, MEMBER, "not open to tenant vision"),
        ({"deny_accounts": ("vision",)}, MEMBER, "not open to tenant vision"),
        ({"allow_qos": ("high",)}, MEMBER, "only jobs of QOS high; yours have normal"),
        ({"allow_accounts": ("vision",)}, MEMBER, ""),
        ({"allow_qos": ("normal",)}, MEMBER, ""),
        ({"allow_accounts": ()}, MEMBER, "not open"),
    ],
)
def test_who_may_not_use_a_queue_is_told_why(
    about: dict[str, object], associations: tuple[Association, ...], part: str
) -> None:
    nodes = [node("a", "x")]
    found = survey(nodes, [partition("x", nodes, **about)], [], associations)
    seen = queue_for(found, "x", "mia", "vision", {})
    assert seen is not None
    assert part in str(seen.obstacle or "")
    assert (seen.obstacle is None) == (part == "")
    assert bool(objections(seen, Shape(), None)) == bool(part)


def test_a_queue_open_to_the_account_above_is_open_to_the_tenant() -> None:
    nodes = [node("a", "x")]
    tree = (
        association("science"),
        association("vision", parent="science"),
        association("vision", "mia"),
    )
    found = survey(
        nodes, [partition("x", nodes, allow_accounts=("science",))], [], tree
    )
    seen = queue_for(found, "x", "mia", "vision", {})
    assert seen is not None
    assert seen.obstacle is None


def test_an_association_for_one_queue_outranks_the_one_for_all() -> None:
    special = association("vision", "mia", partition="cpu", max_time_s=HOUR)
    assert queue("cpu", *MEMBER, special).max_time_s == HOUR
    assert queue("v100", *MEMBER, special).max_time_s == 7 * 24 * HOUR


FITS_CPU = Shape(64, 256_000)


@pytest.mark.parametrize(
    ("name", "shape", "lifetime_s", "part"),
    [
        # Everything that there is may be asked for: compare with >, never with >=.
        ("cpu", FITS_CPU, 7 * 24 * HOUR, ""),
        ("cpu", Shape(65, 1), None, "has 64 CPUs; this asks for 65 CPUs"),
        ("cpu", Shape(1, 256_001), None, "250 GB of memory"),
        ("cpu", Shape(1, 1, 1), None, "has 0 GPUs; this asks for 1 GPU"),
        ("cpu", FITS_CPU, 7 * 24 * HOUR + 1, "may last 168 h at most"),
        ("a100", Shape(64, 1_024_000, 8), None, ""),
        ("a100", Shape(1, 1, 9), None, "has 8 GPUs; this asks for 9 GPUs"),
        ("a100", Shape(1, 1, 1, "v100"), None, "0 GPUs of type v100"),
        ("a100", Shape(1, 1, 8, "a100"), None, ""),
        ("jupyter", Shape(4, 1), 8 * HOUR, ""),
        ("jupyter", Shape(5, 1), None, "gives one job at most 4 CPUs"),
        ("jupyter", Shape(1, 1, 1), None, "gives one job at most 0 GPUs"),
        ("cpu", Shape(10**9, 10**12, 10**6, "x" * 40), None, "64 CPUs"),
    ],
)
def test_what_could_never_start_is_told_before(
    name: str, shape: Shape, lifetime_s: int | None, part: str
) -> None:
    found = objections(queue(name), shape, lifetime_s)
    assert part in words(found)
    assert bool(found) == bool(part)


def test_all_at_once_must_be_on_one_node() -> None:
    nodes = [node("fat", "x", 8, 1_000_000), node("many", "x", 64, 64_000)]
    found = survey(nodes, [partition("x", nodes)], [], MEMBER)
    seen = queue_for(found, "x", "mia", "vision", {})
    assert seen is not None
    assert "No single node" in words(objections(seen, Shape(64, 1_000_000), None))
    assert objections(seen, Shape(8, 1_000_000), None) == ()


def limited(**about: object) -> tuple[Association, ...]:
    head = replace(association("vision"), **about)  # type: ignore[arg-type]  # as above
    return (head, association("vision", "mia"))


@pytest.mark.parametrize(
    ("associations", "name", "shape", "part"),
    [
        (limited(grp_tres=(("gres/gpu", 4),)), "v100", Shape(1, 1, 1), ""),
        # The whole node is taken, so all of its GPUs count.
        (limited(grp_tres=(("gres/gpu", 3),)), "v100", Shape(1, 1, 1), "takes 4 GPUs"),
        (limited(grp_tres=(("gres/gpu:v100", 3),)), "v100", Shape(1, 1), "type v100"),
        (limited(grp_tres=(("cpu", 39),)), "v100", Shape(1, 1), "takes 40 CPUs"),
        (limited(grp_tres=(("cpu", 40),)), "v100", Shape(1, 1), ""),
        (limited(grp_tres=(("mem", 1023),)), "cpu", Shape(1, 1024), "1 GB of memory"),
        (limited(grp_tres=(("mem", 1024),)), "cpu", Shape(1, 1024), ""),
        (limited(max_tres_per_job=(("cpu", 2),)), "cpu", Shape(3, 1), "one job"),
        (limited(max_tres_per_job=(("cpu", 3),)), "cpu", Shape(3, 1), ""),
        (limited(grp_tres=(("license/x", 0),)), "cpu", Shape(1, 1), ""),
        (limited(max_submit=3), "cpu", Shape(1, 1), "takes at most 3"),
        (limited(max_submit=5), "cpu", Shape(1, 1), ""),
        (limited(max_time_s=HOUR), "cpu", Shape(1, 1), "may last 1 h"),
    ],
)
def test_limits_of_the_tenant_are_told_before(
    associations: tuple[Association, ...], name: str, shape: Shape, part: str
) -> None:
    found = objections(queue(name, *associations), shape, 2 * HOUR)
    assert part in words(found)
    assert bool(found) == bool(part)


def test_what_others_of_the_tenant_take_is_a_caution_and_no_objection() -> None:
    seen = queue("v100", *limited(grp_tres=(("gres/gpu", 7),)))
    assert objections(seen, Shape(1, 1, 1), None) == ()
    assert "still free: 3" in words(cautions(seen, Shape(1, 1, 1)))
    free = queue("v100", *limited(grp_tres=(("gres/gpu", 8),)))
    assert cautions(free, Shape(1, 1, 1)) == ()


def test_use_below_an_account_counts_for_those_above_it() -> None:
    tree = (
        association("science", grp_tres=(("cpu", 100),)),
        association("vision", parent="science"),
        association("vision", "mia"),
    )
    [limit] = queue("cpu", *tree).allowance.limits
    assert (limit.account, limit.used, limit.left) == ("science", 64, 36)


@pytest.mark.parametrize(
    ("state", "is_refused", "waits"),
    [("UP", False, False), ("DRAIN", True, False), ("DOWN", False, True),
     ("INACTIVE", False, True)],
)  # fmt: skip
def test_a_closed_queue_refuses_or_lets_wait(
    state: str, is_refused: bool, waits: bool
) -> None:
    nodes = [node("a", "x")]
    found = survey(nodes, [partition("x", nodes, state=state)], [], MEMBER)
    seen = queue_for(found, "x", "mia", "vision", {})
    assert seen is not None
    assert bool(objections(seen, Shape(), None)) == is_refused
    assert bool(cautions(seen, Shape())) == waits


def test_nodes_out_of_service_are_a_caution() -> None:
    assert "out of service" not in words(cautions(queue("cpu"), Shape()))
    nodes = [node("a", "x", state="down")]
    found = survey(nodes, [partition("x", nodes)], [], MEMBER)
    seen = queue_for(found, "x", "mia", "vision", {})
    assert seen is not None
    assert "out of service" in words(cautions(seen, Shape()))
    empty = survey([], [partition("x", [])], [], MEMBER)
    none = queue_for(empty, "x", "mia", "vision", {})
    assert none is not None
    assert "has no nodes" in words(objections(none, Shape(), None))


def test_the_largest_job_is_bounded_by_nodes_and_by_the_site() -> None:
    assert queue("a100").largest == Amounts(64, 1_024_000, {"a100": 8}, 1)
    assert queue("jupyter").largest == Amounts(4, 192_000, {"v100": 0}, 1)


def test_places_are_those_of_nodes_in_service() -> None:
    assert queue("jupyter").places == (18, 20)
    assert queue("cpu").places is None


def test_gpus_are_shared_where_the_site_or_slurm_says_so() -> None:
    assert queue("jupyter").shares_gpus
    assert not queue("v100").shares_gpus
    nodes = [node("a", "x")]
    found = survey(nodes, [partition("x", nodes, shared=True)], [], ())
    seen = queue_for(found, "x", "mia", None, {"x": QueueRules("x")})
    assert seen is not None
    assert seen.shares_gpus


def test_an_exclusive_job_takes_the_whole_node_but_its_own_memory() -> None:
    assert taken_by(queue("v100"), Shape(1, 10, 1)) == Amounts(40, 10, {"v100": 4}, 1)
    assert taken_by(queue("cpu"), Shape(1, 10)) == Amounts(1, 10, {}, 1)


@pytest.mark.parametrize(
    ("text", "megabytes"),
    [("62.50G", 64_000), ("4G", 4096), ("4000M", 4000), ("1.5T", 1_572_864),
     ("", 0), ("-1G", 0), ("9" * 30, 0), ("4G\n", 0), ("\uff14G", 0), ("1e9", 0)],
)  # fmt: skip
def test_memory_is_read_and_nonsense_is_nothing(text: str, megabytes: int) -> None:
    assert memory_mb(text) == megabytes


@pytest.mark.parametrize(
    ("gres", "counts"),
    [("gpu:v100:2,shard:1", {"v100": 2}), ("gpu:3", {"": 3}), ("", {}),
     ("gpu:a:1,gpu:b:2,gpu:a:1", {"a": 2, "b": 2}), ("gpu:;rm -rf", {}),
     ("gpu:v100:99999999999", {})],
)  # fmt: skip
def test_gpus_of_a_job_are_read_and_nonsense_is_nothing(
    gres: str, counts: dict[str, int]
) -> None:
    assert job_gpus(gres) == counts
