"""The private root: the host's folders, with /etc, /run, /var, /home … of our own."""

import os
from pathlib import Path

from kqi_hub.devstack import environments, layout, linux
from kqi_hub.devstack.layout import Folder

_OLD = Path("/.old")
# Built here, not shown from the host as they are.
_OWN = frozenset({"etc", "run", "var", "home", "opt", "scratch", "proc", "lost+found"})


def enter_private_root(folder: Folder, checkout: Path, people: tuple[str, ...]) -> None:
    """Move this process, pid 1 of its namespaces, into the private root.

    Nothing of it reaches the host: the mounts belong to a namespace that ends
    with its last process.
    """
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWUTS | linux.CLONE_NEWIPC)
    # Slave: what the host unmounts later goes away here too, never the reverse.
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_SLAVE)
    linux.mount("kqi-demo", folder.new_root, "tmpfs", linux.MS_NODEV, "mode=0755")
    old = folder.new_root / _OLD.name
    old.mkdir()
    linux.pivot_root(folder.new_root, old)
    os.chdir("/")
    _show_host_folders()
    _mount_own_folders(folder, checkout, people)
    linux.detach(_OLD)
    _OLD.rmdir()
    linux.sethostname(layout.HOSTNAME)


def _show(name: Path, source: Path) -> None:
    """Show one entry of the host at the same name here."""
    if source.is_symlink():
        name.symlink_to(source.readlink())
    elif source.is_dir():
        name.mkdir()
        linux.bind(source, name)


def _show_host_folders() -> None:
    for source in sorted(_OLD.iterdir()):
        if source.name not in _OWN and source.name != _OLD.name:
            _show(Path("/") / source.name, source)


def _mount_own_folders(folder: Folder, checkout: Path, people: tuple[str, ...]) -> None:
    def before(path: Path) -> Path:
        return _OLD / path.relative_to("/")

    here = before(folder.path)
    for name in ("etc", "run", "var", "scratch"):
        target = Path("/") / name
        target.mkdir()
        linux.bind(here / name, target)
    Path("/proc").mkdir()
    flags = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    linux.mount("proc", "/proc", "proc", flags)
    linux.mount("shm", "/dev/shm", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV)  # noqa: S108
    _show_beside(Path("/home"), {person: here / "home" / person for person in people})
    own = {layout.CODE.name: None, layout.STACK.name: here, layout.BIN.name: None}
    own[layout.ENVIRONMENTS.name] = None
    _show_beside(layout.CODE.parent, own)
    linux.bind_read_only(before(checkout), layout.CODE)
    bases = before(environments.of_checkout().demo_site)
    if bases.is_dir():
        linux.bind_read_only(bases, layout.ENVIRONMENTS)
    _show_again(before(checkout), checkout)


def _show_beside(target: Path, own: dict[str, Path | None]) -> None:
    """Show a folder of the host with entries of our own beside (or over) its own."""
    target.mkdir()
    source = _OLD / target.name
    if source.is_dir():
        for entry in sorted(source.iterdir()):
            if entry.name not in own:
                _show(target / entry.name, entry)
    for name, place in own.items():
        (target / name).mkdir()
        if place is not None:
            linux.bind(place, target / name)


def _show_again(source: Path, target: Path) -> None:
    """Show the checkout where it lies, should that be below a folder of our own."""
    if not target.is_dir():
        target.mkdir(parents=True)
        linux.bind(source, target)
