"""The document says of the routes of files what they do."""

import json
from typing import Any

import pytest

from handlers.agent_file_routes import FILE_ROUTES
from handlers.agent_models import Refusal
from handlers.agent_route import AgentRoute
from tests.adapters.agent.conftest import Lab
from tests.adapters.agent.file_calls import query

ASKED: dict[str, dict[str, Any]] = {
    "FolderOrder": {"path": "new"},
    "MoveOrder": {"path": "a.txt", "to": "b.txt"},
    "DeleteOrder": {"paths": ["a.txt"]},
    "ArchiveOrder": {"paths": ["a.txt"]},
    "OfferOrder": {"paths": ["a.txt"], "ticket": "x", "base": ""},
}


def called(route: AgentRoute) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture
async def work(lab: Lab) -> str:
    """Return a work that has ended."""
    (lab.folder / "gone").touch()
    body = {"paths": ["gone"]}
    answer = await lab.send("api/files/delete", body)
    return str(json.loads(answer.body)["id"])


@pytest.mark.parametrize("route", FILE_ROUTES, ids=called)
async def test_an_answer_has_the_fields_that_are_documented(
    lab: Lab, route: AgentRoute, work: str
) -> None:
    (lab.folder / "a.txt").write_text("one")
    (lab.folder / "link").symlink_to("a.txt")
    path = "" if "list" in route.path or "use" in route.path else "a.txt"
    path = "new.txt" if route.method == "PUT" else path
    address = route.path.lstrip("/").format(work=work)
    asked = query(path=path, size=3) if route.query else ""
    if route.method == "GET":
        answer = await lab.get(f"{address}?{asked}")
    else:
        body: Any = ASKED[route.body.__name__] if route.body else b"new"
        answer = await lab.send(
            f"{address}?{asked}", body, method=route.method,
            headers={"If-None-Match": "*", "Content-Type": "application/json"},
        )  # fmt: skip
    assert answer.code == route.status, answer.body
    if route.answer is None:
        assert answer.headers["Content-Disposition"].startswith("attachment")
        return
    shown = route.answer.model_validate_json(answer.body)
    fields = type(shown).model_fields
    names = {field.alias or name for name, field in fields.items()}
    needed = {f.alias or n for n, f in fields.items() if f.is_required()}
    assert needed <= set(json.loads(answer.body)) <= names


AT_PLACES = [route for route in FILE_ROUTES if "path" in route.query]


@pytest.mark.parametrize("route", AT_PLACES, ids=called)
async def test_a_refusal_has_a_documented_code(lab: Lab, route: AgentRoute) -> None:
    address = f"{route.path.lstrip('/')}?{query(path='../..', size=3)}"
    answer = (
        await lab.get(address)
        if route.method == "GET"
        else await lab.send(address, b"xyz", method=route.method)
    )
    assert answer.code in route.codes
    assert Refusal.model_validate_json(answer.body).message
