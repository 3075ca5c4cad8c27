"""POST /hub/api/kqi/login: who gets a token, and that all others learn nothing."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cluster.login_lab import (
    API,
    ONE_ANSWER,
    Door,
    LoginLab,
    at_once,
    login_lab,
)
from tests.cluster.stack import Stack

READ, WRITE = "custom:kqi:read", "custom:kqi:write"
# A failed login takes this long, or a multiple of it (the setting failure_time_s).
FAILURE_S = 1.0


@pytest.fixture
def lab(stack: Stack) -> Iterator[LoginLab]:
    with login_lab(stack) as lab:
        yield lab


def test_the_right_password_and_code_give_a_token_that_works(lab: LoginLab) -> None:
    reply = lab.log_in("alice")
    assert (reply.body["name"], reply.body["scopes"]) == ("alice", [WRITE])
    assert reply.body["recovery_codes_left"] == 10
    assert "set-cookie" not in reply.headers
    assert reply.headers["cache-control"] == "no-store"
    me = lab.door().ask(f"{API}whoami", reply.body["token"])
    assert (me.status_code, me.json()["name"]) == (200, "alice")
    assert set(me.json()["scopes"]) == {READ, WRITE}


@pytest.mark.parametrize(
    ("name", "roles", "is_operator"),
    [
        ("alice", {"vision": "member", "nlp": "member"}, False),
        ("bob", {"nlp": "manager"}, False),
        ("carol", {"vision": "member"}, True),
        ("dave", {"vision": "member"}, False),
    ],
)
def test_everybody_has_the_roles_that_directory_and_slurm_give(
    lab: LoginLab, name: str, roles: Mapping[str, str], is_operator: bool
) -> None:
    token = lab.log_in(name).body["token"]
    me = lab.door().ask(f"{API}whoami", token).json()
    assert {one["name"]: one["role"] for one in me["tenants"]} == roles
    assert me["is_operator"] is is_operator


def refused(lab: LoginLab) -> dict[str, tuple[str, str, str]]:
    """Return logins that must all look the same, by what is written down of them."""
    bob, erin = lab.fresh_device("bob"), lab.fresh_device("erin")
    password, erins = lab.password["bob"], lab.password["erin"]
    return {
        "password: wrong": ("bob", "not " + password, bob.code()),
        "password: wrong, without any": ("bob", "", bob.code()),
        "password: unknown": ("nobody-of-this-name", password, bob.code()),
        "password: unknown, no name": ("", password, bob.code()),
        "password: unknown, root": ("root", password, bob.code()),
        "password: expired": ("erin", erins, erin.code()),
        "code: wrong": ("bob", password, bob.wrong_code()),
        "code: wrong, of another kind": ("bob", password, "ABCDE-FGHIJ"),
        "code: missing": ("bob", password, ""),
    }


def test_every_refusal_is_the_same_answer_in_the_same_time(lab: LoginLab) -> None:
    logins, off_s = refused(lab), dict[str, float]()
    first = lab.door().log_in(*logins["password: wrong"])
    assert (first.status, first.body["detail"]) == (403, ONE_ANSWER)
    # Other programs of this machine make an answer late now and then, not each time.
    for _ in range(3):
        lab.forget_failures()
        for wrong, said in logins.items():
            reply = lab.door().log_in(*said)
            assert (reply.status, reply.body) == (403, first.body), wrong
            assert reply.lasting_headers == first.lasting_headers, wrong
            off_s[wrong] = min(off_s.get(wrong, 1.0), off_the_second(reply.took_s))
        if max(off_s.values()) < 0.25:
            break
    assert max(off_s.values()) < 0.25, off_s


def off_the_second(took_s: float) -> float:
    """Return how far from the next multiple of FAILURE_S an answer came."""
    multiple = max(1, round(took_s / FAILURE_S)) * FAILURE_S
    return abs(took_s - multiple)


def test_a_refusal_is_written_down_with_its_reason(lab: LoginLab) -> None:
    for expected, said in refused(lab).items():
        began = time.time()
        lab.door().log_in(*said)
        [event] = lab.audited(began, action="login")
        assert event.detail["reason"] == expected.partition(",")[0]
        assert event.outcome == "refused"
        assert said[1] not in str(event) or not said[1]


def test_a_code_works_once(lab: LoginLab) -> None:
    device, password, door = (
        lab.fresh_device("alice"),
        lab.password["alice"],
        lab.door(),
    )
    code, later = device.code(), device.code(steps_ahead=1)
    assert door.log_in("alice", password, code).status == 201
    assert door.log_in("alice", password, code).status == 403
    assert door.log_in("alice", password, later).status == 201
    # An earlier one, although nobody has used it: the last step only goes up.
    earlier = device.code(steps_ahead=-1)
    assert door.log_in("alice", password, earlier).status == 403


@pytest.mark.parametrize("steps_ahead", [-3, 3])
def test_a_code_of_another_time_is_refused(lab: LoginLab, steps_ahead: int) -> None:
    code = lab.fresh_device("alice").code(steps_ahead)
    assert lab.door().log_in("alice", lab.password["alice"], code).status == 403


@pytest.mark.parametrize("written", ["{} {}", "{}-{}", " {}{} "])
def test_a_code_may_be_written_in_groups(lab: LoginLab, written: str) -> None:
    code = lab.fresh_device("alice").code()
    typed = written.format(code[:3], code[3:])
    assert lab.door().log_in("alice", lab.password["alice"], typed).status == 201


@pytest.mark.parametrize("places", [1, 50])
def test_a_code_sent_fifty_times_at_once_is_accepted_once(
    lab: LoginLab, places: int
) -> None:
    code = lab.fresh_device("alice").code()
    said = {"name": "alice", "password": lab.password["alice"], "code": code}
    doors = [lab.door() for _ in range(places)] * (50 // places)
    statuses = [reply.status for reply in at_once(doors, [said] * 50)]
    assert statuses.count(201) == 1, statuses
    assert set(statuses) <= {201, 403, 429}, statuses


def test_after_many_failures_one_waits_and_is_told_how_long(lab: LoginLab) -> None:
    door, device = lab.door(), lab.fresh_device("bob")
    replies = [door.log_in("bob", "wrong", device.code()) for _ in range(9)]
    statuses = [reply.status for reply in replies]
    # Five are free; after the sixth and seventh the wait grows past an answer's time.
    assert statuses[:6] == [403] * 6
    assert 429 in statuses, statuses
    waiting = replies[statuses.index(429)]
    assert waiting.body["code"] == "too-many-failures"
    assert int(waiting.headers["retry-after"]) >= 1
    # Not even looked at: the right password and code change nothing, yet.
    right = door.log_in("bob", lab.password["bob"], device.code())
    assert right.status == 429
    # From anywhere else bob gets in.
    assert lab.door().log_in("bob", lab.password["bob"], device.code()).status == 201


def test_guesses_from_ten_places_keep_the_owner_of_a_name_in(lab: LoginLab) -> None:
    home = lab.door()
    code = lab.fresh_device("alice").code()
    assert home.log_in("alice", lab.password["alice"], code).status == 201
    doors = [lab.door() for _ in range(10)]

    def guess(door: Door) -> list[int]:
        return [door.log_in(n, "wrong", "000000").status for n in ["alice", "bob"] * 6]

    with ThreadPoolExecutor(len(doors)) as threads:
        statuses = [status for some in threads.map(guess, doors) for status in some]
    assert set(statuses) == {403, 429}
    # Ten at each name are free, wherever they come from.
    assert statuses.count(403) < len(statuses) / 2, statuses
    code = lab.fresh_device("alice").code()
    assert home.log_in("alice", lab.password["alice"], code).status == 201


def test_what_is_missing_first_is_told_to_who_has_the_right_password(
    lab: LoginLab,
) -> None:
    lab.restore("dave")
    reply = lab.door().log_in("dave", lab.password["dave"])
    assert (reply.status, reply.body["code"]) == (409, "step-missing")
    assert "web page" in reply.body["hint"]
    assert lab.door().log_in("dave", "wrong").status == 403


def test_jupyterhubs_own_way_to_a_token_obeys_the_same_rules(lab: LoginLab) -> None:
    device, door = lab.fresh_device("alice"), lab.door()
    right = {"username": "alice", "password": lab.password["alice"]}

    def ask(auth: object) -> int:
        with door.client() as client:
            answer = client.post("hub/api/users/alice/tokens", json={"auth": auth})
        return answer.status_code

    assert ask({**right, "code": device.wrong_code()}) == 403
    assert ask({**right, "granted": {"person": {"name": "alice"}}}) == 403
    strange: object
    for strange in (None, [], "alice", 1, {"username": ["alice"]}, {"typed_name": {}}):
        assert ask(strange) == 403, strange
    code = device.code()
    assert ask({**right, "code": code}) == 201
    assert ask({**right, "code": code}) == 403
    failures = lab.audited(time.time() - 60, action="login")
    assert {event.address for event in failures[:3]} == {door.address}
