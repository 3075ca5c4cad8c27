"""Everything that logging people in takes, joined."""

from sqlalchemy import Engine

from kqi_hub.auth.codes import OneTimeCodes
from kqi_hub.auth.directory import LdapDirectory
from kqi_hub.auth.gateway import DirectoryGateway
from kqi_hub.auth.ldap_options import (
    BindMode,
    DirectoryOptions,
    GroupAttributes,
    PersonAttributes,
    server_address,
)
from kqi_hub.auth.tickets import SealedTickets
from kqi_hub.auth.unix_accounts import unix_uid
from kqi_hub.bootstrap.database import open_database
from kqi_hub.bootstrap.keys import open_box
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.factors import SqlFactorStore
from kqi_hub.db.known_people import SqlKnownPeople
from kqi_hub.db.terms import SqlTermsStore
from kqi_hub.db.throttle import SqlThrottleStore
from kqi_hub.domain.errors import SettingsError
from kqi_hub.domain.login import AuditLog, FactorMode
from kqi_hub.domain.terms import Terms, TermsStore
from kqi_hub.services import enrolment
from kqi_hub.services.desk import Desk, LoginRules, SystemClock
from kqi_hub.services.person_report import PersonReport, ReportSources, report
from kqi_hub.settings import directory as directory_settings
from kqi_hub.settings.model import Settings
from kqi_hub.settings.secrets import read_secret

# A question may wait in the queue before the directory's own time begins.
_QUEUE_S = 5.0
_LONGEST_TERMS = 200_000


def login_desk(settings: Settings, engine: Engine | None = None) -> Desk:
    """Return the desk for this process's event loop; make one, and keep it.

    Raises SettingsError when anything is missing that a login needs.
    """
    table = _directory_table(settings)
    box = open_box(settings)
    directory = open_directory(settings)
    gateway = DirectoryGateway(
        directory,
        places=table.pool_size,
        longest_queue=table.longest_queue,
        deadline_s=table.total_timeout_s + _QUEUE_S,
    )
    opened = engine or open_database(settings)

    def close() -> None:
        gateway.close()
        directory.close()
        if engine is None:
            opened.dispose()

    return Desk(
        directory=gateway,
        factors=SqlFactorStore(opened, box),
        codes=OneTimeCodes(settings.second_factor.issuer or settings.site.name),
        throttle=SqlThrottleStore(opened),
        audit=SqlAuditLog(opened),
        tickets=SealedTickets(box),
        rules=_rules(settings),
        people=SqlKnownPeople(opened),
        close=close,
    )


def _rules(settings: Settings) -> LoginRules:
    return LoginRules(
        mode=FactorMode(settings.second_factor.mode),
        portal_group=settings.people.group,
        min_uid=settings.people.min_uid,
        failure_time_s=settings.login.failure_time_s,
    )


def open_directory(settings: Settings) -> LdapDirectory:
    """Return the directory's client; it connects when it is asked something."""
    table = _directory_table(settings)
    return LdapDirectory(
        _options(table), unix_uid if table.check_unix_account else None
    )


def open_audit_log(settings: Settings) -> AuditLog:
    """Return the audit log."""
    return SqlAuditLog(open_database(settings))


def open_terms_store(settings: Settings) -> TermsStore:
    """Return who accepted which terms."""
    return SqlTermsStore(open_database(settings))


def load_terms(settings: Settings) -> Terms | None:
    """Return the terms of use in force, None where the site has none."""
    if settings.terms is None:
        return None
    path = settings.terms.file
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The terms of use {path} cannot be read: {error}."
        ) from error
    if not text.strip() or len(text) > _LONGEST_TERMS:
        raise SettingsError(f"The terms of use {path} are empty or absurdly long.")
    return Terms(settings.terms.version, text)


def reset_factor(settings: Settings, operator: str, person: str) -> bool:
    """Take a person's second factor away, audited; False if there was none."""
    engine = open_database(settings)
    try:
        return enrolment.reset(
            SqlFactorStore(engine, open_box(settings)),
            SqlAuditLog(engine),
            operator,
            person,
            SystemClock(),
        )
    finally:
        engine.dispose()


def take_over_factor(
    settings: Settings, operator: str, person: str, secret: str
) -> tuple[str, ...]:
    """Make a device of another system the person's factor, audited."""
    engine = open_database(settings)
    stores = SqlFactorStore(engine, open_box(settings)), SqlAuditLog(engine)
    try:
        return enrolment.take_over(*stores, operator, person, secret, SystemClock())
    finally:
        engine.dispose()


def person_report(settings: Settings, name: str) -> PersonReport:
    """Return what directory and portal know of a person."""
    engine = open_database(settings)
    directory = open_directory(settings)
    sources = ReportSources(
        directory=directory,
        factors=SqlFactorStore(engine, open_box(settings)),
        terms=SqlTermsStore(engine),
        audit=SqlAuditLog(engine),
    )
    try:
        return report(sources, name)
    finally:
        directory.close()
        engine.dispose()


def _directory_table(settings: Settings) -> directory_settings.Directory:
    if settings.directory is None:
        raise SettingsError(
            "The settings have no [directory] table: nobody could log in.",
            "docs/operators/login.md has examples.",
        )
    return settings.directory


def _options(table: directory_settings.Directory) -> DirectoryOptions:
    secret = table.bind_password_file
    return DirectoryOptions(
        servers=tuple(map(server_address, table.servers)),
        people_base=table.people_base,
        groups_base=table.groups_base,
        ca_file=table.ca_file,
        bind_mode=BindMode(table.bind_mode),
        user_dn_template=table.user_dn_template or "",
        user_filter=table.user_filter,
        bind_dn=table.bind_dn or "",
        bind_password="" if secret is None else read_secret(secret),
        person=PersonAttributes(
            name=table.name_attribute,
            uid=table.uid_attribute,
            gid=table.gid_attribute,
            display_name=table.display_name_attributes,
            mail=table.mail_attribute,
            closed=table.closed_attributes,
            closed_when=table.closed_when,
        ),
        group=GroupAttributes(
            filter=table.group_filter,
            name=table.group_name_attribute,
            members=table.group_member_attributes,
        ),
        connect_timeout_s=table.connect_timeout_s,
        read_timeout_s=table.read_timeout_s,
        total_timeout_s=table.total_timeout_s,
        retry_after_s=table.retry_after_s,
        idle_connections=table.pool_size,
    )
