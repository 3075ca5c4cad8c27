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


class FilePut(FilePlace):
    """How much of a file is here."""

    done: bool = says("Whether it is complete and has its name.")
    offset: int = says("How many bytes are here: go on there.")
    size: int = says("How many it will have.")
    version: str | None = says("Of the complete file.", None)


class FolderOrder(Model):
    """A folder to make."""

    root: str = says("A root.", "scratch")
    path: str = says("Its path.")
    parents: bool = says("Make those above it too.", False)


class MoveOrder(Model):
    """Either `path` and `to`, or `paths` and `into`."""

    root: str = says("A root.", "scratch")
    path: str | None = says("What gets another name.", None)
    to: str | None = says("Its new path.", None)
    paths: tuple[str, ...] | None = says("What goes to another folder.", None)
    into: str | None = says("That folder.", None)


class FileRefusal(Model):
    """Why one of several was not done."""

    path: str = says("Which one.")
    error: str = says("A code.")
    message: str = says("What happened.")


class Moved(Model):
    """What has another path now."""

    moved: tuple[str, ...] = says("The new paths.")
    refused: tuple[FileRefusal, ...] = says("What stays where it was, and why.")


class DeleteOrder(Model):
    """What to delete; folders whole, links never followed."""

    root: str = says("A root.", "scratch")
    paths: tuple[str, ...] = says("Files, links, folders.", min_length=1)


class ArchiveOrder(Model):
    """What to put into one file."""

    root: str = says("A root.", "scratch")
    paths: tuple[str, ...] = says("Files and folders.", min_length=1)
    format: Literal["zip", "tar"] = says("zip or tar.", "zip")


class OfferOrder(Model):
    """What to give to the store, with the ticket of the portal."""

    root: str = says("A root.", "scratch")
    base: str = says("The folder that paths in the data item begin below.", "")
    paths: tuple[str, ...] = says("Files and folders.", min_length=1)
    ticket: str = says("The upload's ticket.")
    upload: str = says("Its key, for your own records.", "")


class FileWork(Model):
    """Work that outlives a request."""

    id: str = says("Its number.")
    kind: Literal["delete", "offer"] = says("What it does.")
    state: Literal["waiting", "running", "done", "failed", "cancelled"] = says(
        "The last three are ends."
    )
    done: int = says("Things done.")
    of: int | None = says("How many there are; null: nobody knows yet.")
    bytes: int = says("Bytes done.")
    missed: int = says("Things not done.")
    misses: tuple[FileRefusal, ...] = says("The first of them, and why.")
    result: dict[str, Any] = says("What came of it.")
    error: dict[str, str] | None = says("Why it failed: error, message.")
    began_at: float = says("When it began.")
    ended_at: float | None = says("When it ended.")


class FileWorks(Model):
    """What is under way, and what has ended lately."""

    works: tuple[FileWork, ...] = says("The newest first.")


class FileText(FilePlace):
    """A small text to edit."""

    text: str = says("All of it.")
    size: int = says("Its bytes.")
    version: str = says("What `If-Match` must say when it comes back.")


class FileWritten(FilePlace):
    """A text that was written."""

    size: int = says("Its bytes.")
    version: str = says("Its new version.")


class UseEntry(Model):
    """One of the largest entries."""

    name: str = says("Its name.")
    bytes: int = says("What it takes on the disk, with all below it.")
    files: int = says("Files below it.")


class FileUse(FilePlace):
    """How much is below a folder; a file with several names takes its room once."""

    bytes: int = says("Lengths of all files.")
    on_disk: int = says("What they and the folders take.")
    files: int = says("Files, links and others.")
    folders: int = says("Folders, itself too.")
    missed: int = says("What could not be looked into.")
    entries: tuple[UseEntry, ...] = says("The hundred largest in it.")
