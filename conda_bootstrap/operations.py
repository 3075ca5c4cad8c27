"""Every operation by its name: what a command line and a task's order both call."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conda_bootstrap.creating import create
from conda_bootstrap.making import Workshop
from conda_bootstrap.order import Order
from conda_bootstrap.places import Places, find_scratch
from conda_bootstrap.reporting import Report
from conda_bootstrap.site_bases import Site, find_site
from conda_bootstrap.sources import Source, from_base, from_explicit, from_lock
from conda_bootstrap.stages import sweep_all


@dataclass(frozen=True, slots=True)
class Setting:
    """Which folders are meant; None leaves it to the environment's variables."""

    scratch: str | None = None
    site: str | None = None

    def places(self) -> Places:
        """Return the person's folders."""
        return Places(find_scratch(self.scratch))

    def offered(self) -> Site:
        """Return what the site offers."""
        return find_site(self.site)


def carry_out(order: Order, setting: Setting, report: Report) -> dict[str, Any]:
    """Do what is asked and tell the report how it ended."""
    began = time.monotonic()
    shop = Workshop(setting.places(), setting.offered(), report)
    result, text = _OPERATIONS[order.operation](shop, order)
    result |= {"seconds": round(time.monotonic() - began, 2)}
    report.done(text, result)
    return result


def _create(shop: Workshop, order: Order) -> tuple[dict[str, Any], str]:
    result = create(shop, order.name, source_of(order, shop.site))
    return result, _ready(result)


def _sweep(shop: Workshop, order: Order) -> tuple[dict[str, Any], str]:
    count = sweep_all(shop.places)
    return {"removed": count}, f"Removed {count} folders that nobody needs any more."


def source_of(order: Order, site: Site) -> Source:
    """Return what an order's environment is made from."""
    if order.lock is not None:
        return from_lock(order.lock)
    if order.explicit is not None:
        return from_explicit(order.explicit)
    return from_base(site.base(order.base))


def _ready(result: dict[str, Any]) -> str:
    path = Path(result["path"])
    lines = [f"The environment {result['name']} is ready in {path}."]
    if result["kernels"]:
        lines.append(f"Notebooks: choose the kernel that has {result['name']} in it.")
    lines.append(f"Terminal:  conda activate {path}")
    lines.append(f"           or, without conda: export PATH={path}/bin:$PATH")
    return "\n".join(lines)


_OPERATIONS = {"create": _create, "sweep": _sweep}
