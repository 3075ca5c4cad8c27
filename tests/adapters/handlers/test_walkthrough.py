"""docs/developers/first-change.md: its route and its tests do what it says."""

import ast
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import ModuleType

import pytest

from handlers.service import Folders, all_routes
from tests.adapters.handlers.conftest import Client
from tests.fakes.site import FakeSite, serving

DOCS = Path(__file__).parents[3] / "docs"
ROUTE, TESTS = re.findall(
    r"^```python\n(.*?)^```",
    (DOCS / "developers/first-change.md").read_text(),
    re.DOTALL | re.MULTILINE,
)
Test = Callable[[Client], Awaitable[None]]


def loaded(name: str, source: str) -> ModuleType:
    """Return a block of the page as the module that it would be."""
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102  our own page
    return module


@pytest.fixture
async def ask(folders: Folders) -> AsyncIterator[Client]:
    routes = loaded("handlers.api.standing", ROUTE).routes.all
    site = FakeSite(folders=folders, routes=(*all_routes(), *routes))
    async with serving(site):
        yield Client(site)
    del sys.modules["handlers.api.standing"]


@pytest.mark.parametrize(
    "name",
    [node.name for node in ast.parse(TESTS).body if hasattr(node, "name")],
)
async def test_the_tests_of_the_page_pass(ask: Client, name: str) -> None:
    test: Test = getattr(loaded("test_standing", TESTS), name)
    await test(ask)


def test_the_page_names_files_that_are_there() -> None:
    page = (DOCS / "developers/first-change.md").read_text()
    named = set(re.findall(r"`((?:handlers|tests|kqi_hub|hub_config)/[\w/.]+)`", page))
    new = {"handlers/api/standing.py", "tests/adapters/handlers/test_standing.py"}
    missing = {name for name in named - new if not (DOCS.parent / name).exists()}
    assert (missing, new - named) == (set(), set())
