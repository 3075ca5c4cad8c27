"""What a site's own script does: sacct's text into pandas, hours by account and month.

Runs in an environment of its own, and knows nothing of ours. On stdin: the questions
and the names of the fields. Each answer is summed and dropped; nothing is kept.
"""

import json
import resource
import subprocess
import sys
import time
from importlib import import_module
from typing import Any

# It is nowhere but in the environment of this bench: no checker finds its types.
pandas = import_module("pandas")


def read(question: list[str], names: list[str]) -> Any:
    """Return one answer as a table."""
    with subprocess.Popen(question, stdout=subprocess.PIPE) as sacct:
        # A tab in a name would break its row: such scripts do not know.
        return pandas.read_csv(
            sacct.stdout, sep="\t", names=[*names, "end"], index_col=False,
            dtype=str, keep_default_na=False, quoting=3, on_bad_lines="skip",
        )  # fmt: skip


def summed(table: Any) -> Any:
    """Return CPU seconds by account and month of the run's end."""
    starts = pandas.to_numeric(table["Start"], errors="coerce")
    ends = pandas.to_numeric(table["End"], errors="coerce")
    cpus = table["AllocTRES"].str.extract(r"cpu=(\d+)")[0].astype(float)
    gpus = table["AllocTRES"].str.extract(r"gres/gpu=(\d+)")[0].astype(float).fillna(0)
    used = pandas.DataFrame(
        {
            "account": table["Account"],
            "month": pandas.to_datetime(ends, unit="s").dt.strftime("%Y-%m"),
            "cpu_s": (ends - starts) * cpus,
            "gpu_s": (ends - starts) * gpus,
        }
    )
    return used.groupby(["account", "month"]).sum()


def main() -> None:
    """Read all of it and print how long it took."""
    questions, names = json.load(sys.stdin)
    began, rows, sums = time.monotonic(), 0, []
    for question in questions:
        table = read(question, names)
        rows += len(table)
        sums.append(summed(table))
    total = pandas.concat(sums).groupby(level=[0, 1]).sum()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {
        "wall_s": round(time.monotonic() - began, 2),
        "memory_peak_mb": round(peak, 1),
        "rows": rows,
        "sums": len(total),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
