"""kqi price: what a job would cost, in the words of sbatch."""

import re
from typing import Any, Final

import click

from kqi_hub.cli.amounts import money
from kqi_hub.cli.options import LIFETIME, json_option
from kqi_hub.cli.output import say, show_json, show_table
from kqi_hub.sdk import config as configuration
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.queues import Estimate, PriceList

_GB_MB: Final = 1024
_CLOCK: Final = re.compile(
    r"(?:(\d{1,3})-)?(\d{1,3})(?::(\d{1,2}))?(?::(\d{1,2}))?", re.ASCII
)
_MINUTES: Final = re.compile(r"(\d{1,6})(?::(\d{1,2}))?", re.ASCII)
_DAY_H: Final = 24
_MINUTE_S: Final = 60


class JobTime(click.ParamType[int]):
    """A time as sbatch takes it (90, 8:00:00, 1-12, 1-12:30), or 90m, 8h, 2d."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return seconds."""
        if isinstance(value, int):
            return value
        text = str(value).strip()
        if text[-1:].isalpha():
            return LIFETIME.convert(text, param, ctx)
        seconds = _seconds(text)
        if not seconds:
            self.fail(
                f"{value!r} is no time. Write 90m, 8h, 8:00:00 or 1-12.", param, ctx
            )
        return seconds


class GpuCount(click.ParamType[tuple[str, int]]):
    """GPUs as sbatch takes them: 4, or a100:4."""

    name = "gpus"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Return type and number."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(?:([A-Za-z0-9_.-]{1,40}):)?([0-9]{1,4})", str(value))
        if not found:
            self.fail(f"{value!r} are no GPUs. Write 4, or a100:4.", param, ctx)
        return found[1] or "", int(found[2])


@click.command()
@click.option("-p", "--queue", "--partition", help="In this queue; all when left out.")
@click.option("-c", "--cpus", type=click.IntRange(1), default=1, help="CPUs.")
@click.option("--memory-gb", type=click.IntRange(1), default=4, help="Memory in GB.")
@click.option(
    "--gpus", type=GpuCount(), default="0", help="GPUs, with their type: a100:4."
)
@click.option(
    "-t", "--time", "lifetime_s", type=JobTime(), help="How long: 8h, 8:00:00."
)
@click.option("--tenant", help="Paid by this tenant; the one in use when left out.")
@json_option
def price(
    queue: str | None,
    memory_gb: int,
    gpus: tuple[str, int],
    tenant: str | None,
    as_json: bool,
    **job: Any,
) -> None:
    """Show what a job would cost, an hour and for its whole time; nothing is sent.

    It is the price that the bill will have: with the rates that are to come, and the
    tenant's own terms.
    """
    payer = tenant if tenant is not None else configuration.load().tenant
    kind, count = gpus
    with Client.from_config() as portal:
        found = portal.price(
            queue or "",
            memory_mb=memory_gb * _GB_MB,
            gpus=count,
            gpu_type=kind,
            tenant=payer,
            **job,
        )
    if as_json:
        show_json(found)
        return
    _show(found)


def _show(found: PriceList) -> None:
    timed = found.lifetime_s is not None
    head = ("Queue", "An hour", *(("In all",) if timed else ()), "")
    rows = [
        (one.queue, _hourly(one), *((_in_all(one),) if timed else ()), _said(one))
        for one in found.queues
    ]
    show_table(head, rows, "There is no queue for you.")
    left = next((x for x in found.queues if x.left_micro is not None), None)
    if left is not None and left.price is not None and left.left_micro is not None:
        amount = money(left.left_micro, left.price.currency)
        say(f"Tenant {found.tenant} has {amount} left this month.")


def _hourly(one: Estimate) -> str:
    price = one.price
    if price is None:
        return "no price"
    if price.is_free:
        return "free"
    least, most = price.least_micro_per_hour, price.micro_per_hour
    low = f"{money(least)} to " if least < most else ""
    return low + money(most, price.currency)


def _in_all(one: Estimate) -> str:
    if one.price is None or one.cost_micro is None:
        return "-"
    return money(one.cost_micro, one.price.currency)


def _said(one: Estimate) -> str:
    whole = one.price is not None and one.price.whole_node
    told = (*one.objections, *one.cautions, *(("the whole node",) if whole else ()))
    return "; ".join(told)


def _seconds(text: str) -> int:
    """Return seconds of sbatch's own times: minutes, hours:minutes:seconds, days-."""
    alone = _MINUTES.fullmatch(text)
    if alone:
        return int(alone[1]) * _MINUTE_S + int(alone[2] or 0)
    found = _CLOCK.fullmatch(text)
    if not found:
        return 0
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * _DAY_H + hours) * _MINUTE_S + minutes) * _MINUTE_S + seconds
