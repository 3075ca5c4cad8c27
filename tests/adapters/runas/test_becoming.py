"""Whom the helper becomes, and what that leaves of its own surroundings."""

import os
import signal
import stat
from pathlib import Path

import pytest

from tests.adapters.runas.house import (
    ALICE,
    BOB,
    PEOPLE,
    SUBMIT,
    VISION,
    House,
    line,
)

SMUGGLED = {
    "BASH_ENV": "/tmp/evil.sh",
    "ENV": "/tmp/evil.sh",
    "IFS": "/",
    "LD_PRELOAD": "/nonexistent/evil.so",
    "LD_LIBRARY_PATH": "/tmp/evil",
    "PYTHONPATH": "/tmp/evil",
    "PYTHONSTARTUP": "/tmp/evil.py",
    "SBATCH_ACCOUNT": "somebody-else",
    "SBATCH_EXPORT": "ALL",
    "SBATCH_WRAP_SCRIPT": "id",
    "SECRET_TOKEN": "of the hub",
    "SLURM_CONF": "/tmp/evil.conf",
    "SUDO_UID": "0",
    "TZ": "/tmp/evil",
}


def test_a_program_runs_with_the_ids_of_the_person(house: House) -> None:
    seen = house.seen_by_program("alice")
    assert seen["uids"] == [ALICE] * 3
    assert seen["gids"] == [ALICE] * 3
    assert seen["groups"] == [ALICE, PEOPLE, VISION]


def test_a_person_whose_primary_group_is_the_portals_may_be_acted_for(
    house: House,
) -> None:
    seen = house.seen_by_program("bob")
    assert (seen["uids"], seen["gids"]) == ([BOB] * 3, [PEOPLE] * 3)


def test_a_program_has_no_capability_and_can_gain_none(house: House) -> None:
    seen = house.seen_by_program()
    assert [int(mask, 16) for mask in seen["capabilities"]] == [0, 0, 0]
    assert seen["no_new_privileges"] == "1"


def test_a_program_starts_in_a_session_and_a_folder_of_its_own(house: House) -> None:
    seen = house.seen_by_program()
    assert seen["is_session_leader"] is True
    assert seen["cwd"] == "/"
    assert seen["umask"] == 0o077
    assert seen["core_limit"] == [0, 0]


def test_a_program_inherits_no_descriptor_and_no_ignored_signal(house: House) -> None:
    seen = house.seen_by_program()
    assert seen["fds"] == [0, 1, 2]
    ignored = {
        number for number in signal.Signals if seen["ignored_signals"] >> number - 1 & 1
    }
    assert ignored <= {
        signal.SIGPIPE,
        signal.SIGXFSZ,
    }  # Python, the fake's, ignores these


def test_nothing_of_the_helpers_environment_reaches_a_program(
    empty_house: House,
) -> None:
    empty_house.environment = SMUGGLED
    empty_house.start()
    assert empty_house.seen_by_program()["environment"] == {
        "HOME": str(empty_house.base / "home/alice"),
        "LANG": "C.UTF-8",
        "LOGNAME": "alice",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "SHELL": "/bin/bash",
        "USER": "alice",
    }


def test_the_operators_slurm_conf_is_the_only_addition(empty_house: House) -> None:
    empty_house.environment = {"SLURM_CONF": "/tmp/evil.conf"}
    empty_house.configure(slurm_conf="/etc/slurm/site.conf")
    empty_house.start()
    assert (
        empty_house.seen_by_program()["environment"]["SLURM_CONF"]
        == "/etc/slurm/site.conf"
    )


def test_the_script_is_the_whole_standard_input(house: House) -> None:
    script = "#!/bin/bash\n#SBATCH --time=5\necho 日本語 \"$HOME\" '\\n' $(id)\n"
    assert house.seen_by_program(script=script)["script"] == script


def test_a_script_of_a_mebibyte_arrives_whole(house: House) -> None:
    script = "#!/bin/sh\n" + "x" * (1024 * 1024 - 10)
    answer = house.submit(script=script)
    assert answer["ok"], answer["message"]
    assert answer["truncated"]  # the fake repeats the script beyond the output limit
    assert answer["exit_code"] == 0


def test_a_script_that_names_a_file_stays_text(house: House) -> None:
    secret = house.base / "etc/secret"
    secret.write_text("only for root")
    secret.chmod(0o600)
    link = house.base / "home/alice/job.sh"
    link.symlink_to(secret)
    answer = house.submit(script=str(link))
    assert answer["error"] == "refused"
    assert house.seen_by_program(script=f"#!{link}\n")["script"] == f"#!{link}\n"


def test_a_home_that_is_a_link_is_not_followed(own_house: House) -> None:
    home = own_house.base / "home/alice"
    home.rmdir()
    home.symlink_to("/etc")
    before = Path("/etc").stat().st_mtime_ns
    seen = own_house.seen_by_program()
    assert (seen["cwd"], seen["uids"]) == ("/", [ALICE] * 3)
    assert Path("/etc").stat().st_mtime_ns == before


def test_a_home_that_is_a_fifo_blocks_nothing(own_house: House) -> None:
    home = own_house.base / "home/alice"
    home.rmdir()
    os.mkfifo(home)
    assert own_house.seen_by_program()["cwd"] == "/"
    assert stat.S_ISFIFO(home.lstat().st_mode)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("root", "system user"),
        ("toor", "system user"),
        ("daemon", "system user"),
        ("system", "system user"),
        ("wheel", "root's group"),
        ("kqi", "system user"),
        ("mallory", "not in the group people"),
        ("nobody-knows", "name not found"),
        ("Ann", "not a user name"),
        ("", "not a user name"),
        (" alice", "not a user name"),
        ("alice\n", "not a user name"),
        ("alice\0", "not a user name"),
        ("../alice", "not a user name"),
        ("alice/..", "not a user name"),
        ("-alice", "not a user name"),
        ("20001", "not a user name"),
        ("+alice", "not a user name"),
        ("alic\u0435", "not a user name"),  # a Cyrillic letter
        ("\ud800", "not a user name"),
        ("a" * 33, "not a user name"),
        ("a" * 1_000_000, "not a user name"),
        (None, "not a user name"),
        (20001, "not a user name"),
        (True, "not a user name"),
        (["alice"], "not a user name"),
        ({"name": "alice"}, "not a user name"),
    ],
)  # fmt: skip
def test_nobody_else_is_acted_for(house: House, name: object, why: str) -> None:
    answer = house.ask("submit", name, SUBMIT)
    assert answer["error"] == "refused"
    assert why in answer["message"]


def test_a_program_that_is_missing_is_refused_not_run(empty_house: House) -> None:
    empty_house.configure(slurm_bin="/nonexistent")
    empty_house.start()
    answer = empty_house.submit()
    assert answer["error"] == "refused"
    assert "/nonexistent/sbatch" in answer["message"]


def test_a_person_who_left_the_group_is_refused_at_once(own_house: House) -> None:
    request = line({"verb": "submit", "person": "alice", "arguments": SUBMIT})
    assert own_house.send(request)["ok"]
    group = (
        own_house.base / "accounts/group"
    )  # mounted over /etc/group, so keep the file
    group.write_text(group.read_text().replace(":alice,", ":"))
    assert "not in the group" in own_house.send(request)["message"]
