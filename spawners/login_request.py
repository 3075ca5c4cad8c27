"""What a program sends to log in, checked before anything is done with it."""

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.one_line import is_one_line
from kqi_hub.domain.tokens import LONGEST_NOTE

SCOPES: Final = (
    "custom:kqi:read",
    "custom:kqi:write",
    "custom:kqi:operate",
    "tokens!user",
    "access:servers!user",
)
_LARGEST_BODY: Final = 16 * 1024


class LoginRequest(BaseModel):
    """Name, password and code, and what the token is to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(max_length=1024)
    password: str = Field(max_length=4096, repr=False)
    code: str = Field(default="", max_length=256, repr=False)
    note: str = Field(default="kqi login", max_length=1024)
    scopes: list[str] = Field(default=["custom:kqi:write"], min_length=1, max_length=10)
    lifetime_s: int = Field(default=30 * 86400, ge=60)

    @property
    def wanted_scopes(self) -> list[str]:
        """Return the scopes, each once."""
        return list(dict.fromkeys(self.scopes))


def read_login(content_type: str, body: bytes) -> LoginRequest:
    """Return what was sent, or raise InvalidInput."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        # Another site's page can send a form from somebody's browser, but not JSON.
        raise InvalidInput("A login is sent as JSON (application/json).")
    if len(body) > _LARGEST_BODY:
        raise InvalidInput("More was sent than a login needs.")
    asked = _parsed(body)
    if not is_one_line(asked.note.strip(), LONGEST_NOTE):
        raise InvalidInput(
            "The note has 1 to {most} characters, on one line.",
            "Say what the token is for, such as nightly evaluation.",
            most=LONGEST_NOTE,
        )
    unknown = sorted(set(asked.scopes) - set(SCOPES))
    if unknown:
        raise InvalidInput(
            "There is no scope {scope}.",
            "Possible: {scopes}.",
            scope=ascii(unknown[0][:100]),
            scopes=", ".join(SCOPES),
        )
    return asked


def _parsed(body: bytes) -> LoginRequest:
    try:
        return LoginRequest.model_validate_json(body)
    except ValidationError as error:
        fields = sorted({_field(one["loc"]) for one in error.errors()})
    # Outside the clause: what was sent, a password perhaps, hangs on that error.
    raise InvalidInput(
        "These fields of the login are not right: {fields}.",
        "Send name, password, code, and optionally note, scopes, lifetime_s.",
        fields=", ".join(fields),
    )


def _field(path: Sequence[str | int]) -> str:
    """Return the name of a field of ours; what others are called is not repeated."""
    name = str(path[0]) if path else ""
    return name if name in LoginRequest.model_fields else "body"
