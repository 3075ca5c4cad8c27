"""One operation at a time, and what the second one is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from conda_bootstrap.errors import Refused
from conda_bootstrap.locks import is_locked, locked
from conda_bootstrap.places import Places

HOLD = """
import sys, time
from pathlib import Path
from conda_bootstrap.locks import locked
from conda_bootstrap.places import Places
with locked(Places(Path(sys.argv[1])), "notebook", "reset"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_second_operation_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    places = Places(tmp_path)
    argv = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            assert is_locked(places, "notebook")
            assert not is_locked(places, "other")
            with (
                pytest.raises(Refused, match=f"reset, by process {holder.pid} on"),
                locked(places, "notebook", "create"),
            ):
                pytest.fail("both held it")
        finally:
            holder.kill()
    assert not is_locked(places, "notebook")
    with locked(places, "notebook", "create"):
        assert is_locked(places, "notebook")


def test_lock_is_free_after_an_error(tmp_path: Path) -> None:
    places = Places(tmp_path)
    with pytest.raises(ZeroDivisionError), locked(places, "a", "create"):
        raise ZeroDivisionError
    assert not is_locked(places, "a")


@pytest.mark.parametrize("note", [b"", b"nonsense", b'{"pid": 1}', b"\xff" * 2000])
def test_unreadable_note_of_a_holder_is_no_trouble(tmp_path: Path, note: bytes) -> None:
    places = Places(tmp_path)
    with locked(places, "a", "create"):
        (places.own / "lock/a").write_bytes(note)
        with pytest.raises(Refused, match="another operation"):
            locked(places, "a", "reset").__enter__()
