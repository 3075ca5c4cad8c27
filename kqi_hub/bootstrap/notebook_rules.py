"""What the site decides about notebooks, and where sessions are launched."""

from urllib.parse import urljoin, urlsplit

from kqi_hub.bootstrap.queues import presets_of
from kqi_hub.domain.notebooks import NotebookRules, Ui
from kqi_hub.settings.model import Settings
from kqi_hub.slurm.notebook_script import LaunchPlace

_HOUR_S, _MINUTE_S = 3600, 60


def notebook_rules(settings: Settings) -> NotebookRules:
    """Return the site's rules for notebooks."""
    table = settings.notebooks
    return NotebookRules(
        ui=Ui.LAB if table.interface == "lab" else Ui.NOTEBOOK,
        default_lifetime_s=table.default_lifetime_hours * _HOUR_S,
        longest_lifetime_s=table.longest_lifetime_hours * _HOUR_S,
        unlimited_tenants=table.unlimited_tenants,
        idle_stop_s=table.idle_stop_minutes * _MINUTE_S,
        idle_warn_s=table.idle_warn_minutes * _MINUTE_S,
        end_warn_s=table.end_warn_minutes * _MINUTE_S,
        most_per_person=table.most_per_person,
        presets=presets_of(settings),
    )


def launch_place(settings: Settings) -> LaunchPlace:
    """Return where sessions are launched, the same for everybody."""
    hub = settings.hub
    base = urlsplit(hub.public_url).path
    return LaunchPlace(
        scratch_root=str(settings.scratch.root),
        session_python=str(settings.notebooks.session_python),
        hub_api_url=f"http://{hub.address}:{hub.hub_port}{base}hub/api",
        portal_url=urljoin(hub.public_url, "services/portal/"),
        rules=notebook_rules(settings),
        timezone=settings.site.timezone,
    )
