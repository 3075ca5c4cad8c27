"""Why a form is offered no more than this, in the language of who asks."""

from kqi_hub.domain.errors import KqiError
from kqi_hub.i18n import Texts


def said(why: KqiError | None, texts: Texts) -> str:
    """Return a reason with what to do about it; empty where there is none."""
    if why is None:
        return ""
    return " ".join(filter(None, (texts.message(why), texts.hint(why))))
