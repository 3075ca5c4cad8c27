"""A helper that was set up unsafely does not start."""

import dataclasses
import os
import signal
import subprocess
import tomllib
from pathlib import Path

import pytest

from kqi_hub.runas import helper
from tests.adapters.runas.house import ALICE, HELPER, KQI, PYTHON, House, told


def refused_start(house: House, mode: str = "serve") -> str:
    """Start the helper, which must end by itself, and return what it said."""
    ran = subprocess.run(
        house.command(mode),
        check=False,
        capture_output=True,
        text=True,
        timeout=10,
        input="",
    )
    assert ran.returncode == 78, ran
    assert ran.stdout == ""
    assert not house.door.exists()
    return ran.stderr


@pytest.mark.parametrize("mode", ["serve", "once"])
@pytest.mark.parametrize("bits", [0o620, 0o602, 0o666, 0o777])
def test_a_configuration_that_others_can_write_to_is_refused(
    empty_house: House, bits: int, mode: str
) -> None:
    empty_house.config.chmod(bits)
    assert "only root may own it and write to it" in refused_start(empty_house, mode)


@pytest.mark.parametrize("mode", ["serve", "once"])
def test_a_configuration_that_belongs_to_the_service_user_is_refused(
    empty_house: House, mode: str
) -> None:
    os.chown(empty_house.config, KQI, KQI)
    assert "only root may own it" in refused_start(empty_house, mode)


@pytest.mark.parametrize("folder", ["etc", "run", "log"])
@pytest.mark.parametrize("bits", [0o775, 0o757, 0o1777])
def test_a_folder_that_others_can_write_to_is_refused(
    empty_house: House, folder: str, bits: int
) -> None:
    (empty_house.base / folder).chmod(bits)
    assert f"{empty_house.base / folder} must be a folder" in refused_start(empty_house)


@pytest.mark.parametrize("folder", ["etc", "run", "log"])
def test_a_folder_of_somebody_else_is_refused(empty_house: House, folder: str) -> None:
    os.chown(empty_house.base / folder, KQI, KQI)
    assert f"{empty_house.base / folder} must be a folder" in refused_start(empty_house)


def test_a_writable_folder_further_up_is_refused(empty_house: House) -> None:
    os.chown(empty_house.base, ALICE, ALICE)
    assert f"{empty_house.base} must be a folder" in refused_start(empty_house)


def test_a_scratch_whose_place_is_somebody_elses_is_refused(empty_house: House) -> None:
    place = empty_house.base / "data"
    place.mkdir()
    os.chown(place, ALICE, ALICE)
    empty_house.configure(scratch_root=str(place / "scratch"))
    assert f"{place} must be a folder" in refused_start(empty_house)


@pytest.mark.parametrize("folder", ["etc", "run", "log"])
def test_a_folder_that_is_a_link_is_refused(empty_house: House, folder: str) -> None:
    place = empty_house.base / folder
    place.rename(empty_house.base / "moved")
    place.symlink_to(empty_house.base / "moved")
    assert f"{place} must be a folder" in refused_start(empty_house)


def test_a_configuration_that_is_a_link_is_refused(empty_house: House) -> None:
    real = empty_house.config.rename(empty_house.config.with_name("real.toml"))
    empty_house.config.symlink_to(real)
    assert "Too many levels of symbolic links" in refused_start(empty_house)


def test_a_log_that_is_a_link_is_refused_and_nothing_is_written(
    empty_house: House,
) -> None:
    victim = empty_house.base / "victim"
    victim.write_text("kept")
    empty_house.log.symlink_to(victim)
    assert "symbolic links" in refused_start(empty_house)
    assert victim.read_text() == "kept"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"caller": ["kqi"]}, "unknown key caller"),
        ({"callers": None}, "callers is missing"),
        ({"people_group": None}, "people_group is missing"),
        ({"callers": []}, "callers: expected"),
        ({"callers": "kqi"}, "callers: expected"),
        ({"callers": [990]}, "callers: expected a list of texts"),
        ({"callers": ["kqi", "no-such-user"]}, "no-such-user"),
        ({"min_uid": 0}, "min_uid: expected"),
        ({"min_uid": -1}, "min_uid: expected"),
        ({"min_uid": "1000"}, "min_uid: expected"),
        ({"min_uid": True}, "min_uid: expected"),
        ({"time_limit_s": 1.5}, "time_limit_s: expected"),
        ({"max_children": 0}, "max_children: expected"),
        ({"scratch_root": 1}, "scratch_root: expected"),
        ({"scratch_root": "scratch"}, "not an absolute, normalised path"),
        ({"socket": "run/runas.sock"}, "not an absolute, normalised path"),
        ({"socket": "/tmp/../run/runas.sock"}, "not an absolute, normalised path"),
        ({"log_file": "runas.log"}, "not an absolute, normalised path"),
    ],
)
def test_a_wrong_configuration_is_refused(
    empty_house: House, changes: dict[str, object], why: str
) -> None:
    empty_house.configure(**changes)
    assert why in refused_start(empty_house)


@pytest.mark.parametrize("text", ["callers = [", "\0", "\xff", "a = 1\na = 2\n"])
def test_a_configuration_that_is_no_toml_is_refused(
    empty_house: House, text: str
) -> None:
    empty_house.config.write_bytes(text.encode("latin-1"))
    assert refused_start(empty_house).startswith("kqi-runas: ")


def test_a_missing_configuration_is_refused(empty_house: House) -> None:
    empty_house.config.unlink()
    assert str(empty_house.config) in refused_start(empty_house)


