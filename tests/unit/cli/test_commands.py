import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kqi_hub.cli.main import kqi
from kqi_hub.cli.options import Lifetime
from kqi_hub.sdk.client import Client
from kqi_hub.sdk.config import Config, load, save
from kqi_hub.sdk.errors import NotConfigured, PortalError
from kqi_hub.sdk.models import Login, Person, Tenant, Token


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("KQI_SERVER", "KQI_TOKEN", "KQI_TENANT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KQI_CONFIG_DIR", str(tmp_path))
    return tmp_path


def run(*words: str, text: str = "") -> tuple[str, str]:
    done = CliRunner().invoke(kqi, words, input=text, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def test_login_reads_password_and_code_from_a_pipe_and_keeps_the_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[str, str, str]] = []

    def accept(
        self: Client, name: str, password: str, code: str = "", **_: object
    ) -> Login:
        seen.append((name, password, code))
        return Login("alice", "word", recovery_codes_left=1)

    monkeypatch.setattr(Client, "login", accept)
    words = ("login", "https://hub.example.org", "--name", "Alice")
    _, said = run(*words, text="pass word\n123456\n")
    assert seen == [("Alice", "pass word", "123456")]
    assert load() == Config("https://hub.example.org/", "", "word")
    assert "as alice" in said
    assert "1 recovery codes left" in said
    assert "word." not in said


def test_a_pasted_token_is_tried_before_it_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: Client) -> Person:
        raise PortalError("no")

    monkeypatch.setattr(Client, "whoami", refuse)
    with pytest.raises(PortalError):
        run("login", "https://hub.example.org", "--token", text="bad\n")
    assert load().token == ""


def test_tenant_use_refuses_somebody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    save(Config("https://hub.example.org/", "", "word"))
    monkeypatch.setattr(Client, "tenants", lambda _: (Tenant("nlp", "member"),))
    run("tenant", "use", "nlp")
    assert load().tenant == "nlp"
    with pytest.raises(PortalError, match="Yours: nlp"):
        run("tenant", "use", "vision")
    assert load().tenant == "nlp"


def test_lists_answer_json_to_programs_and_a_sentence_when_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save(Config("https://hub.example.org/", "", "word"))
    found: tuple[Token, ...] = (Token("1", "[red]ci[/]", ("custom:kqi:read",)),)
    monkeypatch.setattr(Client, "tokens", lambda _: found)
    out, _ = run("token", "list", "--json")
    assert json.loads(out)[0]["note"] == "[red]ci[/]"
    out, _ = run("token", "list")
    assert "[red]ci[/]" in out
    found = ()
    out, said = run("token", "list")
    assert (out, said.strip()) == ("", "You have no tokens.")


def test_whoami_without_a_login_says_how() -> None:
    with pytest.raises(NotConfigured, match="kqi login"):
        run("whoami")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1800), ("12h", 43200), ("30d", 2592000), ("1w", 604800)],
)
def test_lifetimes_are_read(text: str, seconds: int) -> None:
    assert Lifetime().convert(text, None, None) == seconds


@pytest.mark.parametrize(
    "text", ["", "0d", "-1d", "d", "1.5h", "1y", "10", "9" * 9 + "d"]
)
def test_other_lifetimes_are_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Lifetime().convert(text, None, None)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(shell: str) -> None:
    out, _ = run("completion", shell)
    assert "_KQI_COMPLETE" in out
