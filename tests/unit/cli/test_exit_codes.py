"""How `kqi` ends: each kind of end has its code, also what a command ends itself."""

import sys
from collections.abc import Iterator

import click
import pytest

from kqi_hub.cli.main import kqi, main
from kqi_hub.sdk.errors import NotReachable, PortalError, Refused, WrongState


@pytest.fixture
def raising(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[BaseException]]:
    """Have a command `ends` that raises what the test puts into the list."""
    errors: list[BaseException] = []

    @click.command("ends")
    def ends() -> None:
        if errors:
            raise errors[0]

    monkeypatch.setitem(kqi.commands, "ends", ends)
    monkeypatch.setattr(sys, "argv", ["kqi", "ends"])
    yield errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (click.exceptions.Exit(130), 130),
        (click.exceptions.Exit(0), 0),
        (click.exceptions.Abort(), 130),
        (click.UsageError("wrong"), 2),
        (PortalError("failed"), 1),
        (NotReachable("away"), 10),
        (WrongState("has ended"), 5),
        (Refused(404, "not-found", "gone", ""), 4),
        (Refused(409, "blocked", "in use", ""), 5),
        (Refused(507, "disk-full", "full", ""), 7),
    ],
)
def test_each_end_has_its_code(
    raising: list[BaseException], error: BaseException | None, code: int
) -> None:
    if error is not None:
        raising.append(error)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
