"""Furnish the private root: accounts, keys, settings and folders of each service."""

import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from kqi_hub.devstack import database, directory, portal, slurmconf
from kqi_hub.devstack.accounts import Account, private_accounts
from kqi_hub.devstack.etc import copy_host_etc, write_base_files
from kqi_hub.devstack.layout import Folder
from kqi_hub.devstack.people import PEOPLE, keep_secrets

HOST_ETC = Path("/etc")


def write_etc(folder: Folder, ports: Mapping[str, int]) -> None:
    """Write the private /etc anew; runs on the host, before the private root."""
    etc = folder.path / "etc"
    copy_host_etc(HOST_ETC, etc)
    accounts, groups = private_accounts(HOST_ETC)
    write_base_files(etc, accounts, groups, slurmconf.NODE_NAMES)
    ids = {one.name: one for one in accounts}
    slurmconf.write_slurm_files(etc / "slurm", ports, ids["slurm"].uid)
    _write_local_slurm(folder)
    database.write_database_files(etc / "mysql")
    password = _write_directory(folder, ids["openldap"], ports)
    portal.write_portal_files(etc, ids["kqi"], ports, password)
    _add_local_settings(folder)
    _write_keys(folder, ids)


def _write_local_slurm(folder: Folder) -> None:
    own = folder.local / "slurm.conf"
    if not own.exists():
        own.write_text("# Added to slurm.conf at every start of this demo.\n")
    shutil.copy(own, folder.path / "etc/slurm/local.conf")


def _add_local_settings(folder: Folder) -> None:
    """Add the folder's own tables to the portal's settings, and its terms of use."""
    own, kqi = folder.local / "kqi.toml", folder.path / "etc/kqi"
    if not own.exists():
        own.write_text("# Added to kqi.toml at every start of this demo.\n")
    with (kqi / "kqi.toml").open("a") as settings:
        settings.write("\n" + own.read_text())
    terms = folder.local / "terms.txt"
    if terms.exists():
        shutil.copy(terms, kqi / terms.name)
        (kqi / terms.name).chmod(0o644)


def _write_directory(
    folder: Folder, openldap: Account, ports: Mapping[str, int]
) -> str:
    """Write the directory's files and return the password of the portal's entry."""
    directory.keep_certificates(folder.secrets)
    password = directory.keep_service_password(folder.secrets / "directory-password")
    owner = (openldap.uid, openldap.gid)
    etc = folder.path / "etc"
    directory.write_directory_files(etc, owner, folder.secrets, ports["ldaps"])
    people = keep_secrets(folder.people)
    if not folder.furnished.exists():
        directory.write_entries(etc, owner, people, password)
    return password


def _keep_key(path: Path, size: int) -> bytes:
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as key:
            key.write(secrets.token_bytes(size))
    return path.read_bytes()


def _write_keys(folder: Folder, ids: Mapping[str, Account]) -> None:
    etc = folder.path / "etc"
    munge = _folder(etc / "munge", ids["munge"], 0o700) / "munge.key"
    munge.write_bytes(_keep_key(folder.secrets / "munge.key", 1024))
    _give(munge, ids["munge"], 0o400)
    jwt = etc / "slurm" / slurmconf.JWT_KEY.name
    jwt.write_bytes(_keep_key(folder.secrets / "jwt_hs256.key", 32))
    _give(jwt, ids["slurm"], 0o400)
    tickets = etc / portal.ETC.name / portal.STORE_KEY.name
    key = _keep_key(folder.secrets / "store.key", 32)
    tickets.touch(mode=0o600)
    os.chown(tickets, 0, ids[portal.STORE_USER].gid)
    tickets.chmod(0o640)
    tickets.write_text(f"{key.hex()}\n")


def make_folders(folder: Folder) -> None:
    """Make the folders below the private /run, /var, /home and /scratch."""
    accounts, _groups = private_accounts(HOST_ETC)
    ids = {one.name: one for one in accounts}
    _start_over_unless_furnished(folder)
    _make_run(folder.path / "run", ids)
    _make_var(folder.path / "var", ids)
    for person in PEOPLE:
        home = folder.path / "home" / person.name
        if not home.exists():
            shutil.copytree("/etc/skel", home, symlinks=True)
            _give_tree(home, ids[person.name])
        _folder(home, ids[person.name], 0o700)
    # People make their own folder of it, through the door: root's, open to pass.
    (folder.path / "scratch").chmod(0o755)


def _start_over_unless_furnished(folder: Folder) -> None:
    """Throw away what a first start left that did not reach its end."""
    if not folder.furnished.exists():
        for name in ("var", "home", "scratch"):
            shutil.rmtree(folder.path / name)
            (folder.path / name).mkdir(mode=0o755)


def _make_run(run: Path, ids: Mapping[str, Account]) -> None:
    shutil.rmtree(run)
    run.mkdir(mode=0o755)
    (run / "lock").mkdir()
    (run / "lock").chmod(0o1777)
    (run / "shm").symlink_to("/dev/shm")  # noqa: S108  # Debian's own link
    owners = {
        "munge": "munge",
        "mysqld": "mysql",
        "slapd": "openldap",
        "slurm": "slurm",
    }
    for name, owner in owners.items():
        _folder(run / name, ids[owner], 0o755)
    _folder(run / "kqi", ids["root"], 0o755)
    _folder(run / "kqi-store", ids["kqi-store"], 0o755)
    _make_gpus(run / slurmconf.GPU_FILES.relative_to("/run"), ids["root"])


def _make_var(var: Path, ids: Mapping[str, Account]) -> None:
    (var / "tmp").mkdir(exist_ok=True)
    (var / "tmp").chmod(0o1777)
    for name, target in {"run": "/run", "lock": "/run/lock"}.items():
        if not (var / name).is_symlink():
            (var / name).symlink_to(target)
    owners = {
        "lib/munge": "munge", "lib/mysql": "mysql", "lib/ldap": "openldap",
        "lib/slurm": "slurm", "lib/slurm/ctld": "slurm", "lib/slurm/spool": "root",
        "lib/kqi": "kqi", "lib/slurmrestd": "slurmrestd",
        "log/munge": "munge", "log/kqi": "root",
    }  # fmt: skip
    closed = {"lib/munge", "lib/mysql", "lib/ldap", "lib/slurm/ctld", "lib/kqi"}
    for name, owner in owners.items():
        mode = 0o700 if name in closed or name == "log/munge" else 0o755
        _folder(var / name, ids[owner], mode)
    for node in slurmconf.NODES:
        _folder(var / "lib/slurm/spool" / node.name, ids["root"], 0o755)


def _make_gpus(gpus: Path, root: Account) -> None:
    """Make device files that Slurm can count and hand out: each is /dev/null."""
    for node in slurmconf.NODES:
        for number in range(node.gpus):
            device = _folder(gpus / node.name, root, 0o755) / f"nvidia{number}"
            os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))


def _folder(path: Path, owner: Account, mode: int) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    _give(path, owner, mode)
    return path


def _give(path: Path, owner: Account, mode: int) -> None:
    os.chown(path, owner.uid, owner.gid)
    path.chmod(mode)


def _give_tree(path: Path, owner: Account) -> None:
    for entry in path.rglob("*"):
        os.chown(entry, owner.uid, owner.gid, follow_symlinks=False)
