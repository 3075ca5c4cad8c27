"""How a person's agent answers about files, as models for the document and the tests.

Names and paths: bytes that are no UTF-8 travel as `%ff`, a `%` before `25` or two hex
digits from 80 on as `%25`. Times are seconds since 1970.
"""

from typing import Any, Literal

from handlers.agent_models import says
from handlers.route import Model

Kind = Literal["folder", "file", "link", "other"]


class FileRoot(Model):
    """Where paths begin."""

    root: str = says("scratch, data:TENANT, or a folder that the site names.")
    absolute: str = says("Where that is on the cluster.")
    may_change: bool = says("Whether the agent changes anything there.")
    free_bytes: int = says("Room for you there.")
    free_files: int = says("Files and folders that still fit.")


class FileRoots(Model):
    """What you may browse."""

    roots: tuple[FileRoot, ...] = says("Your own folder first.")


class FileLink(Model):
    """What a link says."""

    text: str = says("What it says.")
    to: str = says("folder, file, other, nothing, or outside: it is not followed.")


class FileEntry(Model):
    """One name in a folder."""

    name: str = says("Its name, as it travels.")
    kind: Kind = says("other: FIFOs, devices, sockets; they are never opened.")
    size: int = says("Bytes.")
    changed_at: float = says("When it changed last.")
    mode: str = says("As `ls -l` writes it.")
    link: FileLink | None = says("What a link says and leads to.", None)


class FilePlace(Model):
    """Which place an answer is about."""

    root: str = says("The root.")
    path: str = says("The path below it.")


class FileList(FilePlace):
    """A page of a folder."""

    entries: tuple[FileEntry, ...] = says("Folders first, then as sorted.")
    total: int = says("How many names the folder has.")
    matched: int = says("How many of them fit filter, kinds and hidden.")
    next: str | None = says("What `after` must be for the next page; null: no more.")
    hints: tuple[str, ...] = says("tensorboard: it holds event files.")
    absolute: str = says("The folder's path on the cluster.")
    may_change: bool = says("Whether you may make something in it.")


class FileStat(FilePlace):
    """What lies at a place; links are followed."""

    kind: Kind = says("What it is.")
    size: int = says("Bytes.")
    changed_at: float = says("When it changed last.")
    mode: str = says("As `ls -l` writes it.")
    absolute: str = says("Its path on the cluster, all links followed.")
    is_link: bool = says("Whether the last name is a link.")
    owner: str = says("Whose it is.")
    version: str = says("Another text after every change.")
    may_change: bool = says("Whether you may write it.")


class FileView(FilePlace):
    """A piece of a file as people read it; which fields are there depends on `kind`."""

    kind: Literal["text", "table", "notebook", "image", "binary"] = says(
        "What it is shown as; an image is asked for again with as=image."
    )
    size: int = says("Bytes of the whole file.")
    changed_at: float = says("When it changed last.")
    version: str = says("Another text after every change.")
    start: int | None = says("Where the piece begins.", None, alias="from")
    to: int | None = says("Where it ends; the next begins here.", None)
    text: str | None = says("kind text: the text.", None)
    encoding: str | None = says("What it was read as.", None)
    damaged: bool | None = says("Whether bytes did not fit the encoding.", None)
    rows: tuple[tuple[str, ...], ...] | None = says("kind table: rows of cells.", None)
    delimiter: str | None = says("kind table: what stands between cells.", None)
    cells: tuple[dict[str, Any], ...] | None = says(
        "kind notebook: type, source, number, outputs (text, error, image, hidden).",
        None,
    )
    total: int | None = says("kind notebook: how many cells it has.", None)
    language: str | None = says("kind notebook: of its kernel.", None)
    type: str | None = says("kind image: its type.", None)
    hex: str | None = says("kind binary: its first bytes.", None)
