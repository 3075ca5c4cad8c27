"""Every `kqi` and `kqi-hub` line of the documents is one that the commands take."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from kqi_hub.cli.main import kqi
from kqi_hub.operator.main import cli as kqi_hub

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
PROGRAMS: dict[str, click.Group] = {"kqi": kqi, "kqi-hub": kqi_hub}
WRAPPERS = [[], ["sudo", "-u", "kqi"], ["./demo", "run"]]
BLOCK = re.compile(r"^ *```(sh|console)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`(kqi(?:-hub)? [a-z][^`…]*)`")
ENDS = {"|", ">", ">>", "<", ";", "&&", "||"}


def lines(page: Path) -> Iterator[tuple[str, ...]]:
    """Yield the programs of ours with their words, as a shell would split them."""
    for kind, block in BLOCK.findall(page.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            if kind == "sh" or line.startswith("$ "):
                words = shlex.split(line.removeprefix("$ "), comments=True)
                yield from program_of(words)


def mentions(page: Path) -> Iterator[tuple[str, ...]]:
    """Yield the commands that running text names, often without their arguments."""
    for said in INLINE.findall(page.read_text()):
        yield from program_of(shlex.split(said))


def program_of(words: list[str]) -> Iterator[tuple[str, ...]]:
    for wrapper in WRAPPERS:
        rest = words[len(wrapper) :]
        if words[: len(wrapper)] == wrapper and rest and rest[0] in PROGRAMS:
            yield tuple(until_the_end(rest))


def until_the_end(words: list[str]) -> Iterator[str]:
    for word in words:
        if word in ENDS:
            return
        yield word.rstrip(";")


def complaint(program: str, words: tuple[str, ...]) -> str:
    """Return what the command says against these words before it does anything."""
    command: click.Command = PROGRAMS[program]
    context = None
    try:
        while isinstance(command, click.Group):
            context = command.make_context(command.name, list(words), parent=context)
            words = (*context._protected_args, *context.args)
            if not words and command.invoke_without_command:
                return ""  # a group that does something alone: kqi usage
            _, found, rest = command.resolve_command(context, list(words))
            assert found is not None
            command, words = found, tuple(rest)
        command.make_context(command.name, list(words), parent=context)
    except click.exceptions.NoArgsIsHelpError:
        return "Missing command"
    except click.exceptions.Exit:
        return ""  # --help and --version
    except click.BadParameter as error:
        # A file or a service that is not here; but all that is needed was given.
        missing = isinstance(error, click.MissingParameter)
        return error.format_message() if missing else ""
    except click.UsageError as error:
        return error.format_message()
    return ""


DOCUMENTED = [
    pytest.param(page, words, id=f"{page.stem}: {' '.join(words)}")
    for page in PAGES
    for words in dict.fromkeys(lines(page))
]


@pytest.mark.parametrize(("page", "words"), DOCUMENTED)
def test_a_documented_line_is_taken(page: Path, words: tuple[str, ...]) -> None:
    assert complaint(words[0], words[1:]) == "", page


@pytest.mark.parametrize(
    ("page", "words"),
    [
        pytest.param(page, words, id=f"{page.stem}: {' '.join(words)}")
        for page in PAGES
        for words in dict.fromkeys(mentions(page))
    ],
)
def test_a_command_that_is_named_is_there(page: Path, words: tuple[str, ...]) -> None:
    said = complaint(words[0], words[1:])
    assert not said or said.startswith("Missing"), (page, said)


def test_lines_are_found_in_the_documents_for_each_reader() -> None:
    found = {(page.parent.name, words[0]) for page in PAGES for words in lines(page)}
    assert {("users", "kqi"), ("operators", "kqi-hub")} <= found


@pytest.mark.parametrize(
    "words",
    [
        ("kqi", "logon"),
        ("kqi", "whoami", "--jsn"),
        ("kqi", "key", "rm"),
        ("kqi", "whoami", "alice"),
        ("kqi-hub", "person", "show"),
        ("kqi-hub", "doctor", "--people", "alice"),
    ],
)
def test_a_wrong_line_is_noticed(words: tuple[str, ...]) -> None:
    assert complaint(words[0], words[1:])
