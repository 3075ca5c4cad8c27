"""The sbatch script of a notebook."""

import re
import subprocess
from dataclasses import replace
from typing import Any

import pytest

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.notebooks import Choices, NotebookRules, Repository, Session, Shape
from kqi_hub.slurm.notebook_script import LaunchPlace, notebook_script, order_path

PLACE = LaunchPlace("/scratch", "/opt/kqi/bin/python", "http://hub:8081", "http://hub")
CHOICES = Choices(
    "my-notebook",
    "vision",
    "jupyter",
    Shape(cpus=2, memory_mb=2048, gpus=1, gpu_type="v100"),
    lifetime_s=3601,
)
SESSION = Session(7, 12, "alice", "abcdefghijklmnopqrstuvwx27", CHOICES, 1.0, 1.0)
# What breaks out of a line, of a word, or of ASCII.
HOSTILE = (
    "",
    " ",
    "a b",
    "a\nb",
    "a\r#SBATCH --uid=root",
    "a\n#SBATCH --uid=root",
    "#SBATCH",
    "-x",
    "--uid=root",
    "a'b",
    'a"b',
    "a`id`",
    "$(id)",
    "${HOME}",
    "a;b",
    "a|b",
    "a&b",
    "a,b",
    "a%jb",
    "a\0b",
    "a\x1bb",
    "\uff41\uff42",
    "ビジョン",
    "a\u2028b",
    "٣",
    "../../etc",
    "x" * 200,
)


def directives(text: str) -> dict[str, str]:
    found = re.findall(r"^#SBATCH --([a-z-]+)(?:=(.*))?$", text, re.MULTILINE)
    return dict(found)


def choosing(**changes: Any) -> Session:
    return replace(SESSION, chosen=replace(CHOICES, **changes))


def shaped(**changes: Any) -> Session:
    return choosing(shape=replace(CHOICES.shape, **changes))


def test_script_has_exactly_the_directives_that_were_asked_for() -> None:
    script = notebook_script(SESSION, PLACE)
    assert directives(script.text) == {
        "job-name": "nb-12-abcdefghijklmnopqrstuvwx27",
        "partition": "jupyter",
        "account": "vision",
        "nodes": "1",
        "ntasks": "1",
        "cpus-per-task": "2",
        "mem": "2048M",
        "gres": "gpu:v100:1",
        "time": "61",
        "output": "/scratch/alice/log/%j.log",
        "open-mode": "append",
        "no-requeue": "",
        "signal": "B:USR1@600",
    }
    assert script.name == SESSION.job_name
    assert script.chdir == "/scratch/alice"


def test_script_ends_by_becoming_the_runner() -> None:
    last = notebook_script(SESSION, PLACE).text.splitlines()[-1]
    assert last == (
        "exec /opt/kqi/bin/python -I -m kqi_hub.runner.notebook "
        "/scratch/alice/kqi/secrets/nb-12-abcdefghijklmnopqrstuvwx27"
    )


def test_script_is_plain_ascii_that_bash_takes() -> None:
    text = notebook_script(SESSION, PLACE).text
    assert text.isascii()
    assert "{{" not in text
    done = subprocess.run(["bash", "-n"], input=text.encode(), check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("session", "missing"),
    [(shaped(gpus=0), "gres"), (choosing(lifetime_s=None), "time")],
)
def test_what_was_not_asked_for_has_no_line(session: Session, missing: str) -> None:
    assert missing not in directives(notebook_script(session, PLACE).text)


def test_any_kind_of_gpu_is_a_number_alone() -> None:
    script = notebook_script(shaped(gpu_type="", gpus=2), PLACE)
    assert directives(script.text)["gres"] == "gpu:2"


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(1, "1"), (59, "1"), (60, "1"), (61, "2"), (28800, "480")]
)
def test_lifetime_is_rounded_up_to_minutes(seconds: int, minutes: str) -> None:
    script = notebook_script(choosing(lifetime_s=seconds), PLACE)
    assert directives(script.text)["time"] == minutes


