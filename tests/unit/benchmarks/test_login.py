"""./bench login: codes that are never used twice, rounds, and the verdict."""

import time
from collections.abc import Mapping
from pathlib import Path

import pyotp
import pytest

from benchmarks import login_client, login_peer
from benchmarks.login import judge
from benchmarks.login_client import Codes, Round, run_round, told
from benchmarks.login_people import FIRST_UID, entries, make_people

PEOPLE = make_people(5)


class Clock:
    """The time that codes are made for."""

    def __init__(self, now: float) -> None:
        self.now = now

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(1_800_000_000.0)  # a step begins
    monkeypatch.setattr(login_client, "time", clock)
    return clock


def test_people_differ_in_everything_and_are_no_system_users() -> None:
    told = [{one.name, one.password, one.code_secret} for one in PEOPLE]
    assert len(set.union(*told)) == 3 * len(PEOPLE)
    assert [one.uid for one in PEOPLE] == [FIRST_UID + n for n in range(5)]


def test_everybody_gets_an_entry_and_a_place_in_the_group() -> None:
    text = entries(PEOPLE)
    assert text.count("changetype: add\n") == 5
    assert text.count("\nmemberUid: bench") == 5
    assert all(f"userPassword: {one.password}\n" in text for one in PEOPLE)


def test_a_code_is_never_used_twice_and_always_one_that_is_accepted(
    clock: Clock,
) -> None:
    [person, *_], codes, seen = PEOPLE, Codes(), []
    for _ in range(100):
        clock.now += 5
        while codes.has_one(person):
            code = codes.fresh(person)
            totp = pyotp.TOTP(person.code_secret)
            assert totp.verify(code, for_time=int(clock.now), valid_window=1)
            seen.append(codes.used[person.name])
    assert seen == sorted(set(seen))
    assert len(seen) == pytest.approx(500 / 30, abs=3)


def test_a_code_that_would_be_late_on_arrival_is_left_out(clock: Clock) -> None:
    clock.now += 27
    codes, step = Codes(), int(clock.now // 30)
    codes.fresh(PEOPLE[0])
    assert codes.used[PEOPLE[0].name] == step


def test_a_round_serves_each_person_once_over_all_clients() -> None:
    served: list[str] = []
    ways = [lambda one: served.append(one.name)] * 3
    done = run_round(ways, PEOPLE, for_s=10)
    assert sorted(served) == [one.name for one in PEOPLE]
    assert len(done.logins_ms) == 5


def test_a_round_ends_when_its_time_is_up() -> None:
    done = run_round([lambda one: time.sleep(0.02)], PEOPLE * 1000, for_s=0.1)
    assert 1 <= len(done.logins_ms) < 20


def test_a_login_that_fails_ends_the_benchmark() -> None:
    def fail(_: object) -> None:
        raise login_client.NotLoggedIn("bench0000: 403")

    with pytest.raises(login_client.NotLoggedIn):
        run_round([fail], PEOPLE, for_s=1)


def test_figures_are_the_median_round_and_every_logins_time() -> None:
    rounds = [
        Round(1.0, (1.0,) * 50),
        Round(1.0, (2.0,) * 10),
        Round(1.0, (9.0,) * 40),
    ]
    figures = told(rounds)
    assert (figures["per_s"], figures["p50_ms"]) == (40, 1.5)
    assert (figures["p99_ms"], figures["logins"]) == (9.0, 100)


def figures(ours: float, peer: float) -> Mapping[str, Mapping[str, float]]:
    def of(per_s: float) -> Mapping[str, float]:
        return {"per_s": per_s, "p50_ms": 1.0, "p99_ms": 1000 / per_s, "logins": 9}

    ways = {"ours": ours, "peer, template": peer, "peer, lookup": 1, "bare bind": 500}
    return {
        f"{way}, {clients} at once": of(per_s)
        for way, per_s in ways.items()
        for clients in (1, 8)
    }


@pytest.mark.parametrize(("ours", "met"), [(50.0, True), (20.0, True), (10.0, False)])
def test_ours_is_held_to_the_peers_quicker_way(ours: float, met: bool) -> None:
    result = judge(figures(ours=ours, peer=20.0), {})
    assert [goal.met for goal in result.goals] == [met] * 4
    assert result.ratio == pytest.approx(ours / 20, abs=0.05)
    assert result.floor_ratio == pytest.approx(500 / ours, rel=0.05)


@pytest.mark.parametrize("way", list(login_peer.WAYS))
def test_the_peer_verifies_tls_and_asks_for_the_group_as_ours_does(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = tmp_path / "password"
    password.write_text("service-word\n")
    monkeypatch.setattr(login_peer, "SERVICE_PASSWORD_FILE", password)
    ports = {"proxy": 1, "hub": 2, "api": 3}
    text = login_peer.configuration(way, ports, ldaps=4)
    compile(text, "jupyterhub_config.py", "exec")
    assert '"validate": 2' in text
    assert 'allowed_groups = ["cn=kqi-users,' in text
    assert ("service-word" in text) is (way == "lookup")
