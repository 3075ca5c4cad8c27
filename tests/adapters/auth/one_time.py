"""One-time codes of a raw secret, as a device would show them."""

import base64
import time

import pyotp


def code_of(secret: bytes, steps_ahead: int = 0) -> str:
    device = pyotp.TOTP(base64.b32encode(secret).decode())
    return device.at(time.time(), counter_offset=steps_ahead)
