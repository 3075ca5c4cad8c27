"""The way in through sudo, without sudo: what it would set, and what it must not be."""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.runas.house import (
    ALICE,
    KQI,
    STRANGER,
    SUBMIT,
    House,
    answer_in,
    children_of,
    submission,
    told,
    wait_until,
)
from tests.adapters.runas.test_becoming import SMUGGLED

REQUEST = submission()


def once(house: House, raw: bytes, sudo_uid: str | None = str(KQI)) -> dict[str, Any]:
    """Run one call as sudo would, with a hostile environment around it."""
    environment = SMUGGLED | {"PATH": os.environ["PATH"]}
    environment.pop("SUDO_UID")
    if sudo_uid is not None:
        environment["SUDO_UID"] = sudo_uid
    command = house.command("once")
    ran = subprocess.run(
        command, input=raw, env=environment, capture_output=True, timeout=30, check=True
    )
    return answer_in(ran.stdout)


def under_sudo(house: House, sudo_uid: str = str(KQI)) -> subprocess.Popen[bytes]:
    """Start a call that the test feeds by itself."""
    pipe = subprocess.PIPE
    environment = {"PATH": os.environ["PATH"], "SUDO_UID": sudo_uid}
    return subprocess.Popen(
        house.command("once"), stdin=pipe, stdout=pipe, env=environment
    )


def test_a_call_is_answered_and_nothing_of_the_environment_gets_through(
    empty_house: House,
) -> None:
    answer = once(empty_house, REQUEST)
    seen = json.loads(answer["stdout"])
    assert seen["uids"] == [ALICE] * 3
    assert set(seen["environment"]) == {
        "HOME",
        "LANG",
        "LOGNAME",
        "PATH",
        "SHELL",
        "USER",
    }
    assert seen["fds"] == [0, 1, 2]
    assert seen["script"] == SUBMIT["script"]
    assert empty_house.audit()[-1]["caller"] == KQI


@pytest.mark.parametrize("sudo_uid", [str(STRANGER), str(ALICE), "4294967295", "-1"])
def test_a_caller_who_is_not_on_the_list_is_refused(
    empty_house: House, sudo_uid: str
) -> None:
    answer = once(empty_house, REQUEST, sudo_uid)
    assert answer["message"] == f"uid {sudo_uid} may not call this helper"


def test_root_itself_is_a_caller_only_when_it_is_on_the_list(
    empty_house: House,
) -> None:
    assert once(empty_house, REQUEST, None)["ok"]
    empty_house.configure(callers=["kqi"])
    assert (
        once(empty_house, REQUEST, None)["message"] == "uid 0 may not call this helper"
    )


@pytest.mark.parametrize("sudo_uid", ["", "kqi", "0x0", "990 0"])
def test_a_caller_that_is_no_number_is_refused(
    empty_house: House, sudo_uid: str
) -> None:
    with under_sudo(empty_house, sudo_uid) as helper:
        assert helper.communicate(REQUEST, timeout=30)[0] == b""
    assert helper.returncode == 78


@pytest.mark.parametrize(
    "raw", [b"", b"{", REQUEST.rstrip(), REQUEST * 2, b"x" * 3_000_000]
)
def test_what_is_no_whole_request_is_refused(empty_house: House, raw: bytes) -> None:
    with under_sudo(empty_house) as helper:
        answer = answer_in(helper.communicate(raw, timeout=30)[0])
    assert answer["error"] == "refused"


def is_sbatch(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return b"/bin/sbatch" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def test_polite_signals_do_not_cut_a_call_short(empty_house: House) -> None:
    with under_sudo(empty_house) as helper:
        assert helper.stdin is not None
        helper.stdin.write(submission(**told("pause")))
        helper.stdin.flush()
        # Other children were there before: those of the shell that became the helper.
        wait_until(lambda: any(map(is_sbatch, children_of(helper.pid))))
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            helper.send_signal(number)
        assert answer_in(helper.communicate(timeout=30)[0])["exit_code"] == 0
