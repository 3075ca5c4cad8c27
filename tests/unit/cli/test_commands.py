import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.cells import cell_len

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
    assert "1 recovery code left" in said
    assert "word." not in said


def test_the_time_out_of_a_login_is_kept_and_used_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: list[float | None] = []

    def look(self: Client) -> Person:
        used.append(self._http.timeout.read)
        return Person("alice", ())

    monkeypatch.setattr(Client, "whoami", look)
    words = ("login", "https://hub.example.org", "--token")
    run(*words, text="word\n")
    run(*words, "--timeout", "90", text="word\n")
    run(*words, text="word\n")
    run("whoami")
    assert used == [30.0, 90.0, 90.0, 90.0]
    assert load().timeout_s == 90.0
    for wrong in ("0", "-5", "3601", "soon"):
        done = CliRunner().invoke(kqi, [*words, "--timeout", wrong], input="word\n")
        assert done.exit_code == 2


def test_tables_keep_their_columns_under_wide_characters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    save(Config("https://hub.example.org/", "", "word"))
    notes = ("ci", "夜間の評価", "한국어 토큰", "e\u0301te\u0301")
    found = tuple(
        Token(str(number), note, (f"scope-{number}",))
        for number, note in enumerate(notes)
    )
    monkeypatch.setattr(Client, "tokens", lambda _: found)
    lines = [line for line in run("token", "list")[0].splitlines() if "scope-" in line]
    assert len(lines) == len(notes)
    begins = {cell_len(line[: line.index("scope-")]) for line in lines}
    assert len(begins) == 1, lines


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


# What answers in text by its nature.
TEXT = {
    *("cat", "completion", "edit", "export", "log", "logs", "open", "samples"),
    *("script", "shell"),
}
ACCOUNT = {
    *("login", "logout", "whoami", "tenant", "token", "key", "credential", "factor"),
    *("password", "profile", "terms"),
}


def commands(group: click.Group, *path: str) -> Iterator[tuple[list[str], set[str]]]:
    for name, one in group.commands.items():
        if isinstance(one, click.Group):
            yield from commands(one, *path, name)
        else:
            yield [*path, name], {option for p in one.params for option in p.opts}


def test_every_command_answers_programs_in_json_unless_it_is_a_text() -> None:
    known = list(commands(kqi))
    without = [path for path, options in known if "--json" not in options]
    assert [p for p in without if p[-1] not in TEXT] == []
    assert [p for p in without if p[0] in ACCOUNT] == []
    assert {p[-1] for p, _ in known} >= TEXT


def test_a_program_is_told_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person("alice", (Tenant("nlp", "member"),))
    monkeypatch.setattr(Client, "whoami", lambda _: person)
    monkeypatch.setattr(Client, "tenants", lambda _: person.tenants)
    words = ("login", "https://hub.example.org", "--token", "--json")
    out, said = run(*words, text="word\n")
    assert json.loads(out)["name"] == "alice"
    assert "word" not in out + said
    out, said = run("tenant", "use", "nlp", "--json")
    assert (json.loads(out), said) == ({"tenant": "nlp", "became_default": False}, "")
    out, said = run("logout", "--json")
    assert (json.loads(out), said) == ({"server": "https://hub.example.org/"}, "")
    assert load().token == ""


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