def test_warning_is_never_longer_than_sbatch_takes() -> None:
    place = replace(PLACE, rules=NotebookRules(end_warn_s=100_000))
    session = choosing(lifetime_s=None)
    found = directives(notebook_script(session, place).text)
    assert found["signal"] == "B:USR1@65535"


@pytest.mark.parametrize(
    ("lifetime_s", "warned_s"),
    [(None, 600), (3600, 600), (1200, 600), (900, 450), (600, 300), (1, 1)],
)
def test_warning_never_comes_with_the_start(
    lifetime_s: int | None, warned_s: int
) -> None:
    session = choosing(lifetime_s=lifetime_s)
    script = notebook_script(session, PLACE)
    assert directives(script.text)["signal"] == f"B:USR1@{warned_s}"


def test_signal_of_the_warning_ends_nothing_before_the_runner_listens() -> None:
    lines = notebook_script(SESSION, PLACE).text.splitlines()
    commands = [one for one in lines if one and not one.startswith("#")]
    assert commands[0] == "trap '' USR1"


def test_nothing_that_a_person_typed_freely_is_in_the_script() -> None:
    session = choosing(
        name="secret-name",
        environment="secret-env",
        repository=Repository("https://u:secret-pw@h/r.git", "secret-ref"),
        variables=(("SECRET_KEY", "secret-value"),),
        command="secret-command\n#SBATCH --uid=root",
        memo="secret-memo",
        preset="secret-preset",
    )
    assert notebook_script(session, PLACE).text == notebook_script(SESSION, PLACE).text


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", ["queue", "tenant"])
def test_hostile_queue_or_tenant_is_refused(field: str, value: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be submitted"):
        notebook_script(choosing(**{field: value}), PLACE)


@pytest.mark.parametrize("value", [one for one in HOSTILE if one])
def test_hostile_kind_of_gpu_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="the kind of GPU"):
        notebook_script(shaped(gpu_type=value), PLACE)


@pytest.mark.parametrize("value", [*HOSTILE, "Alice", "123", "..", "."])
def test_hostile_owner_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match=r"the owner|the folder"):
        notebook_script(replace(SESSION, owner=value), PLACE)


@pytest.mark.parametrize("value", [*HOSTILE, "ABCDEFGHIJKLMNOPQRSTUVWX27", "a" * 25])
def test_hostile_key_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="the job's name"):
        order_path(replace(SESSION, key=value), PLACE)


@pytest.mark.parametrize("value", [0, -1, 2**31, True, 1.5, "2", "2\n", None])
@pytest.mark.parametrize("field", ["cpus", "memory_mb"])
def test_what_is_no_sensible_number_is_refused(field: str, value: object) -> None:
    with pytest.raises(InvalidInput, match=r"the number of CPUs|the memory"):
        notebook_script(shaped(**{field: value}), PLACE)


@pytest.mark.parametrize("value", [-1, 2**31, True, "1", 0.5])
def test_what_is_no_number_of_gpus_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match="the number of GPUs"):
        notebook_script(shaped(gpus=value), PLACE)


@pytest.mark.parametrize("value", [0, -5, "60", True])
def test_what_is_no_lifetime_is_refused(value: object) -> None:
    with pytest.raises(InvalidInput, match="the lifetime"):
        notebook_script(choosing(lifetime_s=value), PLACE)


@pytest.mark.parametrize(
    "path",
    ["python", "/opt/../bin/python", "/opt/a b/python", "/$X", "/a\n/b", "/"],
)
def test_interpreter_that_is_no_plain_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput, match="the sessions' Python"):
        notebook_script(SESSION, replace(PLACE, session_python=path))


def test_refusal_shows_what_was_wrong_without_repeating_it_raw() -> None:
    with pytest.raises(InvalidInput) as caught:
        notebook_script(choosing(queue="a\n#SBATCH"), PLACE)
    assert "the queue must not be 'a\\n#SBATCH'." in str(caught.value)
    assert "\n" not in str(caught.value)
