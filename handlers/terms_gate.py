"""Lead everybody to the terms of use who has not accepted those in force."""

from urllib.parse import urlencode

from handlers.ask import GoTo
from handlers.route import Route
from handlers.visit import Visit
from kqi_hub.services.terms_gate import TermsNotAccepted

PATH = "terms"


async def led_to_terms(visit: Visit, route: Route, wanted: str) -> GoTo | None:
    """Return the way to the terms for a page, None for who may pass.

    `wanted` is the page's own address, to come back to. Raises TermsNotAccepted on a
    route of the API.
    """
    if visit.visitor is None or route.spec.before_terms:
        return None
    gate = visit.portal.deps.account.terms
    if not await gate.must_accept(visit.visitor.standing.person):
        return None
    if not route.is_page:
        raise TermsNotAccepted
    if not route.is_reading:
        return GoTo(PATH)
    return GoTo(f"{PATH}?{urlencode({'next': wanted})}")
