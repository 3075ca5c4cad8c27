"""The embedded cluster as tests inside it see and disturb it."""

import os
import pwd
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kqi_hub.devstack import layout
from kqi_hub.devstack.control import ask
from kqi_hub.devstack.directory import PEOPLE_BASE
from kqi_hub.devstack.layout import Folder
from kqi_hub.devstack.status import read_status

Ran = subprocess.CompletedProcess[str]
DEFAULT_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Stack:
    """Every service of the cluster; what a test breaks is mended after it."""

    folder: Folder

    def status(self) -> dict[str, Any]:
        """Return what `./demo status --json` tells; pids are those in here."""
        answer = next(ask(self.folder.control, verb="status"))
        return read_status(self.folder, answer, None)

    def service(self, name: str) -> dict[str, Any]:
        found: dict[str, Any]
        for found in self.status()["services"]:
            if found["name"] == name:
                return found
        raise KeyError(name)

    def person(self, name: str) -> Mapping[str, Any]:
        """Return a person's password, code and tenants."""
        people: list[dict[str, Any]] = self.status()["people"]
        return next(one for one in people if one["name"] == name)

    @property
    def ports(self) -> Mapping[str, int]:
        ports: Mapping[str, int] = self.status()["ports"]
        return ports

    def kill(self, name: str) -> None:
        """Kill a service as kill -9 does; it is started again after half a second."""
        self._act(name, "kill")

    def hold(self, name: str) -> None:
        """Stop a service and keep it down until `release`."""
        self._act(name, "stop")

    def release(self, name: str) -> None:
        """Start a service that is held."""
        self._act(name, "start")

    def restart(self, name: str) -> None:
        self._act(name, "restart")

    def pause(self, name: str) -> None:
        """Freeze a service: connections to it are accepted and never answered."""
        self._act(name, "pause")

    def resume(self, name: str) -> None:
        self._act(name, "resume")

    def _act(self, name: str, action: str) -> None:
        answer = next(
            ask(self.folder.control, verb="service", service=name, action=action)
        )
        assert "error" not in answer, answer

    def wait_ready(self, *names: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        """Return when these services (all, when none is named) are ready."""

        def all_ready() -> bool:
            services = self.status()["services"]
            return all(
                one["state"] == "ready"
                for one in services
                if not names or one["name"] in names
            )

        wait_until(all_ready, timeout_s, lambda: self.status()["services"])

    def mend(self) -> None:
        """Undo whatever a test did to services."""
        broken = [one for one in self.status()["services"] if one["state"] != "ready"]
        for one in broken:
            if one["state"] == "paused":
                self.resume(one["name"])
            if one["state"] == "stopped":
                self.release(one["name"])
        if broken:
            self.wait_ready()

    def log(self, name: str, lines: int = 15) -> str:
        """Return the end of a service's log."""
        return "\n".join(self._said(name).splitlines()[-lines:])

    def wait_for_line(
        self, name: str, text: str, timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> None:
        """Return when a service's log has said something, however long ago."""
        wait_until(
            lambda: text in self._said(name), timeout_s, lambda: self.log(name, 50)
        )

    def _said(self, name: str) -> str:
        return (self.folder.logs / f"{name}.log").read_text(errors="replace")


def wait_until(
    true: Callable[[], bool],
    timeout_s: float = DEFAULT_TIMEOUT_S,
    tell: Callable[[], object] = lambda: "",
) -> None:
    """Return when `true` is; fail with what `tell` says after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {tell()}"
        time.sleep(0.2)


def run_as(user: str, *command: str, **options: Any) -> Ran:
    """Run a command as somebody at a terminal of the cluster would."""
    account = pwd.getpwnam(user)
    environment = {
        "PATH": layout.PATH,
        "LANG": "C.UTF-8",
        "HOME": account.pw_dir,
        "USER": user,
        "LOGNAME": user,
        "SHELL": account.pw_shell,
    }
    return subprocess.run(
        command,
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=os.getgrouplist(user, account.pw_gid),
        cwd=account.pw_dir if Path(account.pw_dir).is_dir() else "/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        **{"timeout": 60, **options},
    )


def set_password(person: str, password: str) -> None:
    """Set a password as the directory's manager, as if it had never been another."""
    entry = f"dn: uid={person},{PEOPLE_BASE}\nchangetype: modify\n"
    ran = run_as(
        "root", "ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", "ldapi:///", "-e", "!relax",
        input=f"{entry}replace: userPassword\nuserPassword: {password}\n\n"
        f"{entry}replace: pwdReset\n-\nreplace: pwdHistory\n",
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
