"""All of the doctor's checks in the order in which people read them."""

from kqi_hub.services.checks.data_checks import DataChecks
from kqi_hub.services.checks.examine import Check
from kqi_hub.services.checks.person_checks import PersonChecks, Volunteer
from kqi_hub.services.checks.portal_checks import PortalChecks
from kqi_hub.services.checks.rate_checks import RateChecks
from kqi_hub.services.checks.slurm_checks import SlurmChecks
from kqi_hub.services.checks.sources import Sources, Target
from kqi_hub.services.checks.store_checks import StoreChecks
from kqi_hub.services.checks.use_checks import UseChecks


def all_checks(
    target: Target, sources: Sources, volunteer: Volunteer | None
) -> list[Check]:
    """Return the checks; those that act as a person only with somebody's name."""
    checks = [
        *SlurmChecks(target, sources).checks(),
        *PortalChecks(target, sources).checks(),
    ]
    if sources.store is not None:
        checks += StoreChecks(sources.store).checks()
    if sources.comparisons is not None:
        checks += DataChecks(sources.comparisons, sources.wall).checks()
    if sources.rates is not None:
        checks += RateChecks(sources.rates, sources.wall).checks()
    if sources.reconciled is not None:
        checks += UseChecks(sources.reconciled, sources.wall).checks()
    if volunteer is not None:
        checks += PersonChecks(target, sources, volunteer).checks()
    return checks
