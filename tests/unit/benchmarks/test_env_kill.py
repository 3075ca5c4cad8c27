"""What ./bench env_kill says of what it found."""

from benchmarks.env_kill import Trial, judge


def trial(*, half: bool = False, completed: bool = True) -> Trial:
    return Trial(1.0, was_killed=True, is_half=half, rerun_s=2.0, completed=completed)


def test_one_half_environment_of_ours_misses_the_goal() -> None:
    found = {"create": [trial()], "reset": [trial(half=True)], "peer": [trial()]}
    result = judge(found, 1.0, [], 31)
    met = {one.name: one.met for one in result.goals}
    assert not met["half environments found"]
    assert met["reruns that completed, of all"]


def test_none_of_ours_beside_many_of_the_peer_is_told_as_times() -> None:
    peer = [trial(half=True)] * 17 + [trial()] * 3
    found = {"create": [trial()] * 20, "reset": [trial()] * 20, "peer": peer}
    result = judge(found, 4.2, [], 31)
    assert (result.ratio, result.floor_ratio) == (18.0, 1.0)
    assert all(one.met for one in result.goals)


def test_rerun_that_failed_or_litter_misses_a_goal() -> None:
    bad = trial(completed=False)
    found = {"create": [bad], "reset": [trial()], "peer": [trial()]}
    result = judge(found, 1.0, ["notebook.0123"], 31)
    assert [one.met for one in result.goals] == [True, False, False]
