"""Checks run side by side; none can hold up or take down the others."""

import asyncio
import threading
import time

import pytest

from kqi_hub.domain.errors import ClusterUnreachable
from kqi_hub.services.checks.examine import Check, aside, examine, exit_code
from kqi_hub.services.checks.finding import Finding, Level, fail, ok, skip, warn, worst
from kqi_hub.services.checks.once import Once


async def fine() -> Finding:
    return ok("fine", "all is well")


async def hang() -> Finding:
    await asyncio.sleep(60)
    raise AssertionError("never reached")


async def crash() -> Finding:
    raise ZeroDivisionError("a bug\nwith two lines")


async def refuse() -> Finding:
    raise ClusterUnreachable("No controller.", "Start slurmctld.")


async def test_findings_keep_their_order_whatever_happens_to_each() -> None:
    checks = [
        Check("hangs", hang, limit_s=0.05),
        Check("crashes", crash),
        Check("refuses", refuse),
        Check("fine", fine),
    ]
    began = time.monotonic()
    findings = await examine(checks)
    assert time.monotonic() - began < 5
    assert [finding.name for finding in findings] == [
        "hangs",
        "crashes",
        "refuses",
        "fine",
    ]
    assert findings[0].seen == "no answer within 0.05 s"
    assert findings[1].seen == "could not be checked: ZeroDivisionError a bug"
    assert (findings[2].seen, findings[2].todo) == (
        "No controller.",
        "Start slurmctld.",
    )
    assert [finding.level for finding in findings] == ["fail", "fail", "fail", "ok"]


async def test_blocking_work_that_never_returns_is_left_behind() -> None:
    gate = threading.Event()
    before = set(threading.enumerate())

    async def stuck() -> Finding:
        await aside(gate.wait)
        return ok("stuck", "")

    (finding,) = await examine([Check("stuck", stuck, limit_s=0.05)])
    assert finding.level is Level.FAIL
    mine = set(threading.enumerate()) - before
    assert mine
    assert all(thread.daemon for thread in mine)
    gate.set()


async def test_error_of_blocking_work_arrives() -> None:
    with pytest.raises(ZeroDivisionError):
        await aside(lambda: 1 // 0)


async def test_answer_that_comes_after_the_loop_gave_up_is_dropped() -> None:
    gate = threading.Event()
    task = asyncio.create_task(aside(gate.wait))
    await asyncio.sleep(0)
    task.cancel()
    gate.set()
    await asyncio.sleep(0.05)
    assert task.cancelled()


@pytest.mark.parametrize(
    ("findings", "code"),
    [
        ([ok("a", "")], 0),
        ([ok("a", ""), warn("b", "", "do"), skip("c", "why")], 0),
        ([ok("a", ""), fail("b", "", "do")], 1),
    ],
)
def test_only_failures_make_the_exit_code_1(findings: list[Finding], code: int) -> None:
    assert exit_code(findings) == code


def test_worst_is_the_first_of_the_most_serious() -> None:
    findings = [ok("a", ""), fail("b", "", ""), warn("c", "", ""), fail("d", "", "")]
    assert worst(findings).name == "b"


async def test_question_is_asked_once_for_everybody() -> None:
    asked = []

    async def ask() -> int:
        asked.append(1)
        await asyncio.sleep(0.01)
        return 7

    once = Once(ask)
    answers = await asyncio.gather(once.get(), once.get(), once.get())
    assert list(answers) == [7, 7, 7]
    assert len(asked) == 1


async def test_one_who_gives_up_does_not_take_the_answer_from_others() -> None:
    gate = asyncio.Event()

    async def ask() -> int:
        await gate.wait()
        return 7

    once = Once(ask)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(once.get(), 0.01)
    gate.set()
    assert await once.get() == 7
