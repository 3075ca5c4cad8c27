"""Everything that people change about themselves, joined."""

from sqlalchemy import Engine

from kqi_hub.auth.ssh_wire import SshWire
from kqi_hub.bootstrap.keys import open_box
from kqi_hub.bootstrap.login import load_terms, login_desk
from kqi_hub.db.credentials import SqlCredentialStore
from kqi_hub.db.ssh_keys import SqlSshKeyStore
from kqi_hub.db.terms import SqlTermsStore
from kqi_hub.domain.credentials import Kind, Service, Use
from kqi_hub.services.account import Account
from kqi_hub.services.terms_gate import TermsGate
from kqi_hub.settings.model import Settings

_DAY_S = 86_400


def open_account(settings: Settings, engine: Engine) -> Account:
    """Return what /me works with in this process, on its database.

    Raises SettingsError when anything is missing that a login needs too.
    """
    desk = login_desk(settings, engine)
    return Account(
        desk=desk,
        keys=SqlSshKeyStore(engine),
        key_check=SshWire(),
        credentials=SqlCredentialStore(engine, open_box(settings)),
        services=services_of(settings),
        longest_token_s=settings.hub.longest_token_days * _DAY_S,
        terms=TermsGate(desk, SqlTermsStore(engine), load_terms(settings)),
    )


def services_of(settings: Settings) -> tuple[Service, ...]:
    """Return the site's Git services, then its registries, in the file's order."""
    git = [Service(s.name, Use.GIT, Kind(s.kind), s.url) for s in settings.git]
    registries = [
        Service(s.name, Use.REGISTRY, Kind(s.kind), s.url) for s in settings.registry
    ]
    return (*git, *registries)
