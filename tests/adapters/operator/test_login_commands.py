"""kqi-hub keys, person and audit."""

import getpass
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from cryptography.fernet import Fernet

from kqi_hub.auth.secretbox import SecretBox
from kqi_hub.db.audit import SqlAuditLog
from kqi_hub.db.engine import make_engine
from kqi_hub.db.factors import SqlFactorStore
from kqi_hub.domain.login import AuditEvent
from kqi_hub.operator.moments import moment

Run = Callable[..., Result]
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.fixture
def site(site: Path, tmp_path: Path) -> Path:
    with (site / "kqi.toml").open("a") as file:
        file.write(
            f'[site]\nstate_dir = "{site}"\n[directory]\n'
            # Nobody listens there: the directory does not answer.
            'servers = ["ldaps://127.0.0.1:1"]\n'
            'people_base = "ou=people,dc=x"\ngroups_base = "ou=groups,dc=x"\n'
        )
    return site


@pytest.fixture
def ready(site: Path, kqi_hub: Run) -> Path:
    assert kqi_hub("keys", "generate").exit_code == 0
    assert kqi_hub("db", "upgrade").exit_code == 0
    return site


def enrol(site: Path, person: str) -> None:
    engine = make_engine(f"sqlite:///{site}/kqi.sqlite")
    keys = (site / "keys").read_text().split()
    box = SecretBox(lambda: keys, lambda: 0)
    assert SqlFactorStore(engine, box).set_up(person, SECRET, 1, replace=False)
    engine.dispose()


def secret_opens(site: Path, person: str) -> bool:
    engine = make_engine(f"sqlite:///{site}/kqi.sqlite")
    keys = (site / "keys").read_text().split()
    found = SqlFactorStore(engine, SecretBox(lambda: keys, lambda: 0)).factor(person)
    engine.dispose()
    return found is not None and found.secret == SECRET


def write_events(site: Path, *events: AuditEvent) -> None:
    engine = make_engine(f"sqlite:///{site}/kqi.sqlite")
    for event in events:
        SqlAuditLog(engine).append(event)
    engine.dispose()


def test_keys_are_made_once_for_their_owner_alone(site: Path, kqi_hub: Run) -> None:
    first = kqi_hub("keys", "generate")
    made = (site / "keys").read_text()
    second = kqi_hub("keys", "generate")
    assert (first.exit_code, second.exit_code) == (0, 5)
    assert (site / "keys").stat().st_mode & 0o777 == 0o600
    assert (site / "keys").read_text() == made
    assert "already" in second.stderr
    Fernet(made.strip())


def test_a_rotation_goes_through_and_can_be_done_again(
    ready: Path, kqi_hub: Run
) -> None:
    enrol(ready, "alice")
    first = (ready / "keys").read_text()
    assert "11 secrets" in kqi_hub("keys", "rotate").stdout
    assert (ready / "keys").read_text().endswith("\n" + first)
    assert kqi_hub("keys", "rotate").exit_code == 0
    assert len((ready / "keys").read_text().split()) == 3
    assert secret_opens(ready, "alice")
    assert kqi_hub("keys", "drop-old").exit_code == 0
    left = (ready / "keys").read_text()
    assert len(left.split()) == 1
    assert left != first
    assert (ready / "keys").stat().st_mode & 0o777 == 0o600
    assert secret_opens(ready, "alice")
    assert [file.name for file in ready.glob("keys*")] == ["keys"]


def test_a_rotation_cut_off_after_the_file_goes_on_when_run_again(
    ready: Path, kqi_hub: Run
) -> None:
    enrol(ready, "alice")
    # As if the machine had stopped between the file and the database.
    keys = ready / "keys"
    keys.write_text(Fernet.generate_key().decode() + "\n" + keys.read_text())
    assert secret_opens(ready, "alice")
    assert kqi_hub("keys", "drop-old").exit_code == 0
    assert secret_opens(ready, "alice")


def test_a_secret_that_no_key_opens_stops_the_old_keys_from_going(
    ready: Path, kqi_hub: Run
) -> None:
    enrol(ready, "alice")
    keys = ready / "keys"
    before = Fernet.generate_key().decode() + "\n"
    keys.write_text(before)
    result = kqi_hub("keys", "drop-old")
    assert result.exit_code == 17
    assert keys.read_text() == before


def test_a_lost_key_file_is_not_made_anew_unless_it_is_said_to_be_lost(
    ready: Path, kqi_hub: Run
) -> None:
    enrol(ready, "alice")
    (ready / "keys").unlink()
    refused = kqi_hub("keys", "generate")
    assert refused.exit_code == 6
    assert "11 secrets" in refused.stderr
    assert not (ready / "keys").exists()
    done = kqi_hub("keys", "generate", "--lost")
    assert "deleted that nobody could open any more: 11" in done.stdout
    assert not secret_opens(ready, "alice")
    assert "keys-lost" in kqi_hub("audit").stdout


