"""What a run has used as JSON in a column; nothing of it is searched or sorted by."""

import json

from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

from kqi_hub.domain.run_use import RunUse


class UseText(TypeDecorator[RunUse]):
    """A RunUse, kept as JSON; what an older or newer portal wrote may be none."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: RunUse | None, dialect: Dialect) -> str | None:
        """Write it as JSON."""
        return None if value is None else json.dumps(value.told())

    def process_result_value(
        self, value: str | None, dialect: Dialect
    ) -> RunUse | None:
        """Read it from JSON."""
        return None if value is None else RunUse.read(json.loads(value))
