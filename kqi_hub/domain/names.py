"""Which names can be people's at all, and how a typed one is written down.

A person's name is also a Unix, Slurm and JupyterHub name, and the last two know lower
case only: so there are no two people whose names differ in case alone.
"""

import hashlib
import re
import string
from typing import Final

LONGEST_NAME: Final = 64
_NAME: Final = re.compile(rf"[a-z0-9_][a-z0-9._-]{{0,{LONGEST_NAME - 1}}}", re.ASCII)


def is_name(text: str) -> bool:
    """Tell whether a directory entry of this name can be a person.

    Digits alone are refused: every Unix tool would take them for a uid.
    """
    return _NAME.fullmatch(text) is not None and not text.isdigit()


def typed_name(typed: str) -> str | None:
    """Return a name as typed into a form, cleaned; None if it can be nobody's.

    Spaces around it (telephones add them) and capital letters are forgiven. Nothing
    else is: no other alphabet's letters are folded into ours.
    """
    bare = typed[: LONGEST_NAME + 16].strip(string.whitespace)
    name = bare.lower() if bare.isascii() else bare
    return name if is_name(name) and len(typed) <= LONGEST_NAME + 16 else None


def counting_name(typed: str) -> str:
    """Return under which name failures are counted, for anything typed."""
    name = typed_name(typed)
    if name is not None:
        return name
    digest = hashlib.sha256(typed.encode(errors="surrogatepass"))
    return "!" + digest.hexdigest()[:24]


def loggable_name(typed: str) -> str:
    """Return what logs may say of a typed name.

    What cannot be a name is not repeated: it may be a password in the wrong field.
    """
    name = typed_name(typed)
    return name if name is not None else f"(no name, {min(len(typed), 999)} characters)"
