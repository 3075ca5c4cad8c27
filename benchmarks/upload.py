"""Files into the store: `kqi`, a browser, JupyterLab's own upload, and cp."""

from collections.abc import Mapping
from typing import Final

from benchmarks.cluster import Say, bench_cluster
from benchmarks.result import Figure, Goal, Result, machine
from benchmarks.upload_inside import LARGE_BYTES, ROUNDS, SMALL_BYTES, SMALL_FILES

ABOUT: Final = "10,000 files of 1 KB and one of 2 GB into the store, beside cp"
MOST_SMALL_S: Final = 10.0
MOST_SMALL_IN_BROWSER_S: Final = 30.0
LEAST_OF_CP: Final = 0.6
MOST_STORE_MB: Final = 200.0

Figures = Mapping[str, Mapping[str, float]]


def run(say: Say) -> Result:
    """Measure all in turn on one cluster."""
    with bench_cluster("", say) as cluster:
        say("Sending files, for some minutes")
        figures = cluster.run("benchmarks.upload_inside")
    conditions = {
        **machine(),
        "rounds": f"{ROUNDS} of each, in turn; everything flushed before each",
        "small": f"{SMALL_FILES} files of {SMALL_BYTES} bytes in 100 folders",
        "large": f"one file of {LARGE_BYTES} bytes; contents are random",
        "ours": "kqi data create, from its start to its end: through the proxy, hashed "
        "by both sides, flushed, published, hashes compared",
        "browser": "Debian's Chromium and our page of data, headless, from pressing "
        "the button to the page of the data",
        "peer": "JupyterLab's contents interface without hub and proxy, nothing hashed "
        "or flushed: base64, files of more than 1 MB in pieces of 1 MB, 4 at once",
        "floor": "cp -r on the same file system, sync -f behind it",
    }
    return judge(figures, conditions)


def judge(figures: Figures, conditions: dict[str, object]) -> Result:
    """Compare; a browser's figures are judged when there are any."""
    ours, large = figures["kqi, small"], figures["kqi, large"]
    flushed, bare = figures["cp + sync, large"], figures["cp, large"]
    goals = [
        Goal.below("seconds for the small files", MOST_SMALL_S, ours["median_s"]),
        Goal.at_least(
            "2 GB, part of the rate of cp + sync",
            LEAST_OF_CP,
            flushed["median_s"] / large["median_s"],
        ),
        Goal.at_least(
            "2 GB, part of the rate of cp without sync",
            LEAST_OF_CP,
            bare["median_s"] / large["median_s"],
        ),
        Goal.below("MB of the store", MOST_STORE_MB, figures["memory"]["store_mb"]),
    ]
    if "browser, small" in figures:
        goals += _in_browser(figures)
    return Result(
        bench="upload",
        ours=Figure("10,000 x 1 KB by kqi, median", ours["median_s"], "s"),
        peer=Figure(
            "JupyterLab's own upload", figures["jupyterlab, small"]["median_s"], "s"
        ),
        floor=Figure("cp -r + sync", figures["cp + sync, small"]["median_s"], "s"),
        goals=tuple(goals),
        conditions=conditions,
        details=figures,
    )


def _in_browser(figures: Figures) -> list[Goal]:
    small, large = figures["browser, small"], figures["browser, large"]
    rate = figures["cp + sync, large"]["median_s"] / large["median_s"]
    return [
        Goal.below(
            "seconds for the small files, in a browser",
            MOST_SMALL_IN_BROWSER_S,
            small["median_s"],
        ),
        Goal.at_least(
            "2 GB in a browser, part of the rate of cp + sync", LEAST_OF_CP, rate
        ),
    ]
