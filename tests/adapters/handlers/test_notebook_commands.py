"""`kqi notebook` against a portal that listens."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from handlers.service import Folders
from kqi_hub.cli import notebook_wait
from kqi_hub.cli.main import kqi
from kqi_hub.domain.notebook_ports import SessionEnd
from kqi_hub.domain.notebooks import Cause, Phase
from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import RunKind
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.config import Config, save
from kqi_hub.sdk.errors import PortalError, Refused
from tests.fakes.notebooks import CHOICES, FakeNotebooks
from tests.fakes.runs import SPEC
from tests.fakes.site import FakeSite, serving_beside

CREATE = ("create", "trial", "--queue", "jupyter", "--cpus", "2", "--memory-gb", "8")


@pytest.fixture
def portal(
    folders: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeSite]:
    for name in ("KQI_SERVER", "KQI_TOKEN", "KQI_TENANT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KQI_CONFIG_DIR", str(tmp_path))
    monkeypatch.setattr(notebook_wait, "LOOK_EVERY_S", 0.05)
    with serving_beside(FakeSite(folders=folders)) as site:
        save(Config(f"{site.origin}/", "vision", site.hub.token("mia")))
        yield site


@pytest.fixture
def fake(portal: FakeSite) -> FakeNotebooks:
    return portal.notebooks


def run(*words: str, text: str = "", code: int = 0) -> Result:
    done = CliRunner().invoke(kqi, ("notebook", *words), input=text)
    if code == 0 and done.exception is not None:
        raise done.exception
    # What `kqi` itself makes of such an error, when nobody catches it.
    failed = done.exception if isinstance(done.exception, PortalError) else done
    assert failed.exit_code == code, done.output
    return done


@contextmanager
def once_asked(fake: FakeNotebooks, act: Callable[[], None]) -> Iterator[None]:
    """Do something beside, as soon as somebody has asked for a notebook to run."""

    def wait_and_act() -> None:
        while not fake.sessions.live():
            time.sleep(0.05)
        act()

    beside = threading.Thread(target=wait_and_act, daemon=True)
    beside.start()
    yield
    beside.join()


def test_a_notebook_is_made_listed_copied_and_removed(fake: FakeNotebooks) -> None:
    assert "There is none. Make one" in run("list", "--sort", "id").stderr
    run(*CREATE, "--env", "A=1=2", "--lifetime", "2h", "--memo", "for you")
    [made] = json.loads(run("list", "--json").stdout)
    assert made["choices"]["variables"] == [{"name": "A", "value": "1=2"}]
    assert made["choices"]["lifetime_s"] == 7200
    assert made["choices"]["staging"] == "link"
    assert "trial" in run("list").stdout
    assert "Nothing matches" in run("list", "--name", "zzz").stderr
    assert "trial-2" in run("copy", "trial").stderr
    assert "status: new" in run("show", "trial").stdout
    assert "no job yet" in str(run("logs", "trial", code=5).exception)
    refused = run("rm", "trial", text="n\n", code=1)
    assert "its history, 0 sessions, are lost" in refused.output
    run("rm", "trial", "--yes")
    [left] = fake.store.notebooks.values()
    assert left.choices.name == "trial-2"


def test_the_list_is_asked_as_other_lists_are(fake: FakeNotebooks) -> None:
    for name, queue, memo in (
        ("a", "jupyter", "x"),
        ("b", "v100", "x"),
        ("c", "v100", "y"),
    ):
        fake.store.create(
            "mia", replace(CHOICES, name=name, queue=queue, memo=memo), 1.0
        )

    def listed(*words: str) -> list[str]:
        found = json.loads(run("list", "--json", *words).stdout)
        return [one["choices"]["name"] for one in found]

    assert listed() == ["c", "b", "a"]
    assert listed("--id", ">=2,<3") == ["b"]
    assert listed("--memo", "!y", "--sort", "name") == ["a", "b"]
    assert listed("--queue", "V1", "--count", "1") == ["c"]
    assert listed("--created-at", ">1970-01-02") == []
    assert listed("--created-at", "1970", "--name", "!b") == ["c", "a"]
    refused = run("list", "--created-by", "max", code=2)
    assert "--everybody" in refused.output


def test_a_manager_lists_everybodys(fake: FakeNotebooks, portal: FakeSite) -> None:
    for person in ("mia", "max"):
        fake.store.create(person, replace(CHOICES, name=f"of-{person}"), 1.0)
    run("list", "--everybody", code=3)
    save(Config(f"{portal.origin}/", "vision", portal.hub.token("max")))
    every = run("list", "--everybody").stdout
    assert "of-mia" in every
    assert "of-max" in every
    hers = run("list", "--everybody", "--tenant", "vision", "--created-by", "mi").stdout
    assert "of-mia" in hers
    assert "of-max" not in hers


@pytest.mark.usefixtures("fake")
def test_a_dataset_is_copied_to_the_node_when_that_is_said() -> None:
    run(*CREATE, "--local-copy")
    [made] = json.loads(run("list", "--json").stdout)
    assert made["choices"]["staging"] == "copy"


def test_git_push_is_chosen_and_taken_back(fake: FakeNotebooks) -> None:
    address = "https://git.example.org/a/b.git"
    run(*CREATE, "--repository", address, "--push")
    [made] = json.loads(run("list", "--json").stdout)
    assert made["choices"]["may_push"] is True
    run("rerun", "trial", "--no-wait", "--no-push")
    [made] = json.loads(run("list", "--json").stdout)
    assert made["choices"]["may_push"] is False
    refused = run("create", "other", "--queue", "cpu", "--push", code=2)
    assert "begins with https://" in str(refused.exception)


def test_results_of_runs_are_chosen_by_their_numbers(fake: FakeNotebooks) -> None:
    for key in ("a", "b"):
        fake.runs.ask(NewRun(RunKind.TRAINING, "mia", key * 26, SPEC), 1.0)
    run(*CREATE, "--parent", "1", "--parent", "2")
    [made] = json.loads(run("list", "--json").stdout)
    assert made["choices"]["parents"] == [1, 2]
    run("rerun", "trial", "--no-wait", "--parent", "0")
    [made] = json.loads(run("list", "--json").stdout)
    assert made["choices"]["parents"] == []


def test_a_check_says_price_and_objections_and_keeps_nothing(
    fake: FakeNotebooks,
) -> None:
    said = run("create", "x", "--queue", "v100", "--lifetime", "2h", "--check").stdout
    assert "It can start." in said
    assert "price: 120 JPY an hour" in said
    assert "in all: 240 JPY" in said
    whole = run("create", "x", "--queue", "v100", "--estimate", "--json").stdout
    assert json.loads(whole)["price"]["micro_per_hour"] == 120_000_000
    many = ("--queue", "v100", "--cpus", "999", "--estimate")
    never = run("create", "x", *many, code=12)
    assert "never" in never.output
    assert fake.store.notebooks == {}


def test_a_start_tells_each_phase_and_ends_when_it_is_ready(
    fake: FakeNotebooks,
) -> None:
    run(*CREATE)

    def hub() -> None:
        [live] = fake.sessions.live()
        fake.sessions.submitted(live.id, 106, live.asked_at + 1)
        for n, phase in enumerate((Phase.NODE, Phase.SERVER, Phase.READY)):
            fake.sessions.reached(live.id, phase, live.asked_at + 2 + n)

    with once_asked(fake, hub):
        done = run("start", "trial")
    told = done.stderr.splitlines()
    assert [line.split("  +")[0] for line in told[:2]] == ["asked for", "in the queue"]
    assert "ready  +4.0 s" in told
    assert told[-1] == "Open it: kqi notebook open trial"
    assert run("open", "trial").stdout.strip().endswith("/user/mia/nb-1/lab")


def test_a_start_that_fails_says_why(fake: FakeNotebooks) -> None:
    run(*CREATE)

    def fail() -> None:
        [live] = fake.sessions.live()
        end = SessionEnd(live.asked_at + 1, Cause.FAILED, "no space left", 3)
        fake.sessions.ended(live.id, end)

    with (
        once_asked(fake, fail),
        pytest.raises(PortalError, match="failed \\(no space left\\), exit code 3"),
    ):
        run("start", "trial")


def test_ctrl_c_ends_the_waiting_and_not_the_notebook(
    fake: FakeNotebooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    run(*CREATE)
    monkeypatch.setattr(time, "sleep", interrupt)
    done = run("start", "trial", code=130)
    assert "goes on without you" in done.stderr
    assert len(fake.sessions.live()) == 1


def test_a_rerun_keeps_what_is_not_changed(fake: FakeNotebooks) -> None:
    run(*CREATE, "--memo", "kept")
    run("rerun", "trial", "--cpus", "3", "--no-wait")
    [notebook] = fake.store.notebooks.values()
    assert notebook.choices.shape.cpus == 3
    assert notebook.choices.shape.memory_mb == 8192
    assert notebook.choices.memo == "kept"
    run("stop", "trial")
    [session] = fake.sessions.live()
    assert session.stopping is Cause.STOPPED


def test_a_log_is_printed_whole_and_followed_to_its_end(
    fake: FakeNotebooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.furnish("mia")
    pieces = [None, "one\n", "two\n"]
    monkeypatch.setattr(time, "sleep", lambda _: None)

    def piece(_: Client, way: object, job: int, start: int | None) -> object:
        text = pieces.pop(0)
        begin = start or 0
        if text is None:
            return None
        more = len(pieces) * 4
        end = begin + len(text)
        return {"text": text, "from": begin, "to": end, "size": end + more}

    monkeypatch.setattr(Client, "log_piece", piece)
    assert run("logs", "second").stdout == "one\ntwo\n"
    assert pieces == []


@pytest.mark.parametrize(
    "words",
    [
        ("create", "A b", "--queue", "jupyter"),
        ("create", "x", "--queue", "a\n#SBATCH"),
        ("create", "x", "--queue", "jupyter", "--env", "HOME=/"),
        ("create", "x", "--queue", "jupyter", "--repository", "file:///etc"),
    ],
)
def test_what_the_portal_refuses_has_exit_code_2(
    fake: FakeNotebooks, words: tuple[str, ...]
) -> None:
    with pytest.raises(Refused) as caught:
        run(*words)
    assert caught.value.exit_code == 2
    assert fake.store.notebooks == {}


def test_a_notebook_that_is_not_there_has_exit_code_4(fake: FakeNotebooks) -> None:
    for which in ("none", "77", "../x"):
        with pytest.raises(PortalError) as caught:
            run("show", which)
        assert caught.value.exit_code == 4


def test_the_shell_completes_names(fake: FakeNotebooks) -> None:
    run(*CREATE)
    words = {"_KQI_COMPLETE": "bash_complete", "COMP_CWORD": "3"}
    line = {"COMP_WORDS": "kqi notebook show tr"}
    done = CliRunner().invoke(kqi, env={**words, **line}, prog_name="kqi")
    assert "plain,trial" in done.output


def test_the_history_tells_times_the_end_in_words_and_the_cost(
    fake: FakeNotebooks,
) -> None:
    run(*CREATE)
    assert "It has never run" in run("history", "trial").stderr
    live = fake.sessions.ask(1, fake.store.notebooks[1].choices, "key", 1_000_000.0)
    fake.sessions.submitted(live.id, 106, 1_000_001.0)
    fake.sessions.reached(live.id, Phase.NODE, 1_000_002.0)
    fake.sessions.ended(
        live.id, SessionEnd(1_007_262.0, Cause.FAILED, "NonZeroExitCode")
    )
    told = run("history", "trial").stdout
    assert "failed: Its program ended with an error (NonZeroExitCode)" in told
    assert "2 h 01 min" in told
    assert "free" in told
    [past] = json.loads(run("history", "trial", "--json").stdout)
    assert (past["queue"], past["cost_micro"]) == ("jupyter", 0)


def test_a_stop_says_what_came_of_it(
    fake: FakeNotebooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(*CREATE)
    assert "trial does not run." in run("stop", "trial").stderr
    run("start", "trial", "--no-wait")
    assert "trial is being stopped." in run("stop", "trial").stderr

    async def quick(person: str, server: str) -> None:
        [live] = fake.sessions.live(person)
        fake.sessions.ended(live.id, SessionEnd(live.asked_at + 1, Cause.STOPPED))

    monkeypatch.setattr(fake.hub, "stop", quick)
    assert "trial has stopped." in run("stop", "trial").stderr
