"""A GPU that computes keeps a session alive, one that is only held does not.

`nvidia-smi` is a fake: it prints, as `pmon` does, what a file says of processes.
"""

import os
import time
from pathlib import Path

from tests.adapters.session.job import Job, job
from tests.fakes.session_hub import until

PMON = """\
#!/bin/sh
echo '# gpu        pid  type    sm   mem   enc   dec   command'
while read -r pid share; do
  echo "    0    $pid     C    $share     9     -     -   python"
done < "{uses}"
"""
IDLE_S = 3


def kernel_of(session: Job) -> int:
    """Start a kernel to which nobody connects, and return its process."""
    assert session.ask("api/kernels", "POST", {}).status == 201
    top = str(session.top)

    def found() -> int | None:
        for one in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = one.read_bytes().decode()
            except OSError:
                continue  # it has ended meanwhile
            if "ipykernel" in words and top in words:
                return int(one.parent.name)
        return None

    return int(until(found))


def test_gpu_that_computes_keeps_it_alive_and_memory_that_is_held_does_not(
    tmp_path: Path,
) -> None:
    uses, folder = tmp_path / "uses", tmp_path / "bin"
    uses.write_text("")
    folder.mkdir()
    tool = folder / "nvidia-smi"
    tool.write_text(PMON.format(uses=uses))
    tool.chmod(0o755)
    path = {"PATH": f"{folder}:{os.environ['PATH']}"}
    with job(tmp_path, path, idle_stop_s=IDLE_S, idle_warn_s=1) as session:
        kernel = kernel_of(session)
        uses.write_text(f"{kernel} 80\n1 99\n")
        until(lambda: session.state()["seen"]["gpu_processes"] == 1)
        time.sleep(2 * IDLE_S)
        state = session.state()
        assert state["stops_at"] is None
        assert state["seen"]["kernels_busy"] == 0
        uses.write_text(f"{kernel} -\n1 99\n")
        assert session.ends() == 0
        [ending] = [one for one in session.hub.bodies() if "ending" in one]
        assert (ending["ending"], ending["seen"]["gpu_processes"]) == ("idle", 0)
