"""Addresses of our own pages that come back to us through a browser."""

import re
from typing import Final

_OWN_PAGE: Final = re.compile(r"(?!/)(?!.*\.\.)[\w./%?=&+-]{0,500}", re.ASCII)


def own_page(sent: str) -> str:
    """Return the address if it is below the portal's own, else that of the first page.

    Nothing that a browser could take for another site gets through.
    """
    return sent if _OWN_PAGE.fullmatch(sent) else ""
