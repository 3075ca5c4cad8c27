"""Limits on time and output, and a helper that is stopped or killed half way."""

import contextlib
import os
import signal
import time
from pathlib import Path

from tests.adapters.runas.house import (
    House,
    answer_in,
    children_of,
    read_all,
    submission,
    told,
    wait_until,
)


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that waits to be buried does not."""
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        )
    except FileNotFoundError:
        return False


def test_what_a_program_says_and_exits_with_is_the_answer(house: House) -> None:
    assert house.submit(**told("fail")) == {
        "ok": True,
        "exit_code": 1,
        "stdout": "",
        "stderr": "sbatch: error: Invalid partition name specified\n",
        "timed_out": False,
        "truncated": False,
    }


def test_output_that_is_not_utf8_is_answered_with_replacements(house: House) -> None:
    assert house.submit(**told("say-bytes"))["stdout"] == "caf\ufffd \ufffd\0 end"


def test_a_flood_of_output_is_cut_at_the_limit_and_does_not_block(house: House) -> None:
    answer = house.submit(**told("flood"))
    assert answer["exit_code"] == 0
    assert answer["truncated"] is True
    assert answer["stdout"] == "x" * 1024 * 1024


def test_a_flood_does_not_make_the_helper_grow(own_house: House) -> None:
    peaks_kb: list[int] = []
    with own_house.connect() as door:
        door.sendall(submission(**told("flood")))
        wait_until(lambda: bool(own_house.children()))
        (call,) = own_house.children()
        with contextlib.suppress(FileNotFoundError, IndexError):
            while own_house.children():  # it waits for us to read its answer
                status = Path(f"/proc/{call}/status").read_text()
                peaks_kb.append(int(status.split("VmHWM:")[1].split()[0]))
                if len(peaks_kb) > 200:
                    door.recv(65536)
                time.sleep(0.005)
    assert 0 < max(peaks_kb) < 40_000


def test_a_program_beyond_its_time_is_ended(empty_house: House) -> None:
    empty_house.configure(time_limit_s=1)
    empty_house.start()
    began = time.monotonic()
    answer = empty_house.submit(**told("linger"))
    assert 0.9 < time.monotonic() - began < 2.5
    assert (answer["ok"], answer["timed_out"]) == (True, True)
    assert answer["exit_code"] == -signal.SIGTERM
    assert empty_house.audit()[-1]["outcome"] == "timed out"


def test_a_program_that_ignores_term_is_killed(empty_house: House) -> None:
    empty_house.configure(time_limit_s=1)
    empty_house.start()
    began = time.monotonic()
    answer = empty_house.submit(**told("ignore-term"))
    assert time.monotonic() - began < 5
    assert answer["timed_out"] is True
    assert answer["exit_code"] == -signal.SIGKILL
    assert answer["stdout"] == "ready\n"


def test_a_child_left_behind_with_the_output_open_is_ended(house: House) -> None:
    began = time.monotonic()
    answer = house.submit(**told("leave-child"))
    assert time.monotonic() - began < 3
    assert (answer["exit_code"], answer["timed_out"]) == (0, False)
    wait_until(lambda: not is_alive(int(answer["stdout"])))


def test_a_call_killed_half_way_gives_no_answer_and_leaves_nothing(
    own_house: House,
) -> None:
    with own_house.connect() as door:
        door.sendall(submission(**told("linger")))
        wait_until(lambda: any(children_of(pid) for pid in own_house.children()))
        (call,) = own_house.children()
        (program,) = children_of(call)
        os.kill(call, signal.SIGKILL)
        assert read_all(door) == b""
    wait_until(lambda: not is_alive(program))
    wait_until(lambda: own_house.audit()[-1]["outcome"] == "broken off: -9")
    assert own_house.submit()["ok"]  # the daemon goes on


def test_a_killed_daemon_is_replaced_and_its_running_call_ends_well(
    own_house: House,
) -> None:
    assert own_house.helper is not None
    with own_house.connect() as door:
        door.sendall(submission(**told("pause")))
        wait_until(lambda: any(children_of(pid) for pid in own_house.children()))
        own_house.helper.kill()
        own_house.helper.wait()
        assert own_house.door.exists()  # what a killed daemon leaves
        own_house.start()
        assert answer_in(read_all(door))["exit_code"] == 0
    assert own_house.submit()["ok"]


def test_a_polite_stop_removes_the_socket_and_waits_for_calls(own_house: House) -> None:
    assert own_house.helper is not None
    with own_house.connect() as door:
        door.sendall(submission(**told("pause")))
        wait_until(lambda: any(children_of(pid) for pid in own_house.children()))
        (call,) = own_house.children()
        os.kill(call, signal.SIGTERM)  # systemd may tell every process
        own_house.helper.send_signal(signal.SIGTERM)
        wait_until(lambda: not own_house.door.exists())
        assert answer_in(read_all(door))["exit_code"] == 0
    assert own_house.helper.wait(5) == 0


def test_an_idle_daemon_stops_at_once(own_house: House) -> None:
    began = time.monotonic()
    assert own_house.stop() == 0
    assert time.monotonic() - began < 1
    assert not own_house.door.exists()
