"""The login's tables: what does not go together is refused before anybody logs in."""

import pytest

from kqi_hub.domain.errors import SettingsError
from kqi_hub.settings.loader import parse_settings
from kqi_hub.settings.login import NO_FACTOR_WORDS
from kqi_hub.settings.rules import LdapFilter, NetworkAddress

BASE = """
[cluster]
name = "gpu1"
[database]
url = "sqlite:////var/lib/kqi/kqi.sqlite"
"""
DIRECTORY = """
[directory]
servers = ["ldaps://a.example.org"]
people_base = "ou=people,dc=example,dc=org"
groups_base = "ou=groups,dc=example,dc=org"
"""


def refusal(more: str) -> str:
    with pytest.raises(SettingsError) as caught:
        parse_settings(BASE + more, "kqi.toml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ('bind_mode = "direct"', "directory.bind_mode"),
        ('bind_mode = "both"', "directory.bind_mode"),
        ('user_dn_template = "uid={name},dc=x"', "directory.user_dn_template"),
        ('name_attribute = "uid)(x"', "directory.name_attribute"),
        ('user_filter = "objectClass=x"', "directory.user_filter"),
        ('user_filter = "(a=b)(c=d)"', "directory.user_filter"),
        ('closed_when = ["left"]', "directory.closed_when"),
        ("group_member_attributes = []", "directory.group_member_attributes"),
        ("pool_size = 0", "directory.pool_size"),
        ('bind_dn = "cn=x"', "directory.bind_dn"),
    ],
)
def test_half_a_directory_is_refused(lines: str, where: str) -> None:
    assert f"{where}: " in refusal(DIRECTORY + lines)


@pytest.mark.parametrize(
    "template",
    [
        "uid=name,dc=x",
        "uid={name},cn={name},dc=x",
        "uid={},dc=x",
        "uid={name!r},dc=x",
        "uid={name.__class__},dc=x",
        "uid=x{name},dc=x",
        "{name}",
        "uid={name}{other},dc=x",
    ],
)
def test_a_template_takes_one_name_and_nothing_else(template: str) -> None:
    lines = f'bind_mode = "direct"\nuser_dn_template = "{template}"'
    assert "directory.user_dn_template: " in refusal(DIRECTORY + lines)


@pytest.mark.parametrize(
    "template", ["uid={name},ou=people,dc=x", "uid={name}", "ou=a+uid={name},dc=x"]
)
def test_a_template_may_be(template: str) -> None:
    lines = f'bind_mode = "direct"\nuser_dn_template = "{template}"'
    settings = parse_settings(BASE + DIRECTORY + lines, "kqi.toml")
    assert settings.directory is not None
    assert settings.directory.user_dn_template == template


@pytest.mark.parametrize(
    "more",
    [
        "",
        "i_accept_logins_without_second_factor = true",
        'i_accept_logins_without_second_factor = "yes"',
        f'i_accept_logins_without_second_factor = "{NO_FACTOR_WORDS.upper()}"',
    ],
)
def test_the_second_factor_is_off_only_for_who_says_the_words(more: str) -> None:
    assert "second_factor." in refusal(f'[second_factor]\nmode = "off"\n{more}')


def test_who_says_the_words_has_it_off() -> None:
    words = f'i_accept_logins_without_second_factor = "{NO_FACTOR_WORDS}"'
    settings = parse_settings(
        f'{BASE}[second_factor]\nmode = "off"\n{words}', "kqi.toml"
    )
    assert settings.second_factor.mode == "off"


@pytest.mark.parametrize("issuer", ["a:b", "a%b", "", "x" * 81])
def test_an_issuer_that_would_spoil_the_qr_code_is_refused(issuer: str) -> None:
    text = refusal(f'[second_factor]\nissuer = "{issuer}"')
    assert "second_factor.issuer: " in text


@pytest.mark.parametrize("proxy", ["example.org", "10.0.0.1/8", "10.0.0.0/33", "*", ""])
def test_a_proxy_is_an_address(proxy: str) -> None:
    assert not NetworkAddress().allows(proxy)
    text = refusal(f'[login]\ntrusted_proxies = ["192.0.2.1", "{proxy}"]')
    assert "login.trusted_proxies: " in text


def test_terms_need_a_version_and_a_file() -> None:
    text = refusal("[terms]\n")
    assert "terms.version: missing" in text
    assert "terms.file: missing" in text


@pytest.mark.parametrize(
    ("text", "is_filter"),
    [
        ("(objectClass=posixAccount)", True),
        ("(&(a=b)(|(c=d)(!(e=f))))", True),
        ("", False),
        ("()", False),
        ("(a=b", False),
        ("a=b)", False),
        (")(a=b)(", False),
        ("(a=b) ", False),
        ("(a=b)\n", False),
        ("(a=b))(c=d)", False),
    ],
)
def test_a_filter_is_one_pair_of_brackets(text: str, is_filter: bool) -> None:
    assert LdapFilter().allows(text) is is_filter
