"""Every operation by its name: what a command line and a task's order both call."""

import contextlib
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conda_bootstrap import bytecode, sizes
from conda_bootstrap.creating import create
from conda_bootstrap.deleting import delete
from conda_bootstrap.entering import sweep_all
from conda_bootstrap.errors import Refused
from conda_bootstrap.importing import from_export, from_yml
from conda_bootstrap.inventory import names_of
from conda_bootstrap.making import Workshop
from conda_bootstrap.order import Order
from conda_bootstrap.places import Places, find_scratch
from conda_bootstrap.plugins import active_environment, install, profile_folders
from conda_bootstrap.reporting import Report
from conda_bootstrap.resetting import bring_back, repair, reset
from conda_bootstrap.setting_up import set_default, set_up
from conda_bootstrap.site_bases import Site, find_site
from conda_bootstrap.sources import Source, from_base, from_explicit, from_lock
from conda_bootstrap.verifying import verify

Done = tuple[dict[str, Any], str]


@dataclass(frozen=True, slots=True)
class Setting:
    """Which folders are meant; None leaves it to the environment's variables."""

    scratch: str | None = None
    site: str | None = None
    from_shell: bool = False

    def places(self) -> Places:
        """Return the person's folders."""
        return Places(find_scratch(self.scratch))

    def offered(self) -> Site:
        """Return what the site offers."""
        return find_site(self.site)


def carry_out(order: Order, setting: Setting, report: Report) -> dict[str, Any]:
    """Do what is asked and tell the report how it ended."""
    began = time.monotonic()
    places, site = setting.places(), setting.offered()
    shop = Workshop(places, site, report, setting.from_shell)
    result, text = _OPERATIONS[order.operation](shop, order)
    result |= {"seconds": round(time.monotonic() - began, 2)}
    report.done(text, result)
    return result


def finish(result: dict[str, Any], setting: Setting) -> None:
    """Do what an environment is used without: bytecode, and its size for lists.

    In a job nothing goes on when it has ended, so there the bytecode is waited for.
    """
    if "kernels" not in result:
        return
    places, path = setting.places(), Path(result["path"])
    if setting.from_shell:
        bytecode.in_background(places, path.name)
        return
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        bytecode.compile_modules(path, bytecode.cache_of(places))
    with contextlib.suppress(OSError):
        sizes.counted(places, path.name)


def _create(shop: Workshop, order: Order) -> Done:
    result = create(shop, order.name, source_of(order, shop.site))
    return result, _ready(result)


def _reset(shop: Workshop, order: Order) -> Done:
    given = (order.base, order.lock, order.explicit, order.yml, order.imported)
    source = source_of(order, shop.site) if any(given) else None
    result = reset(shop, order.name, source, order.bring_back)
    more = (
        f"Kernels that were running in it have to be restarted.\n"
        f"To have back what you had added: bring-back {order.name}"
    )
    return result, f"{_ready(result)}\n{more}"


def _repair(shop: Workshop, order: Order) -> Done:
    result = repair(shop, order.name)
    return result, f"{_ready(result)}\nRunning kernels of it have to be restarted."


def _bring_back(shop: Workshop, order: Order) -> Done:
    result = bring_back(shop, order.name)
    return result, _ready(result)


def _delete(shop: Workshop, order: Order) -> Done:
    result = delete(shop.places, order.name, shop.report)
    return result, f"{order.name} is removed."


def _verify(shop: Workshop, order: Order) -> Done:
    if order.name:
        _check_there(shop, order.name)
    names = [order.name] if order.name else names_of(shop.places)
    told = {name: verify(shop.places, name, shop.report) for name in names}
    lines = [line for name, one in told.items() for line in _verified(name, one)]
    return {"environments": told}, "\n".join(lines) or "There is no environment yet."


def _verified(name: str, told: dict[str, Any]) -> list[str]:
    lines = [
        f"{name}: {one['title']} starts ({one['seconds']:.1f} s)"
        for one in told["kernels"]
        if one["ok"]
    ]
    if told["why"]:
        lines.append(f"{name}: BROKEN. {told['why']['text']} Mend it: repair {name}")
    if not lines:
        lines.append(f"{name}: no kernel; its Python runs.")
    return lines


def _setup(shop: Workshop, order: Order) -> Done:
    result = set_up(shop, order.base, shop.from_shell)
    lines = [_ready(result), f"Your work belongs in {shop.places.workspace}."]
    if shop.from_shell:
        lines.append("Next: open a new terminal (or: source ~/.bashrc), then")
        lines.append("  conda activate notebook")
        lines.append("or start a notebook on the web page.")
    return result, "\n".join(lines)


def _plugins(shop: Workshop, order: Order) -> Done:
    name = order.name or active_environment(shop.places)
    result = install(shop, name, profile_folders(shop.places, shop.from_shell))
    lines = [f"The plug-ins are in {name}: ipyparallel, TensorBoard, profile slurm."]
    if result["not_had"]:
        lines = [f"Not to be had for {name}: {', '.join(result['not_had'])}."]
    lines.append("Next: start a notebook on the web page; its Clusters tab has slurm.")
    return result, "\n".join(lines)


def _default(shop: Workshop, order: Order) -> Done:
    _check_there(shop, order.name)
    set_default(shop.places, order.name)
    return {"name": order.name}, f"Notebooks begin with {order.name} from now on."


def _check_there(shop: Workshop, name: str) -> None:
    if not shop.places.environment(name).is_dir():
        raise Refused("no_environment", f"There is no environment {name}.", "See: list")


def _sweep(shop: Workshop, order: Order) -> Done:
    count = sweep_all(shop)
    return {"removed": count}, f"Removed, as nobody needs them any more: {count}."


def source_of(order: Order, site: Site) -> Source:
    """Return what an order's environment is made from."""
    if order.lock is not None:
        return from_lock(order.lock)
    if order.explicit is not None:
        return from_explicit(order.explicit)
    if order.yml is not None:
        return from_yml(order.yml)
    if order.imported is not None:
        return from_export(order.imported, site)
    return from_base(site.base(order.base))


def _ready(result: dict[str, Any]) -> str:
    path = Path(result["path"])
    lines = [f"The environment {result['name']} is ready in {path}."]
    if result["kernels"]:
        lines.append(f"Notebooks: choose the kernel that has {result['name']} in it.")
    if result.get("not_had"):
        lines.append(f"Not to be had, so left out: {', '.join(result['not_had'])}")
    lines.append(f"Terminal:  conda activate {path}")
    lines.append(f"           or, without conda: export PATH={path}/bin:$PATH")
    return "\n".join(lines)


_OPERATIONS = {
    "create": _create,
    "reset": _reset,
    "repair": _repair,
    "bring-back": _bring_back,
    "delete": _delete,
    "verify": _verify,
    "sweep": _sweep,
    "setup": _setup,
    "plugins": _plugins,
    "default": _default,
}
