"""Git's push and pull in a notebook, with the token that the person stored.

The token stays in the session's order, a file of mode 0600 that goes away with the
session. Programs of the session are told only how to ask for it: Git runs this module
(`python -I -m kqi_hub.runner.git_token ORDER get`) as its credential helper, for the
host of the notebook's repository and for no other one.
"""

import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kqi_hub.runner.order import BadOrder, Order, read_order

_USAGE: Final = 64
_LONGEST: Final = 16 * 1024
_ENDED: Final = (
    "this session has no token for {host} any more: start the notebook again"
)
_REFUSED: Final = (
    "{host} refused the token that you stored. Store a new one in the portal (Your "
    "account, Git services), then start this notebook again"
)


def token_environment(order: Order, environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which Git asks us; as it was where nobody chose that.

    The empty helper first: helpers of the person's would be told the token, and keep
    it. What they have set this way themselves stays.
    """
    host = _host_of(order)
    if not host or order.git is None:
        return dict(environment)
    asking = [sys.executable, "-I", "-m", "kqi_hub.runner.git_token", str(order.file)]
    told = environment.get("GIT_CONFIG_COUNT", "")
    first = int(told) if told.isdecimal() and len(told) < 4 else 0
    added = {"GIT_CONFIG_COUNT": str(first + 2)}
    for number, helper in enumerate(("", f"!{shlex.join(asking)}"), first):
        added[f"GIT_CONFIG_KEY_{number}"] = f"credential.{host}.helper"
        added[f"GIT_CONFIG_VALUE_{number}"] = helper
    return {**environment, **added}


def forget_orders(file: Path, notebook_id: int, say: Callable[[str], None]) -> None:
    """Remove what earlier sessions of a notebook have left, killed with the portal."""
    for other in file.parent.glob(f"nb-{notebook_id}-*"):
        if other.name != file.name:
            forget_order(other, say)


def forget_order(file: Path, say: Callable[[str], None]) -> None:
    """Remove an order with its secrets."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        say(f"The secrets in {file} stay: {error.strerror}. Remove that file.")


def main(arguments: list[str]) -> int:
    """Answer Git once; nothing is ever kept, so `store` and `erase` change nothing."""
    if len(arguments) != 2:
        sys.stderr.write("How to run it: git_token ORDER get|store|erase\n")
        return _USAGE
    file, verb = arguments
    asked = _asked(sys.stdin.read(_LONGEST))
    host = f"{asked.get('protocol', '')}://{asked.get('host', '')}"
    if verb == "erase":
        _complain(_REFUSED, host)
    if verb != "get":
        return 0
    try:
        order = read_order(Path(file))
    except BadOrder:
        _complain(_ENDED, host)
        return 0
    if order.git is None or _host_of(order) != host.lower():
        return 0
    user, token = order.git
    # Git's lines cannot hold such ends; a name in the address is somebody's choice.
    if "\n" in user + token or asked.get("username", user) != user:
        return 0
    sys.stdout.write(f"username={user}\npassword={token}\n")
    return 0


def _host_of(order: Order) -> str:
    """Return scheme and host of the repository; empty where no token is for it."""
    if not order.may_push or order.repository is None:
        return ""
    place = urlsplit(order.repository[0])
    if place.scheme not in ("http", "https"):
        return ""
    return f"{place.scheme}://{place.netloc.rpartition('@')[2]}".lower()


def _asked(text: str) -> dict[str, str]:
    lines = (line.partition("=") for line in text.splitlines())
    return {name: value for name, sign, value in lines if sign}


def _complain(text: str, host: str) -> None:
    shown = host if host.isprintable() else ascii(host)
    sys.stderr.write(f"KQI Hub: {text.format(host=shown)}.\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
