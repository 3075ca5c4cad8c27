"""What the pages of use are asked for, and their addresses."""

from typing import Literal
from urllib.parse import urlencode

from pydantic import Field

from handlers.api.usage_models import WantedUsage, place
from handlers.ask import Ask
from kqi_hub.domain.usage import Days, Group
from kqi_hub.domain.usage_periods import NAMED, said_day
from kqi_hub.i18n import N_
from kqi_hub.services.usage import Asked, Of, RunsWanted

Show = Literal["cost", "gpu", "cpu", "runs"]
SHOWS = {
    "cost": N_("Cost"),
    "gpu": N_("GPU hours"),
    "cpu": N_("CPU hours"),
    "runs": N_("Runs ended"),
}
PERIODS = {
    "this-month": N_("This month"),
    "last-month": N_("Last month"),
    "7-days": N_("Last 7 days"),
    "30-days": N_("Last 30 days"),
    "12-months": N_("Last 12 months"),
    "this-year": N_("This year"),
}
# What narrows the sums stays in every address of these pages.
_KEPT = ("period", "since", "until", "queue", "qos", "gpu_type", "kind", "person")


class PageWanted(WantedUsage):
    """What a page of use shows."""

    period: str = Field("this-month", max_length=40)
    show: Show = "cost"

    def asked_as(self, of: Of, ask: Ask) -> Asked:
        """Return whose use a page shows, whatever its address says."""
        tenant = {Of.MINE: None, Of.TENANT: ask.tenant, Of.CLUSTER: self.in_tenant}[of]
        return Asked(
            of=of,
            tenant=tenant,
            person=self.person,
            queue=self.queue,
            qos=self.qos,
            gpu_type=self.gpu_type,
            kind=self.kind,
        )

    @property
    def in_tenant(self) -> str | None:
        """Return a tenant that operators narrow the cluster's use to."""
        return None

    @property
    def is_narrow(self) -> bool:
        """Tell whether only a part of somebody's use is asked for."""
        return any(getattr(self, name) for name in _KEPT[3:])

    @property
    def narrow(self) -> dict[str, str]:
        """Return what an address keeps."""
        return {name: getattr(self, name) for name in _KEPT if getattr(self, name)}


class ClusterWanted(PageWanted):
    """What the page of the whole cluster shows; `account`: one tenant of it."""

    account: str = Field("", max_length=64)

    @property
    def in_tenant(self) -> str | None:
        """Return the tenant, None for all."""
        return self.account or None

    @property
    def is_narrow(self) -> bool:
        """Tell whether only a part of the cluster's use is asked for."""
        return bool(self.account) or super().is_narrow

    @property
    def narrow(self) -> dict[str, str]:
        """Return what an address keeps."""
        found = super().narrow
        return found | {"account": self.account} if self.account else found


class RunsPageWanted(ClusterWanted):
    """Which runs a page lists."""

    job: str = Field("", max_length=12, pattern=r"^[0-9]*$")
    thing: str = Field("", max_length=15, pattern=r"^[0-9]*$")
    failed: Literal["", "yes"] = ""
    after: str = Field("", pattern=r"^([0-9]{1,19}\.[0-9]{1,16})?$")

    def runs(self, per_page: int) -> RunsWanted:
        """Return it as the services know it."""
        job = min(int(self.job), 2**40) if self.job else None
        thing = int(self.thing) if self.thing else None
        failed = self.failed == "yes"
        return RunsWanted(job, failed, place(self.after), per_page, thing)


def time_group(days: Days) -> Group:
    """Return by what a chart of so many days has its bars."""
    return Group.DAY if days.number <= MOST_BARS else Group.MONTH


MOST_BARS = 100


def periods(ask: Ask, wanted: PageWanted) -> list[tuple[str, str]]:
    """Return the periods that are offered; one that was typed stays among them."""
    found = [(name, ask.texts.say(PERIODS[name])) for name in NAMED]
    if wanted.period not in NAMED:
        found.append((wanted.period, wanted.period))
    return found


def runs_path(ask: Ask, wanted: PageWanted, of: Of) -> str:
    """Return where the runs behind the sums are listed; days are added to it."""
    query = {"of": of.value, "tenant": ask.tenant or "", **wanted.narrow}
    days = ("period", "since", "until")
    kept = {name: value for name, value in query.items() if value and name not in days}
    return f"usage/runs?{urlencode(kept)}"


def api_address(ask: Ask, path: str, asked: Asked, days: Days, **more: str) -> str:
    """Return where the same is to be had as a file, below the portal's address."""
    query = {
        "of": asked.of.value,
        "tenant": asked.tenant or "",
        "person": asked.person,
        "queue": asked.queue,
        "qos": asked.qos,
        "gpu_type": asked.gpu_type,
        "kind": asked.kind,
        "since": said_day(days.first),
        "until": said_day(days.last),
        **more,
    }
    kept = {name: value for name, value in query.items() if value}
    return f"api/v1/{path}?{urlencode(kept)}"
