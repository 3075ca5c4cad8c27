"""What the loader accepts, refuses, and says about it."""

from pathlib import Path

import pytest

from kqi_hub.domain.errors import SettingsError
from kqi_hub.settings.loader import DEFAULT_PATH, parse_settings, settings_path

GOOD_CLUSTER = '[cluster]\nname = "gpu1"\n'
GOOD_DATABASE = '[database]\nurl = "sqlite:////var/lib/kqi/kqi.sqlite"\n'
GOOD = GOOD_CLUSTER + GOOD_DATABASE
GOOD_DIRECTORY = """
[directory]
people_base = "ou=people,dc=example,dc=org"
groups_base = "ou=groups,dc=example,dc=org"
"""


def refused(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text, "kqi.toml")
    return caught.value.message


@pytest.mark.parametrize(
    ("given", "environ", "path"),
    [
        (Path("a.toml"), {"KQI_CONFIG": "b.toml"}, Path("a.toml")),
        (None, {"KQI_CONFIG": "b.toml"}, Path("b.toml")),
        (None, {"KQI_CONFIG": ""}, DEFAULT_PATH),
        (None, {}, DEFAULT_PATH),
    ],
)
def test_the_file_is_the_one_given_else_of_the_environment_else_the_default(
    given: Path | None, environ: dict[str, str], path: Path
) -> None:
    assert settings_path(given, environ) == path


def test_values_arrive_with_the_types_of_the_model() -> None:
    settings = parse_settings(
        GOOD + '[scratch]\nroot = "/data"\n[door]\nsudo_command = ["a", "b c"]\n'
        "timeout_s = 3\n",
        "kqi.toml",
    )
    assert settings.scratch.root == Path("/data")
    assert settings.door.sudo_command == ("a", "b c")
    assert isinstance(settings.door.timeout_s, float)


def test_every_mistake_is_told_at_once_each_with_file_and_key() -> None:
    message = refused(
        "zz = 1\n[clster]\n[site]\nlanguage = 'fr'\npoll_interval_s = 3\n"
        "[cluster]\nname = 'A B'\npoll_interval_s = 2\n"
    )
    assert message.splitlines() == [
        "kqi.toml: zz: unknown key outside of every table; known: "
        + message.splitlines()[0].split("known: ")[1],
        "kqi.toml: clster: unknown table; did you mean cluster?",
        "kqi.toml: site.poll_interval_s: unknown key; it belongs into [cluster]",
        'kqi.toml: site.language: found "fr", expected one of "en", "ja", "ko"',
        'kqi.toml: cluster.name: found "A B", expected lower case letters, digits, '
        "_ and -, 1 to 40 of them",
        "kqi.toml: cluster.poll_interval_s: found 2, expected a number: 5 to 3600",
        "kqi.toml: database.url: missing, expected sqlite:////absolute/path or "
        "postgresql+psycopg://user@host/name, with no password in it "
        "(use password_file)",
    ]


@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("poll_intervall_s = 10", "did you mean poll_interval_s?"),
        ("min_uid = 5", "it belongs into [people]"),
        ("zzz = 1", "known: name, slurm_bin"),
        ('"a b\\u0007" = 1', r'cluster."a b\u0007": unknown key'),
    ],
)
def test_an_unknown_key_is_refused_with_advice(line: str, advice: str) -> None:
    assert advice in refused(f'[cluster]\nname = "x"\n{line}\n{GOOD_DATABASE}')


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("cluster", "poll_interval_s = true"),
        ("cluster", 'poll_interval_s = "10"'),
        ("cluster", "poll_interval_s = nan"),
        ("cluster", "poll_interval_s = inf"),
        ("cluster", "poll_interval_s = 4.999"),
        ("cluster", "poll_interval_s = 1" + "0" * 400),
        ("cluster", "keep_ended_hours = 1.5"),
        ("cluster", "keep_ended_hours = false"),
        ("cluster", "keep_ended_hours = 0"),
        ("cluster", 'slurm_bin = "usr/bin"'),
        ("cluster", 'slurm_bin = "~/bin"'),
        ("cluster", 'slurm_bin = "/usr/../bin"'),
        ("cluster", 'slurm_bin = "/usr\\u0000/bin"'),
        ("cluster", 'slurm_bin = "/usr\\n/bin"'),
        ("cluster", "slurm_bin = 1979-05-27"),
        ("site", 'name = ""'),
        ("site", 'name = "  "'),
        ("site", 'name = "two\\nlines"'),
        ("site", f'name = "{"x" * 81}"'),
        ("site", "name = ['x']"),
        ("site", 'timezone = "Mars/Olympus"'),
        ("site", 'timezone = "../../etc/passwd"'),
        ("site", 'timezone = ""'),
        ("site", "language = 'EN'"),
        ("site", "language = []"),
        ("door", "sudo_command = 'sudo kqi-runas'"),
        ("door", "sudo_command = []"),
        ("door", "sudo_command = ['sudo', '']"),
        ("door", "sudo_command = ['sudo', 1]"),
        ("door", 'transport = "ssh"'),
        ("people", "min_uid = 0"),
        ("people", "min_uid = 4294967296"),
        ("people", 'group = "Users"'),
        ("people", 'group = "a\\nb"'),
    ],
)
def test_a_value_of_the_wrong_type_or_size_is_refused_by_its_key(
    table: str, line: str
) -> None:
    key = line.split(" =")[0]
    name = 'name = "gpu1"\n' if table == "cluster" else ""
    rest = GOOD_DATABASE if table == "cluster" else GOOD
    text = f"[{table}]\n{name}{line}\n{rest}"
    problems = refused(text).splitlines()
    assert [one for one in problems if f": {table}.{key}: found " in one]


