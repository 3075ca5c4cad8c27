"""Short ways to ask the agent about files."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.adapters.agent.conftest import Lab

FILES = "api/files"


def query(**said: object) -> str:
    return "&".join(f"{name}={quote(str(value), '')}" for name, value in said.items())


async def ask(lab: Lab, route: str, **said: Any) -> Any:
    more = {
        name: said.pop(name) for name in ("headers", "method", "whose") if name in said
    }
    return await lab.get(f"{FILES}/{route}?{query(**said)}", **more)


async def change(lab: Lab, route: str, body: object, **said: Any) -> Any:
    return await lab.send(f"{FILES}/{route}", body, **said)


async def put(lab: Lab, path: str, body: bytes, **said: Any) -> Any:
    said = {"size": len(body), **said}
    asked = query(path=path, **said)
    return await lab.send(f"{FILES}/content?{asked}", body, method="PUT")


async def write_text(lab: Lab, path: str, body: bytes, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await lab.send(
        f"{FILES}/text?{query(path=path)}", body, method="PUT", headers=named
    )


async def finished(lab: Lab, answer: Any) -> Any:
    """Return how a work ended, however long it takes."""
    work = said(answer)
    while work["ended_at"] is None:
        await asyncio.sleep(0.05)
        work = said(await ask(lab, f"work/{work['id']}"))
    return work


def said(answer: Any) -> Any:
    return json.loads(answer.body)


def refused(answer: Any) -> tuple[int, str]:
    return answer.code, said(answer)["error"]


def make(file: Path, content: bytes) -> None:
    file.write_bytes(content)
