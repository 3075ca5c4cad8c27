import io
import sys

import pytest

from conda_bootstrap.site.telling import Terminal


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_one_line_moves_and_the_next_begins_below(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    terminal = Terminal()
    monkeypatch.setattr(terminal, "_told_at", 0.0)
    terminal.count(1_000_000, 3_000_000)
    terminal.count(2_000_000, 3_000_000)  # too soon after the one before
    terminal.count(3_000_000, 3_000_000)
    terminal.say("done")
    assert screen.getvalue() == "\r  1 of 3 MB\r  3 of 3 MB\ndone\n"


def test_in_a_log_quick_work_leaves_one_line_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    terminal = Terminal()
    terminal.say("begun")
    for done in range(1000):
        terminal.count(done, 1000)
    terminal.say("done")
    assert log.getvalue() == "begun\ndone\n"