@pytest.mark.parametrize("command", ["rotate", "drop-old"])
def test_without_a_key_file_there_is_nothing_to_rotate(
    site: Path, kqi_hub: Run, command: str
) -> None:
    result = kqi_hub("keys", command)
    assert result.exit_code == 6
    assert "kqi-hub keys generate" in result.stderr


def test_resetting_a_factor_is_told_and_audited(
    ready: Path, kqi_hub: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "carol")
    enrol(ready, "alice")
    first = kqi_hub("person", "reset-factor", "Alice")
    second = kqi_hub("person", "reset-factor", "alice")
    assert (first.exit_code, second.exit_code) == (0, 4)
    assert not secret_opens(ready, "alice")
    events = json.loads(kqi_hub("audit", "--json").stdout)["events"]
    assert [(e["actor"], e["target"], e["outcome"]) for e in events] == [
        ("carol@shell", "alice", "nothing-to-reset"),
        ("carol@shell", "alice", "ok"),
    ]


def test_who_runs_it_without_sudo_is_named_too(
    ready: Path, kqi_hub: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    kqi_hub("keys", "rotate")
    assert f"{getpass.getuser()}@shell" in kqi_hub("audit").stdout


@pytest.mark.parametrize("name", ["*", "alice bob", "12345", "a" * 100, "\x1b[2J"])
def test_a_name_that_is_nobodys_is_refused(
    ready: Path, kqi_hub: Run, name: str
) -> None:
    for command in ("show", "reset-factor"):
        result = kqi_hub("person", command, name)
        assert result.exit_code == 2
        assert "\x1b" not in result.stderr


def test_a_person_is_shown_though_the_directory_is_down(
    ready: Path, kqi_hub: Run
) -> None:
    enrol(ready, "alice")
    detail = {"reason": "code: \x1b[31mwrong"}
    write_events(
        ready,
        AuditEvent(1000.0, "alice", "login", "", "refused", "192.0.2.1", detail),
        AuditEvent(2000.0, "bob", "login"),
    )
    text = kqi_hub("person", "show", "alice").stdout
    assert "does not answer" in text
    assert "set up, 10 recovery codes left" in text
    assert "login refused from 192.0.2.1 code: \ufffd[31mwrong" in text
    assert "bob" not in text
    data = json.loads(kqi_hub("person", "show", "alice", "--json").stdout)
    assert (data["has_factor"], data["entry"]) == (True, None)
    assert SECRET not in text + str(data)


def test_the_log_is_filtered_paged_and_printable(ready: Path, kqi_hub: Run) -> None:
    write_events(
        ready,
        *(
            AuditEvent(1_700_000_000.0 + n, f"p{n % 2}", "login", outcome="ok")
            for n in range(5)
        ),
        AuditEvent(1_800_000_000.0, "evil\x1b[2J\n", "login", detail={"agent": "a\nb"}),
    )
    lines = kqi_hub("audit").stdout.splitlines()
    assert len(lines) == 7
    assert "evil\ufffd[2J\ufffd" in lines[1]
    assert moment(1_800_000_000.0) == "2027-01-15 08:00:00Z"
    only = json.loads(kqi_hub("audit", "--actor", "p1", "--json").stdout)
    assert [event["number"] for event in only["events"]] == [4, 2]
    first = json.loads(kqi_hub("audit", "--limit", "4", "--json").stdout)
    assert first["more_before"] == 3
    rest = json.loads(kqi_hub("audit", "--before", "3", "--json").stdout)
    assert [event["number"] for event in rest["events"]] == [2, 1]
    assert rest["more_before"] is None
    late = kqi_hub("audit", "--since", "2027-01-01", "--json").stdout
    assert len(json.loads(late)["events"]) == 1
    assert kqi_hub("audit", "--action", "other").stdout == "No events.\n"


@pytest.mark.parametrize("since", ["yesterday", "12", "5x", "", "2026-13-01"])
def test_a_moment_that_is_none_is_refused(
    ready: Path, kqi_hub: Run, since: str
) -> None:
    result = kqi_hub("audit", "--since", since)
    assert result.exit_code == 2
    assert "7d ago" in result.stderr


@pytest.mark.parametrize("since", ["5m", "12h", "7d", "2026-11-21T09:30", "2026-11-21"])
def test_moments_may_be_typed_so(ready: Path, kqi_hub: Run, since: str) -> None:
    assert kqi_hub("audit", "--since", since).exit_code == 0


def test_the_log_is_missing_until_there_is_a_database(site: Path, kqi_hub: Run) -> None:
    assert kqi_hub("audit").exit_code == 7


def test_a_key_file_that_others_read_is_refused(ready: Path, kqi_hub: Run) -> None:
    (ready / "keys").chmod(0o644)
    result = kqi_hub("keys", "rotate")
    assert result.exit_code == 6
    assert "chmod 0600" in result.stderr