@pytest.mark.parametrize("given", ["3", '"x"', "[1]", "[[1]]", "true"])
def test_something_else_where_a_table_belongs_is_refused(given: str) -> None:
    assert "people: expected a table" in refused(f"people = {given}\n{GOOD}")


@pytest.mark.parametrize(
    "text",
    ["[cluster", "a = ", "\x00", "[a]\n[a]\n", "a = '\n'", "[" * 100_000],
    ids=["bracket", "no value", "NUL", "twice", "newline", "deep"],
)
def test_what_is_not_toml_is_refused_with_the_file_named(text: str) -> None:
    assert refused(text).startswith("kqi.toml is not TOML: ")


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////var/lib/kqi/kqi.sqlite",
        "sqlite:////tmp/a b/c.sqlite",
        "postgresql+psycopg://kqi@db.example.org/kqi",
        "postgresql+psycopg://kqi@[::1]:5433/kqi?sslmode=verify-full",
        "postgresql+psycopg:///kqi?host=/var/run/postgresql",
    ],
)
def test_a_database_address_is_accepted(url: str) -> None:
    text = f'{GOOD_CLUSTER}[database]\nurl = "{url}"\n'
    assert parse_settings(text, "kqi.toml").database.url == url


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///kqi.sqlite",
        "sqlite:////",
        "sqlite:////var/../kqi.sqlite",
        "sqlite:////kqi.sqlite?mode=memory",
        "sqlite:///:memory:",
        "mysql://kqi@db/kqi",
        "postgresql://kqi@db/kqi",
        "postgresql+psycopg://kqi@db",
        "postgresql+psycopg://kqi:hunter2@db/kqi",
        "postgresql+psycopg://kqi:@db/kqi",
        "postgresql+psycopg://db/kqi?user=kqi&password=hunter2",
        "postgresql+psycopg://db/kqi?sslPassword=hunter2",
        "postgresql+psycopg://[kqi:hunter2@db/kqi",
        "postgresql+psycopg://kqi@db/kqi\\n",
        "hunter2",
        "",
    ],
)
def test_a_wrong_database_address_is_refused_and_never_repeated(url: str) -> None:
    message = refused(f'{GOOD_CLUSTER}[database]\nurl = "{url}"\n')
    assert "database.url: found a value that is not shown here" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    "line",
    ['password = "hunter2"', 'password_file = "hunter2"', 'pasword_file = "hunter2"'],
)
def test_a_password_in_the_settings_file_is_never_repeated(line: str) -> None:
    message = refused(f"{GOOD}{line}\n")
    assert "database.pas" in message
    assert "hunter2" not in message


def test_a_password_file_for_sqlite_is_refused() -> None:
    message = refused(f'{GOOD}password_file = "/etc/kqi/password"\n')
    assert "database.password_file: found a file, expected no such key" in message


def test_a_longest_pause_below_the_usual_one_is_refused() -> None:
    message = refused(
        f"{GOOD_CLUSTER}poll_interval_s = 60\npoll_interval_max_s = 30\n{GOOD_DATABASE}"
    )
    assert "found 30, expected at least poll_interval_s (60)" in message


@pytest.mark.parametrize(
    "lines",
    [
        'servers = ["ldaps://a.example.org", "ldaps://[2001:db8::1]:6360/"]',
        'servers = ["ldap://a.example.org"]\nstart_tls = true',
        'servers = ["ldaps://a"]\nbind_dn = "cn=x"\nbind_password_file = "/etc/x"',
    ],
)
def test_an_encrypted_directory_is_accepted(lines: str) -> None:
    settings = parse_settings(f"{GOOD}{GOOD_DIRECTORY}{lines}\n", "kqi.toml")
    assert settings.directory is not None
    assert settings.directory.servers[0].startswith("ldap")


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "directory.servers: missing"),
        ("servers = []", "directory.servers: found []"),
        ('servers = ["ldap://a"]', "passwords never travel in clear"),
        ('servers = ["ldaps://a", "ldap://b"]', "passwords never travel in clear"),
        ('servers = ["ldaps://a"]\nstart_tls = true', "directory.start_tls"),
        ('servers = ["ldaps://a"]\nbind_dn = "cn=x"', "no bind_password_file"),
        ('servers = ["ldaps://a"]\nbind_password_file = "/x"', "no bind_dn"),
        ('servers = ["a"]', "directory.servers: found"),
        ('servers = ["ldaps://"]', "directory.servers: found"),
        ('servers = ["ldaps://a:99999"]', "directory.servers: found"),
        ('servers = ["ldaps://a:0"]', "directory.servers: found"),
        ('servers = ["ldaps://x@a"]', "directory.servers: found"),
        ('servers = ["ldaps://a/dc=x??sub"]', "directory.servers: found"),
        ('servers = ["ldaps://a\\n"]', "directory.servers: found"),
        ('servers = ["ldapi:///run/slapd"]', "directory.servers: found"),
    ],
)
def test_an_incomplete_or_unencrypted_directory_is_refused(
    lines: str, words: str
) -> None:
    assert words in refused(f"{GOOD}{GOOD_DIRECTORY}{lines}\n")


