"""`kqi job`, `git`, `image`: all jobs of one's own, what servers elsewhere have."""

import time
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest

from kqi_hub.cli.amounts import money
from tests.adapters.cli.conftest import Run
from tests.fakes.git import OLDER, TIP, HangingRemote
from tests.fakes.images import DIGEST
from tests.fakes.own_jobs import furnish
from tests.fakes.site import FakeSite

URL = "https://github.com/lab/model.git"


@pytest.fixture(autouse=True)
def jobs(site: FakeSite) -> None:
    furnish(site.queues.store, time.time())


@pytest.fixture
def asleep(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """Do the next of these instead of each sleep."""
    steps: list[Callable[[], object]] = []

    def sleep(seconds: float) -> None:
        if steps:
            steps.pop(0)()

    clock = SimpleNamespace(sleep=sleep, monotonic=time.monotonic)
    monkeypatch.setattr("kqi_hub.sdk.jobs.time", clock)
    monkeypatch.setattr("kqi_hub.sdk.job_logs.time", clock)
    return steps


def test_jobs_are_listed_with_kind_and_state(run: Run) -> None:
    done = run("job", "list")
    assert done.code == 0, done.err
    lines = {line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert "training 12" in lines["61"]
    assert "HELD" in lines["108"]
    assert "2 PENDING" in lines["200"]
    assert "secret" not in done.out


def test_a_cost_has_its_currency_in_the_list_too(run: Run) -> None:
    [known] = run("job", "list", "--text", "105", "--json").json["jobs"]
    shown = f"{money(known['cost_micro'])} {known['currency']}"
    assert known["cost_micro"]
    assert known["currency"] in run("job", "get", "105").out
    [line] = [one for one in run("job", "list").out.splitlines() if "105" in one]
    assert line.rstrip().endswith(f" {shown}")


def test_the_list_is_filtered_and_answers_programs(run: Run) -> None:
    said = run("job", "list", "--show", "ended", "--json").json
    assert [one["id"] for one in said["jobs"]] == [62, 61, 60]
    assert run("job", "list", "--text", "nothing").err.startswith("None of your jobs")
    assert run("job", "list", "--show", "no").code == 2


def test_one_job_says_why_it_waits(run: Run) -> None:
    done = run("job", "get", "106")
    assert done.code == 0, done.err
    assert "PENDING" in done.out
    whole = run("job", "get", "200").out
    assert "200_1" in whole
    assert "200_[3-9]" in whole


@pytest.mark.parametrize(
    ("words", "done"),
    [
        (("cancel", "101"), ("cancel", "mia", "101")),
        (("cancel", "200_1"), ("cancel", "mia", "200_1")),
        (("hold", "106"), ("hold", "mia", "106")),
        (("release", "108"), ("release", "mia", "108")),
    ],
)
def test_what_is_asked_for_is_done(
    run: Run, site: FakeSite, words: tuple[str, ...], done: tuple[str, str, str]
) -> None:
    said = run("job", *words, "--json")
    assert (said.code, said.err) == (0, "")
    [told] = said.json.values()
    assert words[1] in ([told] if isinstance(told, str) else told)
    assert site.own_jobs.control.done == [done]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("get", "103"), 4),
        (("cancel", "103"), 4),
        (("cancel", "1;id"), 4),
        (("cancel", ".."), 4),
        (("cancel", "../../me"), 4),
        (("cancel", "60"), 5),
        (("cancel",), 2),
        (("hold", "101"), 5),
    ],
)
def test_refusals_have_exit_codes(
    run: Run, site: FakeSite, words: tuple[str, ...], code: int
) -> None:
    assert run("job", *words).code == code
    assert site.own_jobs.control.done == []


@pytest.mark.parametrize(("state", "code"), [("COMPLETED", 0), ("FAILED", 1)])
def test_wait_ends_with_the_job(
    run: Run,
    site: FakeSite,
    asleep: list[Callable[[], object]],
    state: str,
    code: int,
) -> None:
    store = site.queues.store

    def end() -> None:
        ended = replace(store.known[105], state=state, ends_at=int(time.time()))
        store.known[105] = ended

    asleep.append(end)
    done = run("job", "wait", "105")
    assert done.code == code
    assert "RUNNING" in done.err
    assert state in done.err


def test_wait_gives_up_in_time(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = count(step=50)
    clock = SimpleNamespace(sleep=lambda _: None, monotonic=lambda: next(minutes))
    monkeypatch.setattr("kqi_hub.sdk.jobs.time", clock)
    done = run("job", "wait", "105", "--timeout", "1m")
    assert done.code == 124
    assert "has not ended in time" in done.err


def test_git_shows_branches_and_the_commit_of_a_job(run: Run) -> None:
    done = run("git", "branches", URL)
    assert done.code == 0, done.err
    assert "default" in done.out
    assert TIP[:12] in done.out
    assert run("git", "resolve", URL, "--ref", "old").out == f"{OLDER}\n"
    assert run("git", "resolve", URL, "--ref", "nothing").code == 2
    assert run("git", "resolve", "file:///etc/passwd").code == 2
    said = run("git", "servers", "--json").json
    assert [one["name"] for one in said] == ["github", "lab"]


def test_git_says_why_there_is_not_more(run: Run, site: FakeSite) -> None:
    done = run("git", "repositories", "github")
    assert (done.code, done.out) == (0, "")
    assert "no token for github" in done.err
    assert run("git", "repositories", "nothing").code == 4
    site.git_refs.remote = HangingRemote()
    done = run("git", "commits", "https://elsewhere.org/x.git")
    assert done.code == 0
    assert "did not answer" in done.err


def test_images_are_listed_and_resolved(run: Run) -> None:
    said = run("image", "registries", "--json").json
    assert [one["prefix"] for one in said][:2] == ["images.example.org", "nvcr.io"]
    assert "images.example.org/team/tool" in run("image", "repositories", "site").out
    assert run("image", "repositories", "site", "--text", "no", "--json").json == []
    assert run("image", "tags", "team/tool", "--json").json == ["1.0", "latest"]
    whole = f"images.example.org/team/tool:1.0@{DIGEST}"
    assert run("image", "resolve", "team/tool:1.0").out == f"{whole}\n"
    assert run("image", "resolve", "team/tool:none").code == 2
    assert run("image", "tags", "--", "--privileged").code == 2
    assert run("image", "repositories", "nothing").code == 4


def test_a_registry_that_hangs_is_told_of(run: Run, site: FakeSite) -> None:
    site.registries.hangs = True
    done = run("image", "tags", "team/tool")
    assert (done.code, "did not answer" in done.err) == (0, True)
