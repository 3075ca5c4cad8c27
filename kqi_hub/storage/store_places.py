"""Make the store's folders, as root; whoever owns a folder below may not mislead us.

Each folder is opened without following links and judged by what was opened; owner,
group and mode are set through that same descriptor.
"""

import grp
import os
import pwd
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kqi_hub.domain.errors import InvalidInput, NotFound, NotPermitted

_ROOT_MODE: Final = 0o711
# The setgid bit hands the tenant's group on to everything below.
_TENANT_MODE: Final = 0o2750
_KEY_BYTES: Final = 32
_OPEN: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class StorePlaces:
    """Where the store is to be, and whose it is."""

    root: Path
    user: str
    key_file: Path

    def prepare(self) -> bool:
        """Make the root folder and the key; tell whether the key is new."""
        if os.geteuid() != 0:
            raise NotPermitted(
                "Only root may make the store's folders.",
                "Run it with sudo; the rest of kqi-hub runs as the service user.",
            )
        account = self._account()
        with _folder(self.root.parent) as above:
            _check_above(self.root.parent, os.fstat(above))
            _make(above, self.root.name, account.pw_uid, account.pw_gid, _ROOT_MODE)
        return self._make_key(account.pw_gid)

    def prepare_tenant(self, tenant: str) -> None:
        """Make a tenant's folder, or set its owner, group and mode right."""
        account = self._account()
        try:
            group = grp.getgrnam(tenant).gr_gid
        except KeyError:
            raise NotFound(
                "Tenant {tenant} has no Unix group of its name.",
                "Its group decides who reads its data: make it first.",
                tenant=tenant,
            ) from None
        with _folder(self.root) as root:
            _make(root, tenant, account.pw_uid, group, _TENANT_MODE)

    def missing(self, tenants: list[str]) -> list[str]:
        """Return tenants whose folder is not there, or not as it must be."""
        return [one for one in tenants if not self._is_prepared(one)]

    def _is_prepared(self, tenant: str) -> bool:
        try:
            seen = (self.root / tenant).lstat()
            owner, group = pwd.getpwnam(self.user), grp.getgrnam(tenant)
        except (OSError, KeyError):
            return False
        return (
            stat.S_ISDIR(seen.st_mode)
            and (seen.st_uid, seen.st_gid) == (owner.pw_uid, group.gr_gid)
            and stat.S_IMODE(seen.st_mode) == _TENANT_MODE
        )

    def _account(self) -> pwd.struct_passwd:
        try:
            return pwd.getpwnam(self.user)
        except KeyError:
            raise NotFound(
                "There is no user {user} for the store.",
                "Make it: useradd --system --user-group --no-create-home "
                "--shell /usr/sbin/nologin {user}",
                user=self.user,
            ) from None

    def _make_key(self, group: int) -> bool:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            file = os.open(self.key_file, flags, 0o600)
        except FileExistsError:
            return False
        try:
            os.write(file, secrets.token_hex(_KEY_BYTES).encode() + b"\n")
            os.fsync(file)
            os.fchown(file, 0, group)
            os.fchmod(file, 0o640)
        finally:
            os.close(file)
        return True


def has_group(name: str) -> bool:
    """Tell whether there is a Unix group of this name that is no system's own."""
    try:
        return grp.getgrnam(name).gr_gid != 0
    except KeyError:
        return False


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    try:
        folder = os.open(path, _OPEN)
    except OSError as error:
        raise InvalidInput(
            "{path} is no folder: {reason}.", path=path, reason=error.strerror
        ) from error
    try:
        yield folder
    finally:
        os.close(folder)


def _check_above(path: Path, seen: os.stat_result) -> None:
    shared = seen.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if seen.st_uid != 0 or (shared and not seen.st_mode & stat.S_ISVTX):
        raise InvalidInput(
            "Others than root could swap what is in {path}.",
            "Run: chown root:root {path} && chmod 0755 {path}",
            path=path,
        )


def _make(above: int, name: str, owner: int, group: int, mode: int) -> None:
    with suppress(FileExistsError):  # what is there is judged once it is open
        os.mkdir(name, 0o700, dir_fd=above)
    try:
        folder = os.open(name, _OPEN, dir_fd=above)
    except OSError as error:
        raise InvalidInput(
            "{name} is there and is no folder: {reason}.",
            "Look at what it is, and move it away.",
            name=name,
            reason=error.strerror,
        ) from error
    try:
        if os.fstat(folder).st_uid not in (0, owner):
            raise InvalidInput(
                "The folder {name} is somebody else's.",
                "Look at whose it is, and move it away.",
                name=name,
            )
        os.fchown(folder, owner, group)
        os.fchmod(folder, mode)
    finally:
        os.close(folder)
