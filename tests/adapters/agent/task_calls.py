"""Tasks as callers of an agent order and see them."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from kqi_hub.agent.tasks import Tasks
from tests.adapters.agent.conftest import Lab

TASKS = "api/environments/tasks"
CREATE = {"operation": "create", "name": "torch", "base": "notebook"}


async def order(lab: Lab, expected: int = 202, **changes: object) -> dict[str, Any]:
    answer = await lab.send(TASKS, {**CREATE, **changes})
    assert answer.code == expected, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def one(lab: Lab, task_id: str) -> dict[str, Any]:
    answer = await lab.get(f"{TASKS}/{task_id}")
    assert answer.code == 200, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def until(lab: Lab, task_id: str, *states: str) -> dict[str, Any]:
    for _ in range(200):
        found = await one(lab, task_id)
        if found["state"] in states:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(found)


def place(lab: Lab, task_id: str) -> Path:
    return lab.folder / "kqi/environments" / task_id


def tell(lab: Lab, task_id: str, **said: object) -> None:
    (place(lab, task_id) / "state.json").write_text(json.dumps(said))


def runs_here(lab: Lab) -> None:
    """Let the site run tasks on the hub's machine."""
    rules = replace(lab.agent.tasks.rules, run_on="hub")
    tasks = Tasks(lab.folder, rules, lab.agent.disk)
    object.__setattr__(lab.agent, "tasks", tasks)
