"""Tokens for running jobs, joined for the portal's process."""

from typing import Final

from sqlalchemy import Engine

from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.job_tokens import SqlJobTokens
from kqi_hub.db.runs import SqlRunStore
from kqi_hub.db.snapshot import SqlSnapshotStore
from kqi_hub.domain.tokens import HubTokens
from kqi_hub.services.job_tokens import JobTokens
from kqi_hub.settings.model import Settings

_DAY_S: Final = 86_400


def open_job_tokens(
    settings: Settings, engine: Engine, hub: HubTokens, word: str
) -> JobTokens:
    """Return them; the portal asks the hub with its own `word`."""
    return JobTokens(
        store=SqlJobTokens(engine),
        runs=SqlRunStore(engine),
        picture=SqlSnapshotStore(engine, settings.cluster.name),
        hub=hub,
        audit=SqlAuditLog(engine),
        word=word,
        is_on=settings.runs.tokens,
        longest_s=settings.hub.longest_token_days * _DAY_S,
    )
