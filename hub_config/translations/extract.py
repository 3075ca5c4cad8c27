"""Find the texts that people read, in Python files; babel finds those in templates.

Taken are: `N_("...")`; what a `Phrase` says; the message and the hint of an error; what
a field of a request or answer means; and the first lines of docstrings of routes and of
errors, for these are the text of the API's documents.
"""

import ast
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from kqi_hub.domain import errors

Found = tuple[int, None, str, list[str]]
_MARKS: Final = frozenset({"N_", "_", "Phrase"})
# What a route takes where a table has the routes of both kinds of runs.
_OF_A_TABLE: Final = ["Ask", "RunKind"]
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
# Operators alone read their texts, in English.
_OPERATORS: Final = frozenset({"SettingsError", "DatabaseNotReady"})


def _errors_of_the_house() -> frozenset[str]:
    """Return the errors of the code contract; what derives from them is found later."""
    tree = ast.parse(Path(errors.__file__).read_text(encoding="utf-8"))
    return frozenset(one.name for one in tree.body if isinstance(one, ast.ClassDef))


# InvalidFields is the forms' own.
ERRORS: Final = (_errors_of_the_house() | {"InvalidFields"}) - _OPERATORS


def extract(
    file: BinaryIO,
    keywords: Collection[str],
    comment_tags: Collection[str],
    options: dict[str, Any],
) -> Iterator[Found]:
    """Yield the texts of one Python file, as babel wants them."""
    tree = ast.parse(file.read())
    named = ERRORS | _derived(tree)
    for node in ast.walk(tree):
        for text in _texts(node, named):
            yield getattr(node, "lineno", 1), None, text, []


def _derived(tree: ast.AST) -> frozenset[str]:
    """Return the classes of a file that derive, at any distance, from an error."""
    found: set[str] = set()
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for one in classes:
        bases = {base.id for base in one.bases if isinstance(base, ast.Name)}
        if bases & (ERRORS | found):
            found.add(one.name)
    return frozenset(found)


def _texts(node: ast.AST, named: Collection[str]) -> Iterator[str]:
    if isinstance(node, ast.Call):
        yield from _of_call(node, named)
    elif isinstance(node, ast.ClassDef) and node.name in named:
        yield from _first_line(node)
        yield from _of_super_calls(node)
    elif isinstance(node, ast.AsyncFunctionDef) and _is_route(node):
        yield from _first_line(node)


def _of_call(call: ast.Call, named: Collection[str]) -> Iterator[str]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name in _MARKS:
        yield from _constants(call.args[:1])
    elif name in named:
        yield from _constants(call.args[:2])
        yield from _constants([k.value for k in call.keywords if k.arg == "hint"])
    elif name == "Field":
        about = [k.value for k in call.keywords if k.arg == "description"]
        yield from _constants(about)


def _of_super_calls(error: ast.ClassDef) -> Iterator[str]:
    """Yield the texts of an error that writes them itself: super().__init__(...)."""
    for node in ast.walk(error):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "__init__"
        ):
            yield from _constants(node.args[:2])


def _is_route(function: ast.AsyncFunctionDef) -> bool:
    """Tell it by its decorator, or by what it takes where a table has the routes."""
    takes = [getattr(one.annotation, "id", "") for one in function.args.args]
    is_public = not function.name.startswith("_")
    return (is_public and takes == _OF_A_TABLE) or any(
        isinstance(mark, ast.Call)
        and isinstance(mark.func, ast.Attribute)
        and mark.func.attr in _METHODS
        for mark in function.decorator_list
    )


def _first_line(node: ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[str]:
    docstring = ast.get_docstring(node)
    if docstring:
        yield docstring.split("\n")[0]


def _constants(nodes: Collection[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and node.value
        ):
            yield node.value
