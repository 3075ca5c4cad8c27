"""A notebook's choices as JSON: what is missing in an old row has its usual value."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from kqi_hub.domain.notebooks import Choices, Repository, Shape, Staging, Ui


class ChoicesText(TypeDecorator[Choices]):
    """Choices, kept as JSON, whose ASCII escapes hold any character."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Choices | None, dialect: Dialect) -> str | None:
        """Write the choices as JSON."""
        return None if value is None else json.dumps(_plain(value))

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> Choices | None:
        """Read the choices from JSON."""
        return None if value is None else _choices(json.loads(value))


def _plain(one: Choices) -> Mapping[str, object]:
    repository = one.repository
    return {
        "name": one.name,
        "tenant": one.tenant,
        "queue": one.queue,
        "cpus": one.shape.cpus,
        "memory_mb": one.shape.memory_mb,
        "gpus": one.shape.gpus,
        "gpu_type": one.shape.gpu_type,
        "lifetime_s": one.lifetime_s,
        "preset": one.preset,
        "ui": one.ui.value,
        "environment": one.environment,
        "repository": repository and [repository.url, repository.ref],
        "variables": one.variables,
        "command": one.command,
        "memo": one.memo,
        "dataset": one.dataset,
        "staging": one.staging.value,
        "parents": one.parents,
        "may_push": one.may_push,
    }


def _choices(said: Mapping[str, Any]) -> Choices:
    repository = said.get("repository")
    return Choices(
        name=said["name"],
        tenant=said["tenant"],
        queue=said["queue"],
        shape=Shape(
            said["cpus"], said["memory_mb"], said["gpus"], said.get("gpu_type", "")
        ),
        lifetime_s=said.get("lifetime_s"),
        preset=said.get("preset", ""),
        ui=Ui(said.get("ui", Ui.LAB)),
        environment=said.get("environment", ""),
        repository=Repository(*repository) if repository else None,
        variables=tuple((name, value) for name, value in said.get("variables", ())),
        command=said.get("command", ""),
        memo=said.get("memo", ""),
        dataset=said.get("dataset"),
        staging=Staging(said.get("staging", Staging.LINK)),
        parents=tuple(said.get("parents", ())),
        may_push=said.get("may_push", False),
    )
