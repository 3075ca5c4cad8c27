"""Two months of a small cluster's life, for pages and stores to show; days are UTC."""

from kqi_hub.domain.node_shapes import NodeShape
from kqi_hub.domain.site_days import period_of
from kqi_hub.domain.usage import IntakeState
from kqi_hub.domain.usage_periods import month_days
from tests.fakes.usage import DAY, HOUR, FakeUse, record


def furnish(use: FakeUse, now: float) -> None:
    """Make two months of three people's runs, until now."""
    use.now = now
    today = use.days.day_of(now)
    names = {
        "nb": "nb-3-" + "a" * 26,
        "training": "training-12-" + "b" * 26,
        "hand": "by-hand",
    }
    for back in range(60, 0, -1):
        began = use.days.begins(today - back) + 9 * HOUR
        number = 1000 + 10 * back
        if back % 7 in {0, 6}:
            continue
        use.add(
            record(
                number, "mia", "vision", "jupyter", began, 5.5, name=names["nb"], cpus=4
            )
        )
        use.add(
            record(
                number + 1,
                "mia",
                "vision",
                "a100",
                began,
                3 + back % 5,
                name=names["training"],
                gpus="a100=8",
                cpus=64,
                qos="high",
                state="FAILED" if back % 4 == 0 else "COMPLETED",
            )
        )
        use.add(
            record(
                number + 2,
                "max",
                "vision",
                "v100",
                began + 5 * HOUR,
                20,
                name=names["hand"],
                gpus="v100=4",
                cpus=40,
                state="TIMEOUT" if back % 9 == 0 else "COMPLETED",
            )
        )
        use.add(record(number + 3, "mallory", "nlp", "cpu", began, 2.25, cpus=16))
    use.add(record(70, "mia", "vision", "old", use.days.begins(today - 3), 4))
    use.add(
        record(
            71,
            "mia",
            "vision",
            "a100",
            use.days.begins(today - 2),
            1,
            started_at=None,
            state="CANCELLED by 1001",
        )
    )
    use.add(
        record(
            72,
            "mia",
            "vision",
            "cpu",
            int(now) - 3 * DAY,
            0,
            ended_at=None,
            state="RUNNING",
        )
    )
    use.nodes = (
        NodeShape("a100-01", 0, 64, 1_024_000, "a100=8"),
        NodeShape("v100-01", 0, 40, 384_000, "v100=4"),
        NodeShape("cpu-01", 0, 64, 256_000, ""),
        NodeShape("jupyter-01", 0, 40, 192_000, "v100=1"),
    )  # fmt: skip
    use.state = IntakeState(int(now) - 60, int(now) - 90 * DAY, int(now) - 90 * DAY)
    this = period_of(today)
    last = period_of(month_days(this).first - 1)
    use.closed[last] = now - 3600
    use.credit("vision", last, -5_000_000, "Node a100-01 was slow")
    use.correct(2, 1_500_000, this)