def test_a_second_daemon_leaves_the_first_alone(own_house: House) -> None:
    ran = subprocess.run(
        own_house.command("serve"),
        check=False,
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert ran.returncode == 78
    assert "another helper answers there" in ran.stderr
    assert own_house.submit()["ok"]


def test_a_file_in_the_sockets_place_is_kept(empty_house: House) -> None:
    empty_house.door.write_text("somebody's")
    ran = subprocess.run(
        empty_house.command("serve"),
        check=False,
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert (ran.returncode, "in use" in ran.stderr) == (78, True)
    assert empty_house.door.read_text() == "somebody's"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["serve"],
        ["serve", "--config"],
        ["--config", "/etc/kqi/runas.toml", "serve"],
        ["once", "--config", "/etc/kqi/runas.toml", "--config"],
        ["ONCE", "--config", "/etc/kqi/runas.toml"],
        ["once", "--conf", "/etc/kqi/runas.toml"],
        ["--help"],
    ],
)
def test_any_other_command_line_is_refused(words: list[str]) -> None:
    ran = subprocess.run(
        [PYTHON, "-I", str(HELPER), *words],
        check=False,
        capture_output=True,
        timeout=10,
    )
    assert (ran.returncode, ran.stdout) == (64, b"")
    assert b"usage" in ran.stderr


def test_an_interpreter_that_listens_to_its_environment_is_refused(
    empty_house: House,
) -> None:
    command = [PYTHON, str(HELPER), "once", "--config", str(empty_house.config)]
    ran = subprocess.run(
        command, check=False, capture_output=True, timeout=10, input=b""
    )
    assert ran.returncode == 78
    assert b"python3 -I" in ran.stderr


def test_a_user_who_is_not_root_cannot_run_it(empty_house: House) -> None:
    copy = empty_house.base / "helper.py"
    copy.write_bytes(HELPER.read_bytes())
    copy.chmod(0o755)
    empty_house.config.chmod(0o644)
    command = [PYTHON, "-I", str(copy), "once", "--config", str(empty_house.config)]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, user=KQI, group=KQI, extra_groups=[]
    ) as refused:
        assert b"run me as root" in refused.communicate(timeout=10)[1]
    assert refused.returncode == 78


def test_a_daemon_without_standard_streams_still_keeps_pipes_apart(
    own_house: House,
) -> None:
    own_house.stop()
    closed = own_house.inside(
        "sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh",
        PYTHON, "-I", str(HELPER), "serve", "--config", str(own_house.config),
    )  # fmt: skip
    own_house.helper = subprocess.Popen(closed)
    own_house.wait_until_it_answers()
    assert own_house.seen_by_program()["fds"] == [0, 1, 2]


def test_the_helper_is_one_file_that_runs_from_anywhere(own_house: House) -> None:
    own_house.stop()
    elsewhere = own_house.base / "kqi-runas"
    elsewhere.write_bytes(HELPER.read_bytes())
    elsewhere.chmod(0o755)  # its first line is #!/usr/bin/python3 -I
    installed = own_house.inside(
        str(elsewhere), "serve", "--config", str(own_house.config)
    )
    own_house.helper = subprocess.Popen(installed, cwd="/")
    own_house.wait_until_it_answers()
    assert own_house.submit()["ok"]
    assert not (own_house.base / "__pycache__").exists()


PAGE = (HELPER.parents[2] / "docs/operators/door.md").read_text()


def test_the_documentation_names_every_setting() -> None:
    keys = [entry.name for entry in dataclasses.fields(helper.Config)]
    assert [key for key in keys if f"| `{key}` |" not in PAGE] == []


def test_the_documentation_names_every_verb_and_field() -> None:
    rows = {
        row.split("`")[1]: row for row in PAGE.splitlines() if row.startswith("| `")
    }
    assert set(helper.VERBS) <= set(rows)
    for name, verb in helper.VERBS.items():
        assert [key for key in verb.fields if f"`{key}`" not in rows[name]] == []


def test_the_documented_configuration_is_accepted(empty_house: House) -> None:
    block = PAGE.split("```toml\n")[1].split("```")[0]
    settings = tomllib.loads(block) | {
        "people_group": "people",
        "scratch_root": str(empty_house.scratch),
        "log_file": str(empty_house.log),
    }
    empty_house.configure(**settings)
    empty_house.start()
    assert empty_house.ask_as(KQI, KQI, b"{}\n").stdout


def test_the_documented_unit_leaves_the_helper_enough_rights(
    empty_house: House,
) -> None:
    """setpriv takes from the helper what systemd would take."""
    (line,) = [text for text in PAGE.splitlines() if text.startswith("CapabilityBound")]
    kept = [
        word.lower().removeprefix("cap_") for word in line.partition("=")[2].split()
    ]
    assert "NoNewPrivileges=yes" in PAGE
    bounds = ",".join(["-all", *(f"+{name}" for name in kept)])
    empty_house.wrapped_in = ("setpriv", "--no-new-privs", "--bounding-set", bounds)
    empty_house.configure(time_limit_s=1)
    empty_house.start()
    assert empty_house.helper is not None
    status = Path(f"/proc/{empty_house.helper.pid}/status").read_text()
    assert int(status.split("CapEff:")[1].split()[0], 16).bit_count() == len(kept)
    assert empty_house.ask("make-scratch", "alice", {})["exit_code"] == 0
    assert empty_house.seen_by_program()["uids"] == [ALICE] * 3
    assert empty_house.submit(**told("ignore-term"))["exit_code"] == -signal.SIGKILL
    assert empty_house.door.lstat().st_gid == KQI
    assert empty_house.log.exists()
    assert empty_house.stop() == 0
