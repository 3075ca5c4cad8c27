"""The tables of logging in: second factor, throttling, keys, terms of use."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from kqi_hub.settings.contradiction import Contradiction
from kqi_hub.settings.field import about
from kqi_hub.settings.rules import Between, Each, Line, Matches, NetworkAddress

NO_FACTOR_WORDS: Final = "whoever learns a password is in"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """Who is asked for a one-time code beside the password."""

    mode: Literal["required", "optional", "directory", "off"] = field(
        default="required",
        metadata=about(
            "`required`: everybody, set up at the first login; `optional`: who has set "
            "one up; `directory`: the directory checks password and code, sent as one; "
            "`off`: nobody, see the next key."
        ),
    )
    i_accept_logins_without_second_factor: str | None = field(
        default=None,
        metadata=about(f'For `off`, exactly this: "{NO_FACTOR_WORDS}".', Line(200)),
    )
    issuer: str | None = field(
        default=None,
        metadata=about(
            "What people's devices show beside the code; the site's name when left "
            "out.",
            Matches(r"[^:%\r\n]{1,80}", "1 to 80 characters without : and %"),
        ),
    )

    def contradictions(self) -> Iterator[Contradiction]:
        """Refuse `off` unless the settings also say what that means."""
        words = self.i_accept_logins_without_second_factor
        if self.mode == "off" and words != NO_FACTOR_WORDS:
            yield Contradiction(
                "mode",
                '"off" alone',
                f'i_accept_logins_without_second_factor = "{NO_FACTOR_WORDS}" with it',
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """How a login is answered, and whom to believe about where it comes from.

    How fast somebody may guess is not set here: docs/operators/login.md has the
    figures.
    """

    failure_time_s: float = field(
        default=1.0,
        metadata=about(
            "Seconds that every failed login takes, whatever was wrong; a slower "
            "directory makes it a multiple of that.",
            Between(0.2, 10),
        ),
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "Addresses or networks of the site's own proxies in front of the hub: "
            "what they say in X-Forwarded-For is believed.",
            Each(NetworkAddress(), least=0),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """The keys that encrypt what the database must be able to give back."""

    key_file: Path | None = field(
        default=None,
        metadata=about(
            "File with the keys, one a line, the newest first; `keys` in the state "
            "folder when left out. Made by `kqi-hub keys generate`.",
            secret_file=True,
            lines=True,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Terms of use that everybody accepts before the first use.

    Without this table nobody is asked.
    """

    version: str = field(
        metadata=about(
            "Name of this version; a new one asks everybody again.",
            Matches(
                r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}",
                "letters, digits, . _ and -, 1 to 40 of them",
            ),
            example='"2026-11"',
        )
    )
    file: Path = field(
        metadata=about(
            "The text, UTF-8: paragraphs apart by empty lines; # begins a heading, - "
            "or 1. an item of a list.",
            example='"/etc/kqi/terms.txt"',
        )
    )
