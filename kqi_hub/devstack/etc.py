"""The private /etc: a copy of what the host lets everybody read, and our own files."""

import shutil
import stat
from pathlib import Path

from kqi_hub.devstack import layout
from kqi_hub.devstack.accounts import Account, Group, shadow_line

# Replaced whole by the writers of this package; a host's own must not shine through.
_OURS = frozenset(
    {
        "slurm", "munge", "ldap/ldap.conf", "passwd", "group", "shadow", "gshadow",
        "passwd-", "group-", "hosts", "hostname", "nsswitch.conf", "kqi", "sudoers.d",
        "mysql", "krb5.conf", "ld.so.preload", "pam.d",
    }
)  # fmt: skip


def copy_host_etc(host: Path, target: Path) -> None:
    """Copy /etc without what the host keeps from its people: keys, hashes, sudoers."""
    shutil.rmtree(target)
    target.mkdir(mode=0o755)
    _copy_folder(host, target, "")


def _copy_folder(source: Path, target: Path, prefix: str) -> None:
    for entry in source.iterdir():
        name = prefix + entry.name
        if name not in _OURS:
            _copy_entry(entry, target / entry.name, name)


def _copy_entry(entry: Path, target: Path, name: str) -> None:
    if name == "resolv.conf":  # often a link into /run, which is private here
        if entry.exists():
            target.write_bytes(entry.read_bytes())
        return
    if entry.is_symlink():
        target.symlink_to(entry.readlink())
        return
    mode = entry.stat().st_mode
    if stat.S_ISDIR(mode) and mode & stat.S_IROTH:
        target.mkdir(mode=stat.S_IMODE(mode))
        _copy_folder(entry, target, name + "/")
    elif stat.S_ISREG(mode) and mode & stat.S_IROTH:
        shutil.copy2(entry, target)


def write_base_files(
    etc: Path, accounts: list[Account], groups: list[Group], nodes: tuple[str, ...]
) -> None:
    """Write who exists, what the machine is called and where names are looked up."""
    (etc / "passwd").write_text("".join(one.line() + "\n" for one in accounts))
    (etc / "group").write_text("".join(one.line() + "\n" for one in groups))
    shadow = etc / "shadow"
    shadow.write_text("".join(shadow_line(one.name) + "\n" for one in accounts))
    shadow.chmod(0o600)
    (etc / "hostname").write_text(layout.HOSTNAME + "\n")
    names = " ".join((layout.HOSTNAME, *nodes))
    (etc / "hosts").write_text(f"127.0.0.1 localhost {names}\n::1 ip6-localhost\n")
    (etc / "nsswitch.conf").write_text(
        "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
        "networks: files\nprotocols: files\nservices: files\n"
    )
    profile = etc / "profile.d" / "kqi-demo.sh"
    profile.parent.mkdir(exist_ok=True)
    profile.write_text(f'PATH="$PATH:{layout.BIN}"\nexport TMPDIR={layout.TMP}\n')
    _write_sudoers(etc)
    _write_pam(etc / "pam.d")


def _write_sudoers(etc: Path) -> None:
    (etc / "sudoers.d").mkdir(mode=0o750)
    sudoers = etc / "sudoers"
    sudoers.write_text(
        f'Defaults env_reset, secure_path="{layout.PATH}"\n'
        "root ALL=(ALL:ALL) ALL\n@includedir /etc/sudoers.d\n"
    )
    sudoers.chmod(0o440)


def _write_pam(folder: Path) -> None:
    """Let root become anybody (su, runuser, sbatch --export=NIL), and nobody else.

    The host's own rules may ask its directory, which does not know our people.
    """
    folder.mkdir(mode=0o755)
    for name in ("other", "su", "su-l", "runuser", "runuser-l", "sudo", "sudo-i"):
        (folder / name).write_text(
            "auth sufficient pam_rootok.so\nauth required pam_deny.so\n"
            "account required pam_permit.so\npassword required pam_deny.so\n"
            "session required pam_permit.so\n"
        )