def test_an_absent_directory_means_none_and_not_an_open_door() -> None:
    assert parse_settings(GOOD, "kqi.toml").directory is None


def test_a_long_wrong_value_is_cut_in_the_message() -> None:
    message = refused(f'[site]\nname = "{"x" * 5000}"\n{GOOD}')
    assert len(message) < 300


GITHUB = '[[git]]\nname = "github"\nkind = "github"\nurl = "https://github.com"\n'
NGC = '[[registry]]\nname = "ngc"\nkind = "ngc"\nurl = "https://nvcr.io"\n'


def test_a_table_may_be_there_many_times_in_the_order_of_the_file() -> None:
    second = GITHUB.replace('"github"\nkind', '"lab"\nkind')
    settings = parse_settings(GOOD + GITHUB + NGC + second, "kqi.toml")
    assert [service.name for service in settings.git] == ["github", "lab"]
    assert settings.registry[0].url == "https://nvcr.io"
    assert parse_settings(GOOD, "kqi.toml").git == ()


def test_mistakes_in_repeated_tables_say_in_which_one() -> None:
    wrong = GITHUB.replace("https://github.com", "github.com").replace("name", "nam")
    assert refused(GOOD + GITHUB + wrong).splitlines() == [
        "kqi.toml: git[2].nam: unknown key; did you mean name?",
        "kqi.toml: git[2].name: missing, expected lower case letters, digits, "
        ". _ and -, 1 to 40 of them",
        'kqi.toml: git[2].url: found "github.com", expected '
        "https://host[:port][/path], with no slash at the end and no name or password "
        "in it",
    ]


@pytest.mark.parametrize(
    "twice", [GITHUB, NGC.replace('"ngc"\nkind', '"github"\nkind')]
)
def test_two_services_of_one_name_are_refused(twice: str) -> None:
    table = twice[2:].partition("]]")[0]
    number = 2 if table == "git" else 1
    assert refused(GOOD + GITHUB + twice) == (
        f'kqi.toml: {table}[{number}].name: found "github" a second time, expected '
        "a name that no other [[git]] or [[registry]] has"
    )


@pytest.mark.parametrize(
    "text", ['[git]\nname = "a"\n', "git = 1\n", "git = [1]\n", 'git = "x"\n']
)
def test_a_repeated_table_written_otherwise_is_refused(text: str) -> None:
    message = refused(text + GOOD if "=" in text.split("\n")[0] else GOOD + text)
    assert message == "kqi.toml: git: expected tables, each written [[git]]"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "github.com",
        "ssh://git@github.com",
        "https://",
        "https://token@github.com",
        "https://github.com/",
        "https://github.com?x=1",
        "https://github.com#x",
        "https://git hub.com",
        "https://github.com/../x",
        "https://github.com:0",
        "https://github.com:99999",
        "https://[::1",
        "https://ex\u200bample.org",
        "javascript:alert(1)",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    written = GITHUB.replace("https://github.com", url)
    assert "git[1].url: found" in refused(GOOD + written)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com",
        "http://git.internal:3000/gitbucket",
        "https://[2001:db8::1]:8443",
    ],
)
def test_addresses_of_web_servers_are_taken(url: str) -> None:
    written = GITHUB.replace("https://github.com", url)
    assert parse_settings(GOOD + written, "kqi.toml").git[0].url == url


@pytest.mark.parametrize(
    "address", ["hpc-help@example.org", "a.b+c@x.org", "https://help.example.org/hpc"]
)
def test_help_is_where_mail_or_a_browser_goes(address: str) -> None:
    text = f'[site]\nsupport = "{address}"\n' + GOOD
    assert parse_settings(text, "kqi.toml").site.support == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "help",
        "@example.org",
        "help@example",
        "help@example.org?bcc=x",
        "help@example.org, x@example.org",
        "mailto:help@example.org",
        "javascript:alert(1)//@example.org",
        "h\u0435lp@example.org",
        "help@example.org\\n",
        "https://token@example.org",
        "a" * 65 + "@example.org",
    ],
)
def test_help_that_nobody_reaches_is_refused(address: str) -> None:
    assert "site.support: found" in refused(f'[site]\nsupport = "{address}"\n' + GOOD)
