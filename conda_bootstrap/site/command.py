"""The operator's command: `python -I -m conda_bootstrap.site`."""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from conda_bootstrap.errors import BootstrapError, WrongUse
from conda_bootstrap.site.about import read_machine
from conda_bootstrap.site.checking import check
from conda_bootstrap.site.folder import SiteFolder
from conda_bootstrap.site.keeping import overview, remove_old
from conda_bootstrap.site.making import Order, build
from conda_bootstrap.site.publishing import BACKENDS, Offer, publish
from conda_bootstrap.site.telling import Terminal

SHIPPED: Final = Path(__file__).parents[1] / "bases"
_DEFAULT: Final = Path("/opt/kqi-environments")


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    # Whatever the operator's umask: people have to be able to read it.
    os.umask(0o022)
    arguments = _parser().parse_args(argv)
    terminal = Terminal()
    try:
        code: int = arguments.run(arguments, terminal)
    except BootstrapError as error:
        terminal.say(str(error))
        return error.exit_code
    except OSError as error:
        terminal.say(f"{error.filename or arguments.site}: {error.strerror}")
        return 1
    except KeyboardInterrupt:
        terminal.say("Interrupted. Nothing was published; what was fetched is kept.")
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -I -m conda_bootstrap.site",
        description="Make and publish the conda bases that people's environments are"
        " made of. docs/operators/environments.md tells the whole of it.",
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--site", type=Path, default=_DEFAULT, help=f"its folder, default {_DEFAULT}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser(
        "build", parents=[common], help="solve and fetch bases; offers nothing yet"
    )
    one.add_argument(
        "bases",
        nargs="+",
        metavar="BASE",
        help=f"a shipped base ({', '.join(shipped())}) or a file NAME.yml",
    )
    one.add_argument("--channel", action="append", default=[], metavar="URL")
    one.add_argument("--machine", action="append", default=[], metavar="__cuda=12.4")
    one.add_argument("--link", action="store_true", help="link a file channel's files")
    one.add_argument("--cache", type=Path, help="where channel indexes are cached")
    one.add_argument("--publish", action="store_true", help="publish them as well")
    _add_places(one)
    one.set_defaults(run=_build)

    one = commands.add_parser(
        "publish", parents=[common], help="offer the newest lock of bases, or another"
    )
    one.add_argument("bases", nargs="+", metavar="BASE[=LOCK]")
    one.add_argument("--default-base", metavar="BASE")
    one.add_argument("--backend", choices=BACKENDS)
    one.add_argument("--backend-path", metavar="FILE")
    one.add_argument("--offer-channel", action="append", metavar="URL")
    _add_places(one)
    one.set_defaults(run=_publish)

    one = commands.add_parser(
        "check", parents=[common], help="read all of it and say what is wrong"
    )
    one.set_defaults(run=_check)
    one = commands.add_parser("list", parents=[common], help="show bases and locks")
    one.add_argument("--json", action="store_true")
    one.set_defaults(run=_list)
    one = commands.add_parser(
        "remove-old", parents=[common], help="remove old locks and their packages"
    )
    one.add_argument("--keep", type=int, default=1, help="how many, default 1")
    one.set_defaults(run=_remove_old)
    return parser


def _add_places(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seen-at", type=Path, metavar="DIR", help="where people see the folder"
    )
    parser.add_argument(
        "--channel-url", metavar="URL", help="where they fetch packages, if by HTTP"
    )
    parser.add_argument(
        "--python", metavar="FILE", help="the Python of people's commands, default this"
    )


def shipped() -> list[str]:
    """Return the names of the bases that come with KQI Hub."""
    return sorted(path.stem for path in SHIPPED.glob("*.yml"))


def _channel_url(arguments: argparse.Namespace) -> str | None:
    if arguments.channel_url is not None:
        return str(arguments.channel_url).rstrip("/")
    if arguments.seen_at is not None:
        return str((arguments.seen_at.absolute() / "channel").as_uri())
    return None


def _file_of(base: str) -> Path:
    if base in shipped():
        return SHIPPED / f"{base}.yml"
    if base.endswith((".yml", ".yaml")):
        return Path(base)
    raise WrongUse(
        "base",
        f"{ascii(base)[:80]} is no shipped base and no .yml file.",
        f"Shipped are: {', '.join(shipped())}.",
    )


def _machine(pairs: Sequence[str]) -> dict[str, str]:
    split = (pair.partition("=") for pair in pairs)
    return read_machine({name: version for name, _, version in split}, "--machine")


def _build(arguments: argparse.Namespace, terminal: Terminal) -> int:
    site = SiteFolder(arguments.site)
    orders = [
        Order(
            name=_file_of(base).stem,
            file=_file_of(base),
            channels=tuple(arguments.channel),
            channel_url=_channel_url(arguments),
            machine=_machine(arguments.machine),
            link=arguments.link,
            cache=arguments.cache,
        )
        for base in arguments.bases
    ]
    for order in orders:
        built = build(site, order, terminal)
        new = "built" if built.is_new else "unchanged"
        terminal.say(f"{order.name}: {built.folder.name} {new}")
    names = tuple(order.name for order in orders)
    if arguments.publish:
        offer = Offer(
            channel_url=_channel_url(arguments),
            seen_at=arguments.seen_at,
            python=arguments.python,
        )
        publish(site, names, offer, terminal)
    else:
        terminal.say(f"Offer them to people: publish {' '.join(names)}")
    return 0


def _publish(arguments: argparse.Namespace, terminal: Terminal) -> int:
    parts = [base.partition("=") for base in arguments.bases]
    more = arguments.offer_channel
    offer = Offer(
        default_base=arguments.default_base,
        backend=arguments.backend,
        backend_path=arguments.backend_path,
        channel_url=_channel_url(arguments),
        more_channels=None if more is None else tuple(more),
        seen_at=arguments.seen_at,
        python=arguments.python,
        versions={name: version for name, _, version in parts if version},
    )
    names = tuple(name for name, _, _ in parts)
    publish(SiteFolder(arguments.site), names, offer, terminal)
    return 0


def _check(arguments: argparse.Namespace, terminal: Terminal) -> int:
    wrong = check(SiteFolder(arguments.site), terminal.count)
    for line in wrong:
        terminal.say(line)
    terminal.say(f"{len(wrong)} wrong." if wrong else "All is well.")
    return 1 if wrong else 0


def _list(arguments: argparse.Namespace, _terminal: Terminal) -> int:
    found = overview(SiteFolder(arguments.site))
    if arguments.json:
        print(json.dumps(found, indent=1))
        return 0
    for one in found:
        mark = "current" if one["current"] else ""
        size = one.get("download_bytes", 0) / 1e6
        print(
            f"{one['name']:<16} {one['lock']} {one.get('packages', '?'):>4} packages"
            f" {size:>7,.0f} MB  {one.get('made_at', 'damaged'):<25} {mark}".rstrip()
        )
    return 0


def _remove_old(arguments: argparse.Namespace, terminal: Terminal) -> int:
    gone = remove_old(SiteFolder(arguments.site), max(arguments.keep, 0), terminal)
    terminal.say(
        f"Removed: locks {gone.locks}, packages {gone.packages},"
        f" {gone.size / 1e6:,.0f} MB."
    )
    return 0
