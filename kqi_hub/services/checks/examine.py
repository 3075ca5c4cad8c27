"""Run checks side by side; one that hangs or crashes is a line, not a traceback."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from kqi_hub.domain.errors import KqiError
from kqi_hub.services.checks.finding import Finding, Level, fail

LIMIT_S: Final = 15.0
HELP: Final = "See docs/operators/doctor.md."
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Check:
    """A named look at one thing, and how long it may take."""

    name: str
    look: Callable[[], Awaitable[Finding]]
    limit_s: float = LIMIT_S


async def examine(checks: Sequence[Check]) -> tuple[Finding, ...]:
    """Run all checks at once and return their findings in order."""
    return tuple(await asyncio.gather(*(_run(check) for check in checks)))


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 1 when something fails, else 0."""
    return int(any(finding.level is Level.FAIL for finding in findings))


async def aside(work: Callable[[], T]) -> T:
    """Run blocking work in a thread that cannot keep the process from ending.

    asyncio.to_thread is not enough: a stat on a dead network file system never
    returns, and its thread would be waited for at exit.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def give(error: BaseException | None, value: T | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(value)  # type: ignore[arg-type]  # set when no error

    def run() -> None:
        error, value = None, None
        try:
            value = work()
        except Exception as caught:  # noqa: BLE001  raised again on the loop
            error = caught
        if not loop.is_closed():
            loop.call_soon_threadsafe(give, error, value)

    threading.Thread(target=run, daemon=True).start()
    return await answer


async def _run(check: Check) -> Finding:
    try:
        async with asyncio.timeout(check.limit_s):
            return await check.look()
    except TimeoutError:
        seen = f"no answer within {check.limit_s:g} s"
        return fail(check.name, seen, "See what hangs; then run kqi-hub doctor again.")
    except KqiError as error:
        return fail(check.name, error.message, error.hint or HELP)
    except Exception as error:  # noqa: BLE001  a broken check is a line
        first = next(iter(str(error).splitlines()), "")
        seen = f"could not be checked: {type(error).__name__} {first}".rstrip()
        return fail(check.name, seen, "This may be a fault of the doctor: report it.")
