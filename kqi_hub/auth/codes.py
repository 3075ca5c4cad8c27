"""Time-based one-time codes (RFC 6238), and how a key gets into a person's device."""

from typing import Final

import pyotp
import segno

from kqi_hub.domain.enrolment import Invitation

DIGITS: Final = 6
WINDOW: Final = 1
_KEY_GROUP: Final = 4
_SECRET_LENGTH: Final = 32


class OneTimeCodes:
    """A CodeBook (domain/enrolment.py) for six digits every 30 seconds."""

    def __init__(self, issuer: str) -> None:
        """`issuer` is what devices show beside the code."""
        self._issuer = issuer

    def new_secret(self) -> str:
        """Return a fresh secret of 160 bits in base32."""
        return pyotp.random_base32(_SECRET_LENGTH)

    def step(self, secret: str, code: str, now: float) -> int | None:
        """Return the time step of a code, at most one away from now, else None."""
        if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
            return None
        try:
            return pyotp.TOTP(secret).verify_and_get_timecode(
                code, for_time=now, valid_window=WINDOW
            )
        except pyotp.OTPVerificationError:
            return None

    def invitation(self, person: str, secret: str) -> Invitation:
        """Return QR code, address and typed key of a secret."""
        uri = pyotp.TOTP(secret).provisioning_uri(name=person, issuer_name=self._issuer)
        groups = range(0, len(secret), _KEY_GROUP)
        return Invitation(
            uri=uri,
            key=" ".join(secret[start : start + _KEY_GROUP] for start in groups),
            qr_svg=_svg(uri),
        )


def _svg(text: str) -> str:
    """Draw black on white whatever the page's theme is: cameras want it so."""
    return segno.make(text, error="m", micro=False).svg_inline(
        dark="#000",
        light="#fff",
        border=4,
        omitsize=True,
        svgclass="qr",
        lineclass=None,
    )
