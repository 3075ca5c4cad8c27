"""Run a command inside a running cluster's namespaces."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from kqi_hub.devstack import layout, linux
from kqi_hub.devstack.accounts import Account, group_ids, read_accounts, read_groups

_NAMESPACES = {
    "mnt": linux.CLONE_NEWNS,
    "uts": linux.CLONE_NEWUTS,
    "ipc": linux.CLONE_NEWIPC,
    "pid": linux.CLONE_NEWPID,
}
_FORWARDED = (signal.SIGTERM, signal.SIGHUP)
# The terminal sends these to the command itself, which decides.
_IGNORED = (signal.SIGINT, signal.SIGQUIT)


class NoSuchPerson(Exception):
    """There is no such user inside."""


def run(supervisor: int, user: str, argv: Sequence[str]) -> int:
    """Run a command as `user` inside; return its exit code as a shell would tell it."""
    here = Path.cwd()
    _join(supervisor)
    account = _account(user)
    child = os.fork()
    if child == 0:
        _become_and_exec(account, here, argv)
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    for number in _FORWARDED:
        signal.signal(number, lambda number, _frame: os.kill(child, number))
    return _wait(child)


def _join(supervisor: int) -> None:
    handles = {
        kind: os.open(f"/proc/{supervisor}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
        for kind in _NAMESPACES
    }
    for kind, handle in handles.items():
        linux.setns(handle, _NAMESPACES[kind])
        os.close(handle)


def _account(user: str) -> Account:
    accounts = {one.name: one for one in read_accounts(Path("/etc"))}
    if user not in accounts:
        raise NoSuchPerson(f"There is no user {user!r} in the demo.")
    return accounts[user]


def _become_and_exec(account: Account, here: Path, argv: Sequence[str]) -> None:
    """Never returns: the child's own end tells of a command that cannot run."""
    try:
        groups = group_ids(account.name, account.gid, read_groups(Path("/etc")))
        os.setgroups(groups)
        os.setresgid(account.gid, account.gid, account.gid)
        os.setresuid(account.uid, account.uid, account.uid)
        linux.die_with_parent(signal.SIGTERM)
        words = _settle(account, here, argv)
        os.execvpe(words[0], words, _environment(account))  # noqa: S606 - no shell
    except OSError as error:
        sys.stderr.write(f"{argv[0]}: {error.strerror}\n")
    finally:
        os._exit(127)


def _settle(account: Account, here: Path, argv: Sequence[str]) -> list[str]:
    """Stay where the caller is if the person may write there, else go home.

    A job that cannot write its output file into its folder fails without a word. Files
    that are named from here are then named in full, so that they are found from there.
    """
    home = account.home if Path(account.home).is_dir() else "/"
    try:
        os.chdir(here)
    except OSError:
        os.chdir(home)
        return list(argv)
    if os.access(here, os.W_OK):
        return list(argv)
    words = [argv[0], *(_in_full(here, word) for word in argv[1:])]
    sys.stderr.write(f"{account.name} may not write in {here}: running in {home}\n")
    os.chdir(home)
    return words


def _in_full(here: Path, word: str) -> str:
    is_file = word and not word.startswith("-") and (here / word).is_file()
    return str(here / word) if is_file else word


def _environment(account: Account) -> dict[str, str]:
    kept = {
        name: os.environ[name] for name in ("TERM", "COLORTERM") if name in os.environ
    }
    environment = kept | {
        "PATH": layout.PATH,
        "LANG": "C.UTF-8",
        "HOME": account.home,
        "USER": account.name,
        "LOGNAME": account.name,
        "SHELL": account.shell,
        "TMPDIR": str(layout.TMP),
    }
    if account.uid == 0:
        environment["KQI_STACK"] = str(layout.STACK)
    return environment


def _wait(child: int) -> int:
    while True:
        _pid, status = os.waitpid(child, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            # Ctrl-Z: stop with it, and wake it when the shell wakes us.
            os.kill(os.getpid(), signal.SIGSTOP)
            os.kill(child, signal.SIGCONT)
            continue
        code = os.waitstatus_to_exitcode(status)
        return code if code >= 0 else 128 - code
