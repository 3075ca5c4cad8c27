"""What works in a session, from what /proc says."""

from dataclasses import replace

import pytest

from kqi_hub.session.processes import Process, Roots, Work, below, read_process, work

LINE = (
    "42 (a) S 1 42 40 34816 77 4194560 1 2 3 4 500 600 7 8 20 0 1 0 98765 1 2 "
    + "0 " * 28
)
TTY = 34816
RUNNER, SERVER, KERNEL, SHELL = 10, 11, 20, 30
ROOTS = Roots(RUNNER, SERVER, kernels=(KERNEL,), terminals=(SHELL,))


def process(pid: int, parent: int, name: str = "python3", **changes: int) -> Process:
    plain = Process(pid, name, "S", parent, pid, pid, 0, -1, ticks=0, started=pid)
    return replace(plain, **changes)  # type: ignore[arg-type]  # numbers only


def in_terminal(pid: int, parent: int, name: str, foreground: int) -> Process:
    return process(
        pid, parent, name, terminal=TTY, session=SHELL, foreground_group=foreground
    )


BASE = (
    process(RUNNER, 1),
    process(SERVER, RUNNER),
    process(KERNEL, SERVER),
    in_terminal(SHELL, SERVER, "bash", SHELL),
)


def seen(
    *more: Process, before: tuple[Process, ...] = (), elapsed_s: float = 0
) -> Work:
    now = {one.pid: one for one in (*BASE, *more)}
    return work(ROOTS, now, {one.pid: one for one in before}, elapsed_s)


def test_server_kernels_and_shells_at_their_prompt_do_no_work() -> None:
    assert seen() == Work()


def test_command_in_a_terminal_is_in_the_foreground() -> None:
    found = seen(in_terminal(40, SHELL, "make", 40))
    assert found == Work(foreground=1)


def test_command_after_an_ampersand_is_in_the_background() -> None:
    found = seen(in_terminal(40, SHELL, "make", SHELL))
    assert found == Work(background=1)


def test_command_that_lost_its_terminal_is_found_below_the_runner() -> None:
    assert seen(process(40, RUNNER, "train")) == Work(background=1)


def test_script_of_a_shell_counts_through_what_it_waits_for() -> None:
    script = in_terminal(40, SHELL, "bash", 40)
    child = replace(in_terminal(41, 40, "sleep", 40), group=40)
    assert seen(script, child) == Work(foreground=1)


def test_shell_of_tmux_waits_until_it_has_something_to_do() -> None:
    server = process(40, RUNNER, "tmux: server")
    shell = process(41, 40, "zsh", terminal=TTY + 1, foreground_group=41)
    assert seen(server, shell) == Work()
    busy = replace(shell, foreground_group=42)
    command = process(42, 41, "train", terminal=TTY + 1, foreground_group=42)
    assert seen(server, busy, command) == Work(foreground=1)


@pytest.mark.parametrize("name", ["ssh-agent", "gpg-agent", "dbus-daemon"])
def test_agents_that_only_wait_do_no_work(name: str) -> None:
    assert seen(process(40, RUNNER, name)) == Work()


@pytest.mark.parametrize("state", ["Z", "X"])
def test_what_has_ended_does_no_work(state: str) -> None:
    assert seen(replace(process(40, RUNNER, "train"), state=state)) == Work()


def test_helpers_of_the_server_do_no_work_of_anybody() -> None:
    assert seen(process(40, SERVER, "node"), process(41, 40, "node")) == Work()


@pytest.mark.parametrize(("ticks", "count"), [(0, 0), (10, 0), (5000, 1)])
def test_child_of_a_kernel_counts_when_it_takes_a_share_of_a_core(
    ticks: int, count: int
) -> None:
    earlier = process(40, KERNEL, ticks=100)
    later = replace(earlier, ticks=100 + ticks)
    found = seen(later, before=(*BASE, earlier), elapsed_s=30)
    assert found == Work(kernel_children=count)


def test_number_that_is_used_again_is_another_process() -> None:
    earlier = process(40, KERNEL, ticks=9000, started=1)
    later = process(40, KERNEL, ticks=5000, started=2)
    found = seen(later, before=(*BASE, earlier), elapsed_s=30)
    assert found == Work(kernel_children=1)


def test_other_jobs_of_the_same_person_on_the_node_are_none_of_ours() -> None:
    assert seen(process(40, 1, "train"), process(41, 40, "train")) == Work()


def test_below_ends_even_if_proc_shows_a_ring() -> None:
    ring = {1: process(1, 2), 2: process(2, 1)}
    assert below({1}, ring) == {1, 2}


def test_line_of_proc_is_read() -> None:
    found = read_process(LINE)
    assert found == Process(42, "a", "S", 1, 42, 40, 34816, 77, 1100, 98765)


@pytest.mark.parametrize("name", ["a) R 1 (b", "((", "))", " ", "\n", "x y", "プ"])
def test_name_of_a_process_may_be_anything(name: str) -> None:
    found = read_process(LINE.replace("(a)", f"({name})"))
    assert (found.name, found.parent) == (name, 1)


@pytest.mark.parametrize("line", ["", "42", "42 (a) S 1", "x (a) " + "1 " * 30, "()"])
def test_what_is_no_line_of_proc_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"no line|invalid literal"):
        read_process(line)
