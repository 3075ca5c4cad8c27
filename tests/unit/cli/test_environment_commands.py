"""`kqi env`: what is ordered, followed, asked before, and the exit codes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from kqi_hub.cli import environment_wait
from kqi_hub.cli.main import kqi
from kqi_hub.sdk.agent_calls import AgentRefused
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.config import Config, save
from kqi_hub.sdk.environments import (
    Environment,
    EnvironmentList,
    EnvironmentTask,
)
from kqi_hub.sdk.errors import PortalError

TASK = EnvironmentTask(
    "20260101T000000-aaaaaaaa", "create", "fresh", "waiting", asked_at=1.0, job_id=7
)
BROKEN = Environment("old", state="broken", why={"code": "x", "text": "No Python."})
READY = Environment("notebook", state="ready", packages=120, is_default=True)


class FakePortal:
    """What the commands see of the portal and the agent; stands in for Client."""

    def __init__(self) -> None:
        self.list = EnvironmentList((READY, BROKEN), room={"free_bytes": 2**30})
        self.states = ["waiting", "running", "done"]
        self.error: dict[str, str] | None = None
        self.orders: list[dict[str, object]] = []
        self.job: dict[str, Any] | None = None
        self.checks = 0

    def order_environment(self, operation: str, name: str, **options: object) -> object:
        self.orders.append({"operation": operation, "name": name, **options})
        return replace(TASK, operation=operation, name=name)

    def environment_task(self, task_id: str) -> EnvironmentTask:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return replace(TASK, state=state, error=self.error)

    def environment_log(self, task_id: str, start: int) -> dict[str, Any]:
        text = "one\ntwo\n"
        return {"text": text[start:], "to": len(text), "size": len(text)}

    def check_environment_task(self, task_id: str) -> None:
        self.checks += 1


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePortal:
    fake = FakePortal()
    for name in ("KQI_SERVER", "KQI_TOKEN", "KQI_TENANT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KQI_CONFIG_DIR", str(tmp_path))
    save(Config("https://hub.example.org/", "vision", "word"))
    monkeypatch.setattr(environment_wait, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(environment_wait, "_QUEUE_EVERY_S", 0.0)
    for name in ("order_environment", "environment_task", "environment_log",
                 "check_environment_task"):  # fmt: skip
        method = getattr(fake, name)
        monkeypatch.setattr(Client, name, lambda self, *a, m=method, **k: m(*a, **k))
    monkeypatch.setattr(Client, "environments", lambda self: fake.list)
    monkeypatch.setattr(Client, "environment_tasks", lambda self: (TASK,))
    monkeypatch.setattr(Client, "live_job", lambda self, job_id: fake.job)
    monkeypatch.setattr(
        Client,
        "environment_bases",
        lambda self: ({"name": "minimal"}, {"name": "notebook", "is_default": True}),
    )
    monkeypatch.setattr("kqi_hub.cli.environment_options._free_queue", free_queue)
    return fake


def free_queue(portal: Client, tenant: str) -> str:
    return f"free-of-{tenant}"


def run(*words: str, text: str = "", code: int = 0) -> Result:
    done = CliRunner().invoke(kqi, ("env", *words), input=text, catch_exceptions=True)
    found = done.exit_code
    if isinstance(done.exception, PortalError):
        found = done.exception.exit_code
    assert found == code, (done.output, done.exception)
    return done


def test_the_list_says_what_needs_help_and_how(portal: FakePortal) -> None:
    done = run("list")
    assert done.stdout.index("old") < done.stdout.index("notebook")
    assert "No Python. Mend it: kqi env repair old" in done.stderr
    assert "Free on scratch: 1.0 GiB" in done.stderr


def test_an_empty_list_says_what_to_do(portal: FakePortal) -> None:
    portal.list = EnvironmentList(())
    assert "kqi env setup" in run("list").stderr


def test_create_takes_the_usual_base_and_a_free_queue_and_follows(
    portal: FakePortal,
) -> None:
    done = run("create", "fresh")
    assert portal.orders == [
        {"operation": "create", "name": "fresh", "base": "notebook",
         "queue": "free-of-vision", "tenant": "vision"}
    ]  # fmt: skip
    assert done.stderr.count("one\ntwo\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("rules", "words", "where"),
    [
        ({"queue": "site"}, (), {"queue": "site", "tenant": "vision"}),
        ({"queue": "site"}, ("--queue", "mine"),
         {"queue": "mine", "tenant": "vision"}),
        ({}, ("--tenant", "nlp"), {"queue": "free-of-nlp", "tenant": "nlp"}),
        ({"run_on": "hub"}, (), {}),
    ],
)  # fmt: skip
def test_where_it_runs(
    portal: FakePortal,
    rules: dict[str, str],
    words: tuple[str, ...],
    where: dict[str, str],
) -> None:
    portal.list = replace(portal.list, **rules)  # type: ignore[arg-type]  # fields of it
    run("verify", "notebook", *words)
    assert portal.orders == [{"operation": "verify", "name": "notebook", **where}]


@pytest.mark.parametrize(
    ("option", "field"),
    [("--file", "yml"), ("--lock", "lock"), ("--explicit", "explicit"),
     ("--import", "import")],
)  # fmt: skip
def test_a_file_is_sent_as_text(
    portal: FakePortal, tmp_path: Path, option: str, field: str
) -> None:
    path = tmp_path / "made of.yml"
    path.write_text("name: 手\n")
    run("create", "fresh", option, str(path))
    assert portal.orders[0][field] == "name: 手\n"
    assert "base" not in portal.orders[0]


def test_one_thing_only(portal: FakePortal) -> None:
    run("create", "x", "--base", "a", "--file", "-", text="name: x", code=2)
    assert portal.orders == []


@pytest.mark.parametrize("what", ["reset", "delete"])
def test_what_loses_something_asks_and_takes_no_for_no(
    portal: FakePortal, what: str
) -> None:
    done = run(what, "notebook", text="n\n", code=1)
    assert "workspace" in done.stderr
    assert portal.orders == []
    run(what, "notebook", text="y\n")
    run(what, "notebook", "--yes")
    assert [one["operation"] for one in portal.orders] == [what, what]


def test_what_is_not_there_is_not_reset(portal: FakePortal) -> None:
    run("reset", "gone", "--yes", code=4)
    assert portal.orders == []


@pytest.mark.parametrize(
    ("state", "code"), [("failed", 1), ("refused", 5), ("cancelled", 130)]
)
def test_each_end_has_its_exit_code_and_says_why(
    portal: FakePortal, state: str, code: int
) -> None:
    portal.states = ["running", state]
    portal.error = {"code": "no_room", "message": "It is full.", "hint": "Free some."}
    done = run("repair", "notebook", code=code)
    assert isinstance(done.exception, PortalError)
    assert (done.exception.message, done.exception.hint) == (
        "It is full.",
        "Free some.",
    )


def test_json_is_the_task_alone(portal: FakePortal) -> None:
    found = json.loads(run("setup", "--json").stdout)
    assert (found["state"], found["job_id"]) == ("done", 7)


def test_without_waiting_it_says_how_to_follow(portal: FakePortal) -> None:
    done = run("setup", "--no-wait")
    assert f"kqi env log {TASK.id} --follow" in done.stderr


def test_why_it_waits_is_said_once(portal: FakePortal) -> None:
    portal.states = ["waiting", "waiting", "waiting", "done"]
    portal.job = {"text": "Others go first.", "hint": "", "starts_at": None}
    assert run("setup").stderr.count("Waits: Others go first.") == 1


def test_a_job_that_slurm_lost_is_checked(
    portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment_wait, "_SEEN_S", -1.0)
    portal.states = ["waiting", "waiting", "waiting", "failed"]
    run("setup", code=1)
    assert portal.checks >= 1


def test_a_second_order_names_the_first(
    portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Client, *_: object, **__: object) -> None:
        said = {"error": "busy", "message": "fresh is worked on.", "task": TASK.id}
        raise AgentRefused(409, said)

    monkeypatch.setattr(Client, "order_environment", refuse)
    done = run("verify", "notebook", code=5)
    assert f"kqi env log {TASK.id} --follow" in str(done.exception)


def test_an_export_is_written_but_over_nothing(
    portal: FakePortal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        Client, "export_environment", lambda self, name, form: f"{form} of {name}\n"
    )
    assert run("export", "notebook").stdout == "yml of notebook\n"
    path = tmp_path / "kept.txt"
    run("export", "notebook", "--format", "pip", "-o", str(path))
    assert path.read_text() == "pip of notebook\n"
    run("export", "notebook", "-o", str(path), code=2)
    assert path.read_text() == "pip of notebook\n"


@pytest.mark.parametrize("which", [TASK.id, "fresh"])
def test_a_log_is_found_by_task_and_by_environment(
    portal: FakePortal, which: str
) -> None:
    assert run("log", which).stdout == "one\ntwo\n"


def test_names_are_completed(portal: FakePortal) -> None:
    command = kqi.commands["env"]
    assert isinstance(command, click.Group)
    verify = command.commands["verify"]
    context = click.Context(verify)
    found = verify.params[0].shell_complete(context, "no")
    assert [one.value for one in found] == ["notebook"]
