"""Errors as people and programs read them: RFC 9457, in the asker's language."""

from dataclasses import dataclass
from typing import Final

from handlers.failures import Broken, InvalidFields
from kqi_hub.domain.data_errors import Blocked
from kqi_hub.domain.dataset_ports import Blocker
from kqi_hub.domain.errors import (
    ClusterRefused,
    DatabaseNotReady,
    KqiError,
    SettingsError,
)
from kqi_hub.i18n import N_, Texts

PROBLEM_TYPE: Final = "application/problem+json"
_TITLES: Final = {
    400: N_("Not understood"),
    401: N_("Log in first"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    405: N_("Not possible here"),
    409: N_("Changed meanwhile"),
    413: N_("Too large"),
    415: N_("Wrong type"),
    422: N_("Refused by Slurm"),
    429: N_("Too many attempts"),
    500: N_("Something went wrong"),
    502: N_("Something went wrong"),
    503: N_("Not available right now"),
    504: N_("No answer in time"),
    507: N_("No room left"),
}
# Their messages name files, hosts and commands: for the log and for operators.
_FOR_OPERATORS: Final = (SettingsError, DatabaseNotReady)


@dataclass(frozen=True, slots=True)
class Problem:
    """One error, ready to be shown."""

    status: int
    code: str
    title: str
    detail: str
    hint: str
    request_id: str
    reason: str = ""
    fields: tuple[tuple[str, str, str], ...] = ()
    blockers: tuple[Blocker, ...] = ()

    def document(self, type_base: str) -> dict[str, object]:
        """Return the body of an application/problem+json answer."""
        found: dict[str, object] = {
            "type": f"{type_base}#error-{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "hint": self.hint,
            "instance": f"urn:uuid:{self.request_id}",
        }
        if self.reason:
            found["reason"] = self.reason
        if self.fields:
            names = ("field", "code", "message")
            found["errors"] = [
                dict(zip(names, row, strict=True)) for row in self.fields
            ]
        if self.blockers:
            found["blockers"] = [
                {
                    "kind": one.thing.kind.value,
                    "id": one.thing.id,
                    "name": one.name,
                    "why": one.why.value,
                }
                for one in self.blockers
            ]
        return found


def problem_of(error: KqiError, texts: Texts, request_id: str) -> Problem:
    """Put an error into the asker's language, without what is for operators."""
    shown = error
    if isinstance(error, _FOR_OPERATORS):
        shown = Broken()
    return Problem(
        status=error.status,
        code=error.code,
        title=texts.say(title_of(error.status)),
        detail=texts.message(shown),
        hint=texts.hint(shown),
        request_id=request_id,
        reason=error.reason if isinstance(error, ClusterRefused) else "",
        fields=_fields(error, texts),
        blockers=error.blockers if isinstance(error, Blocked) else (),
    )


def title_of(status: int) -> str:
    """Return what a status means in few words, in English."""
    return _TITLES.get(status, _TITLES[500])


def _fields(error: KqiError, texts: Texts) -> tuple[tuple[str, str, str], ...]:
    if not isinstance(error, InvalidFields):
        return ()
    return tuple((f.field, f.kind, texts.message(f)) for f in error.fields)
