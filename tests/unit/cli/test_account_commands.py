"""Commands for one's own account: nothing secret in argv, in files or on the screen."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from kqi_hub.cli.main import kqi
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.config import Config, load, save
from kqi_hub.sdk.errors import PortalError
from kqi_hub.sdk.models import (
    Choices,
    Credential,
    Factor,
    NewDevice,
    Profile,
    SshKey,
    Tenant,
    Terms,
)

Fake = Callable[[str, object], list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("KQI_SERVER", "KQI_TOKEN", "KQI_TENANT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KQI_CONFIG_DIR", str(tmp_path))
    save(Config("https://hub.example.org/", "", "word"))
    return tmp_path


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Make a call of the client answer so; return what it was given."""

    def make(name: str, answer: object) -> list[tuple[Any, ...]]:
        given: list[tuple[Any, ...]] = []

        def call(_: Client, *arguments: object) -> object:
            given.append(arguments)
            return answer

        monkeypatch.setattr(Client, name, call)
        return given

    return make


def run(*words: str, text: str = "") -> tuple[str, str]:
    done = CliRunner().invoke(kqi, words, input=text, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_passwords_come_from_a_pipe_line_by_line(fake: Fake) -> None:
    given = fake("change_password", None)
    out, said = run("password", "change", text="old one \n new one\n")
    assert given == [("old one ", " new one", "")]
    assert out == ""
    assert "changed" in said


def test_a_directory_that_asks_for_codes_gets_one(fake: Fake) -> None:
    given = fake("change_password", None)
    run("password", "change", "--code", text="old\nnew\n123456\n")
    assert given == [("old", "new", "123456")]


@pytest.mark.parametrize(
    ("words", "value"),
    [(("password", "change"), "old"), (("credential", "set", "github"), "ghp_1")],
)
def test_no_command_takes_a_secret_as_an_argument(
    words: tuple[str, ...], value: str
) -> None:
    done = CliRunner().invoke(kqi, [*words, value])
    assert done.exit_code == 2


def test_the_factor_is_shown_in_a_sentence_and_as_json(fake: Fake) -> None:
    fake("factor", Factor("required", True, 3))
    assert "3 recovery codes" in run("factor", "show")[0]
    assert json.loads(run("factor", "show", "--json")[0])["mode"] == "required"
    fake("factor", Factor("required", False, 0))
    assert "kqi factor replace" in run("factor", "show")[0]
    fake("factor", Factor("directory", False, 0))
    assert "directory itself" in run("factor", "show")[0]


def test_a_new_device_is_set_up_step_by_step(fake: Fake) -> None:
    begun = fake("begin_factor", NewDevice("ticket", "ABCD EFGH", "otpauth://x"))
    confirmed = fake("confirm_factor", ("AAAA-1", "BBBB-2"))
    out, said = run("factor", "replace", text="111111\n222222\n")
    assert begun == [("111111",)]
    assert confirmed == [("ticket", "222222")]
    assert out.split() == ["AAAA-1", "BBBB-2"]
    assert "ABCD EFGH" in said


def test_recovery_codes_are_the_answer_and_nothing_else(fake: Fake) -> None:
    fake("renew_recovery_codes", ("AAAA-1",))
    assert run("factor", "recovery-codes", text="111111\n")[0] == "AAAA-1\n"
    out, _ = run("factor", "recovery-codes", "--json", text="111111\n")
    assert json.loads(out) == {"recovery_codes": ["AAAA-1"]}


def test_credentials_are_listed_without_values(fake: Fake) -> None:
    stored = Credential("github", "git", "github", "https://github.com", True, "", 5)
    former = Credential("gone", None, None, "https://x.example", True, "me", 5)
    fake("credentials", (stored, former))
    out, _ = run("credential", "list")
    assert "github" in out
    assert "no longer here" in out
    assert json.loads(run("credential", "list", "--json")[0])[0]["is_stored"]


def test_a_credential_is_read_from_a_pipe(fake: Fake) -> None:
    given = fake("store_credential", None)
    out, said = run("credential", "set", "lab", "--user", "me", text="ghp_1\n")
    assert given == [("lab", "ghp_1", "me")]
    assert "ghp_1" not in out + said


def test_a_private_key_is_not_even_sent(fake: Fake, tmp_path: Path) -> None:
    given = fake("add_ssh_key", SshKey(1, "x", "ssh-ed25519", "SHA256:x", 1))
    file = tmp_path / "id_ed25519"
    file.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n")
    with pytest.raises(PortalError, match="nothing was sent"):
        run("key", "add", str(file))
    assert given == []
    file.write_text("ssh-ed25519 AAAA me@laptop\n")
    run("key", "add", str(file))
    assert given == [("me@laptop", "ssh-ed25519 AAAA me@laptop")]


def test_terms_are_printed_with_the_way_to_accept_them(fake: Fake) -> None:
    fake("terms", Terms("3", "Be kind.\n"))
    out, said = run("terms", "show")
    assert out == "Be kind.\n"
    assert "kqi terms accept 3" in said
    fake("terms", Terms("3", "Be kind.", 1_700_000_000))
    assert "You accepted version 3" in run("terms", "show")[1]


def test_terms_are_accepted_by_their_version_only(fake: Fake) -> None:
    given = fake("accept_terms", Terms("3", "", 1))
    run("terms", "accept", "3")
    assert given == [("3",)]
    assert CliRunner().invoke(kqi, ["terms", "accept"]).exit_code == 2


def test_the_usual_tenant_is_kept_by_the_portal_too(fake: Fake) -> None:
    fake("tenants", (Tenant("nlp", "member"),))
    fake("choices", Choices("ja", "dark", None))
    given = fake("save_choices", None)
    run("tenant", "use", "nlp")
    assert given == []
    run("tenant", "use", "nlp", "--default")
    assert given == [(Choices("ja", "dark", "nlp"),)]
    assert load().tenant == "nlp"


def test_the_profile_is_shown_and_choices_change_one_by_one(fake: Fake) -> None:
    tenants = (Tenant("nlp", "member"),)
    fake(
        "profile", Profile("alice", "Alice", "", 20001, ("kqi-users",), False, tenants)
    )
    out, _ = run("profile", "show")
    assert "nlp (member)" in out
    fake("choices", Choices("ja", "dark", "nlp"))
    given = fake("save_choices", None)
    run("profile", "set", "--theme", "light")
    run("profile", "set", "--no-history")
    kept = [Choices("ja", "light", "nlp"), Choices("ja", "dark", "nlp", False)]
    assert given == [(one,) for one in kept]


@pytest.mark.parametrize(
    ("call", "words", "typed", "answer"),
    [
        ("remove_ssh_key", ("key", "rm", "7"), "", {"id": 7}),
        ("revoke_token", ("token", "revoke", "a7"), "", {"id": "a7"}),
        ("accept_terms", ("terms", "accept", "2"), "", {"version": "2"}),
        ("change_password", ("password", "change"), "old\nnew\n", {"changed": True}),
        (
            "store_credential",
            ("credential", "set", "github"),
            "word\n",
            {"service": "github"},
        ),
        (
            "remove_credential",
            ("credential", "rm", "github"),
            "",
            {"service": "github"},
        ),
    ],
)
def test_a_program_is_told_what_was_done(
    fake: Fake, call: str, words: tuple[str, ...], typed: str, answer: object
) -> None:
    fake(call, None)
    out, said = run(*words, "--json", text=typed)
    assert json.loads(out) == answer
    assert said == ""


def test_every_command_has_help_that_is_a_sentence() -> None:
    def commands(group: click.Group) -> list[click.Command]:
        found: list[click.Command] = []
        for one in group.commands.values():
            found += commands(one) if isinstance(one, click.Group) else [one]
        return found

    assert all((one.help or "").split("\n")[0].endswith(".") for one in commands(kqi))
