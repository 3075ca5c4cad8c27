"""Read and write environment.yml: the part of YAML that such files are written in.

Anchors, aliases, tags, block texts and nested maps are refused and not expanded, so
that no file can grow while it is read.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from conda_bootstrap.errors import WrongUse
from conda_bootstrap.pip_packages import check_spec
from conda_bootstrap.sources import check_text

LONGEST_CHARS: Final = 100_000
_KEY: Final = re.compile(r"(?P<key>[A-Za-z_][A-Za-z0-9_-]*)\s*:(?:\s+(?P<value>.*))?")
_SPEC: Final = re.compile(r"[A-Za-z0-9_*][A-Za-z0-9_.*+!<>=~|,:/\[\]'\" ()-]{0,300}")
_CHANNEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/%@+~-]{0,300}|file:///.{1,300}")
_IGNORED: Final = ("name", "prefix", "variables", "platforms", "category")


@dataclass(frozen=True, slots=True)
class EnvironmentFile:
    """What a file asks for."""

    specs: tuple[str, ...]
    pip: tuple[str, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    indent: int
    text: str


def read(text: str) -> EnvironmentFile:
    """Return what an environment.yml asks for, or say which line is not understood."""
    if len(text) > LONGEST_CHARS:
        raise WrongUse(
            "too_long", f"This environment.yml is longer than {LONGEST_CHARS:,}."
        )
    check_text(text, "environment.yml")
    found: dict[str, list[str]] = {"channels": [], "dependencies": [], "pip": []}
    sections = _sections(text)
    for key, value, lines in sections:
        if key in ("channels", "dependencies"):
            found[key] += _items(value, lines, found["pip"])
        elif key not in _IGNORED:
            _refuse(lines[0] if lines else None, f"the section {key!r} is not known")
    specs = tuple(_spec(one) for one in found["dependencies"])
    if not specs and not found["pip"]:
        raise WrongUse(
            "nothing",
            "This environment.yml names no packages.",
            "List them under `dependencies:`.",
        )
    return EnvironmentFile(
        specs,
        tuple(check_spec(one) for one in found["pip"]),
        tuple(_channel(one) for one in found["channels"]),
    )


def write(
    name: str, channels: Sequence[str], specs: Sequence[str], pip: Sequence[str]
) -> str:
    """Return an environment.yml; `nodefaults` keeps conda from adding its own."""
    lines = [f"name: {name}", "channels:"]
    lines += [f"  - {one}" for one in (*channels, "nodefaults")]
    lines += ["dependencies:", *(f"  - {one}" for one in specs)]
    if pip:
        lines += ["  - pip:", *(f"      - {one}" for one in pip)]
    return "\n".join(lines) + "\n"


def _sections(text: str) -> Iterator[tuple[str, str, list[_Line]]]:
    """Yield key, value on its line, and the lines below each key at the margin."""
    key, value = "", ""
    below: list[_Line] = []
    for line in _lines(text):
        is_item = line.text.startswith("- ") or line.text == "-"
        if line.indent or (is_item and key):
            below.append(line)
            continue
        match = _KEY.fullmatch(line.text)
        if not match:
            _refuse(line, "a key such as `dependencies:` is expected")
        if key:
            yield key, value, below
        key, value, below = match["key"], match["value"] or "", []
    if key:
        yield key, value, below


def _lines(text: str) -> Iterator[_Line]:
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw.rstrip())
        bare = line.lstrip(" ")
        if bare in ("", "---", "...") or bare.startswith("%YAML"):
            continue
        found = _Line(number, len(line) - len(bare), bare)
        if "\t" in bare[:1]:
            _refuse(found, "lines are indented with blanks, not with tabs")
        yield found


def _items(value: str, lines: list[_Line], pip: list[str]) -> list[str]:
    """Return the items of a list; those under `- pip:` are added to pip."""
    if value:
        return _flow(value)
    if not lines:
        return []
    margin, found, in_pip = lines[0].indent, [], False
    for line in lines:
        if not line.text.startswith("- "):
            _refuse(line, "an item such as `- numpy` is expected")
        item = line.text[2:].strip()
        if line.indent > margin and in_pip:
            pip.append(_plain(item, line))
        elif line.indent != margin:
            _refuse(line, "it is indented in another way than the items before")
        elif in_pip := re.fullmatch(r"pip\s*:\s*(\[.*\])?", item) is not None:
            pip += _flow(item.partition(":")[2].strip())
        else:
            found.append(_plain(item, line))
    return found


def _flow(value: str) -> list[str]:
    """Return the items of a list in one line: [a, b]."""
    if not value or value in ("[]", "null", "~"):
        return []
    if not (value.startswith("[") and value.endswith("]")):
        _refuse(None, f"{ascii(value)[:60]} is no list")
    items = re.findall(r"\"[^\"]*\"|'[^']*'|[^,]+", value[1:-1])
    return [_plain(one.strip(), None) for one in items if one.strip()]


def _plain(item: str, line: _Line | None) -> str:
    """Return an item as text, with its quotes taken off."""
    if len(item) > 1 and item[0] == item[-1] and item[0] in "\"'":
        return item[1:-1]
    if not item or item[0] in "&*!|>{[%@`\"'":
        _refuse(line, f"{ascii(item)[:60]} is not written plainly")
    return item


def _spec(item: str) -> str:
    """Return what conda's solver is told; a single = means the version begins so."""
    if not _SPEC.fullmatch(item):
        raise WrongUse("spec", f"{ascii(item)[:80]} does not name a package.")
    return item


def _channel(item: str) -> str:
    if not _CHANNEL.fullmatch(item):
        raise WrongUse("channel", f"{ascii(item)[:80]} does not name a channel.")
    return item


def _refuse(line: _Line | None, why: str) -> NoReturn:
    where = f"Line {line.number}" if line else "This environment.yml"
    said = f" ({ascii(line.text)[:60]})" if line else ""
    raise WrongUse(
        "yml",
        f"{where}{said} is not understood: {why}.",
        "Write plain lists: `dependencies:`, then one `- package` a line.",
    )
