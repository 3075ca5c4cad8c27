"""The form's page: what is offered in a tenant, what was typed, what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from handlers.ask import Ask, Page, Values
from handlers.pages.notebooks.offers import (
    Met,
    gpu_types,
    met,
    preset_card,
    queue_card,
    said,
)
from handlers.pages.notebooks.picture import Aged
from handlers.pages.notebooks.refusal import faults_of, refusal_at_field
from handlers.pages.notebooks.typed import Typed, shape_or_none
from handlers.pages.typed_fields import hours_of, sizes_of
from kqi_hub.domain.data import Dataset
from kqi_hub.domain.dataset_list import DatasetQuestion
from kqi_hub.domain.errors import KqiError
from kqi_hub.domain.notebooks import Notebook, NotebookRules, Shape
from kqi_hub.domain.people import Role
from kqi_hub.domain.queues import Queue
from kqi_hub.i18n import N_
from kqi_hub.services.board import Picture

_TEMPLATE: Final = "pages/notebooks/form.html"
_OFFERED: Final = 200
_NEW: Final = N_("New notebook")
_COPY: Final = N_("Copy of {name}")
_CHANGE: Final = N_("Change {name}")
_LEAD_NEW: Final = N_(
    "Say once what it needs. Nothing runs and nothing is charged before you start it."
)
_LEAD_CHANGE: Final = N_("Its files stay as they are, whatever you change here.")


@dataclass(frozen=True, slots=True)
class Draft:
    """A form under way: what is typed, in which notebook, refused for what."""

    sent: Mapping[str, str]
    notebook: Notebook | None = None
    copied: Notebook | None = None
    error: KqiError | None = None
    is_prefilled: bool = False

    @property
    def tenant(self) -> str:
        """Return the tenant whose queues and limits count."""
        return self.sent["tenant"]


async def form_page(ask: Ask, draft: Draft, rules: NotebookRules) -> Page:
    """Return the form with everything that is offered, and all that was typed."""
    tenant = _own_tenant(ask, draft.tenant)
    picture, found = await ask.deps.queues.list(ask.me.person, tenant)
    error = draft.error
    problem = refusal_at_field(ask, error, Typed.model_fields)
    usable = [queue for queue in found if queue.obstacle is None]
    offered = ask.deps.queues.presets_for(tenant)
    presets = [await preset_card(ask, picture, one, tenant) for one in offered]
    estimate = await estimate_of(ask, draft.sent, picture)
    datasets = await offered_datasets(ask, tenant)

    def values() -> Values:
        return {
            **_frame(ask, draft),
            "sent": draft.sent,
            "faults": faults_of(Typed.model_fields, problem),
            "problem": problem,
            "picture": Aged.of(picture),
            "tenants": own_tenants(ask),
            "presets": presets,
            "queues": [queue_card(ask, queue) for queue in usable],
            "closed": [queue_card(ask, queue) for queue in found if queue.obstacle],
            "no_queue": next((said(ask, q.obstacle) for q in found), ""),
            "gpu_types": gpu_types(usable),
            "may_be_unlimited": tenant in rules.unlimited_tenants,
            "longest_h": hours_of(rules.longest_lifetime_s),
            "estimate": estimate,
            "datasets": datasets,
        }

    return Page(_TEMPLATE, values, error.status if error else 200)


async def offered_datasets(ask: Ask, tenant: str | None) -> tuple[Dataset, ...]:
    """Return a tenant's newest datasets; an older one is chosen by its number."""
    if tenant is None:
        return ()
    asked = DatasetQuestion(tenant=tenant, per_page=_OFFERED)
    return (await ask.deps.datasets.search(ask.asker, asked)).items


async def estimate_of(ask: Ask, sent: Mapping[str, str], picture: Picture) -> Met:
    """Return what the typed choice would meet; nothing known where it is unreadable."""
    tenant = _own_tenant(ask, sent["tenant"])
    if sent["preset"]:
        offered = ask.deps.queues.presets_for(tenant)
        chosen = next((one for one in offered if one.name == sent["preset"]), None)
        if chosen is None:
            return Met()
        about = (chosen.queue, chosen.shape, chosen.lifetime_s)
    else:
        shape, lifetime_s = shape_or_none(sent)
        if shape is None:
            return Met()
        about = (sent["queue"], shape, lifetime_s)
    return await met(ask, picture, *about, tenant)


def first_choice(
    ask: Ask, queues: tuple[Queue, ...], rules: NotebookRules
) -> dict[str, str]:
    """Return the form as it is before anything is typed."""
    blank = Typed.model_validate({}).model_dump()
    presets = ask.deps.queues.presets_for(ask.tenant)
    usable = [queue for queue in queues if queue.obstacle is None]
    usual = [queue for queue in usable if queue.partition.is_default]
    first = next(iter(usual or usable), None)
    return {
        **blank,
        "tenant": ask.tenant or "",
        "preset": presets[0].name if presets else "",
        "queue": first.name if first else "",
        **sizes_of(Shape(2, 8192)),
        "lifetime_h": hours_of(rules.default_lifetime_s),
        "ui": rules.ui.value,
    }


def _frame(ask: Ask, draft: Draft) -> dict[str, object]:
    known, say = draft.notebook, ask.texts.say
    if known is not None:
        title = say(_CHANGE, {"name": known.choices.name})
        here = f"notebooks/{known.id}"
        action, cancel = f"{here}/edit", here
    else:
        copied = draft.copied
        title = say(_COPY, {"name": copied.choices.name}) if copied else say(_NEW)
        action, cancel = "notebooks/new", "notebooks"
    return {
        "title": title,
        "lead": say(_LEAD_CHANGE if known else _LEAD_NEW),
        "action": action,
        "cancel": cancel,
        "is_known": known is not None,
        "is_live": known is not None and known.is_live,
        "is_prefilled": draft.is_prefilled,
    }


def own_tenants(ask: Ask) -> list[str]:
    """Return the tenants in which somebody may have something run."""
    return [m.tenant for m in ask.me.memberships if m.role >= Role.MEMBER]


def _own_tenant(ask: Ask, typed: str) -> str | None:
    """Return a tenant that is the person's: another one's queues are not shown."""
    role = ask.me.role_in(typed) if typed else None
    return typed if role is not None else ask.tenant
