"""What was asked for of a run as JSON; what an old row lacks has its usual value."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from kqi_hub.domain.notebooks import Shape, Staging
from kqi_hub.domain.runs import Parent, RunKind, RunSpec, Source

# What is written as it is; the command has a column of its own.
_PLAIN: Final = (
    "name", "tenant", "queue", "lifetime_s", "dataset", "environment", "image", "ports",
    "zip", "memo", "tags", "variables", "is_outside",
)  # fmt: skip
_KNOWN: Final = {one.name for one in fields(RunSpec)}


class SpecText(TypeDecorator[RunSpec]):
    """A RunSpec without its command, kept as JSON, whose escapes hold any character."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: RunSpec | None, dialect: Dialect) -> str | None:
        """Write it as JSON."""
        return None if value is None else json.dumps(_said(value))

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> RunSpec | None:
        """Read it from JSON."""
        return None if value is None else _spec(json.loads(value))


def _said(spec: RunSpec) -> Mapping[str, object]:
    source = spec.source
    shape = spec.shape
    return {
        **{name: getattr(spec, name) for name in _PLAIN},
        "shape": [shape.cpus, shape.memory_mb, shape.gpus, shape.gpu_type],
        "staging": spec.staging.value,
        "parents": [[one.kind.value, one.id] for one in spec.parents],
        "source": source and [source.url, source.ref, source.commit],
    }


def _spec(said: Mapping[str, Any]) -> RunSpec:
    known = {name: value for name, value in said.items() if name in _KNOWN}
    source = known.pop("source", None)
    return RunSpec(
        **known
        | {
            "command": "",
            "shape": Shape(*known["shape"]),
            "staging": Staging(known.get("staging", Staging.LINK)),
            "parents": tuple(
                Parent(RunKind(kind), number)
                for kind, number in known.get("parents", ())
            ),
            "source": Source(*source) if source else None,
            "ports": tuple(known.get("ports", ())),
            "tags": tuple(known.get("tags", ())),
            "variables": tuple(
                (name, value) for name, value in known.get("variables", ())
            ),
        }
    )
