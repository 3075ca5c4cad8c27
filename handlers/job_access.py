"""What the token of a running job reaches: its own tenant, and what jobs work with.

Such a token lies in the environment of whatever people run. So it makes no further
login: no tokens, notebooks, agents, keys or passwords; and it is good only while its
run lives, whatever the hub says.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from handlers.access import Scope
from handlers.failures import NotLoggedIn
from handlers.route import API_PREFIX, Route
from kqi_hub.domain.job_tokens import JOB_SCOPE
from kqi_hub.domain.people import Standing
from kqi_hub.services.job_tokens import JobTokens

# By the first part of a path below /api/v1/; what is not here is not for jobs.
_CHANGED: Final = frozenset(
    {
        "data",
        "datasets",
        "inference",
        "preprocessing",
        "preprocessing-runs",
        "training",
        "uploads",
    }
)
_READ: Final = _CHANGED | {
    "git",
    "lineage",
    "price",
    "queues",
    "tenants",
    "whoami",
}


def is_of_a_job(scopes: Collection[str]) -> bool:
    """Tell whether a token is that of a job; logins and people's tokens reach more."""
    return JOB_SCOPE in scopes and Scope.WRITE.value not in scopes


def job_scopes(route: Route | None) -> frozenset[str]:
    """Return what the token of a job may do on a route."""
    if route is None or not route.path.startswith(API_PREFIX):
        return frozenset()
    part = route.path.split("/")[3] if route.path.count("/") > 2 else ""
    found = {Scope.READ.value} if part in _READ else set()
    if part in _CHANGED:
        found.add(Scope.WRITE.value)
    return frozenset(found)


async def job_standing(
    tokens: JobTokens, model: Mapping[str, Any], standing: Standing
) -> Standing:
    """Return what is left of a person's roles in the one tenant of the job.

    NotLoggedIn once the run has ended; nobody is an operator in a job.
    """
    holder = await tokens.holder(str(model.get("token_id") or ""))
    if holder is None or holder.owner != standing.person:
        raise NotLoggedIn
    mine = tuple(one for one in standing.memberships if one.tenant == holder.tenant)
    return Standing(standing.person, mine)
