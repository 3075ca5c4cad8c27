"""[hub]: addresses that cannot be right are refused before anything listens."""

import pytest

from kqi_hub.domain.errors import SettingsError
from kqi_hub.settings.loader import parse_settings
from kqi_hub.settings.rules import ListenAddress, PublicAddress

BASE = """
[cluster]
name = "gpu1"
[database]
url = "sqlite:////var/lib/kqi/kqi.sqlite"
[hub]
"""
TLS = 'tls_certificate = "/etc/kqi/hub.pem"\ntls_key = "/etc/kqi/hub.key"\n'


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("https://hub.example.org/", True),
        ("http://127.0.0.1:8000/", True),
        ("https://example.org:8443/kqi/", True),
        ("https://[2001:db8::1]/", True),
        ("https://hub.example.org", False),
        ("hub.example.org/", False),
        ("ftp://hub.example.org/", False),
        ("https:///", False),
        ("/", False),
        ("", False),
        ("https://someone:secret@hub.example.org/", False),
        ("https://hub.example.org/?a=b/", False),
        ("https://hub.example.org/#/", False),
        ("https://hub.example.org/../", False),
        ("https://hub.example.org//", False),
        ("https://hub.example.org:0/", False),
        ("https://hub.example.org:99999/", False),
        ("https://hub.example.org/\n/", False),
        ("https://hub.example.org/\0/", False),
        ("https://h\u0443b.example.org/", False),
    ],
)
def test_the_public_address_is_one_that_people_can_type(
    address: str, is_one: bool
) -> None:
    assert PublicAddress().allows(address) is is_one


@pytest.mark.parametrize(
    ("address", "is_one"),
    [
        ("https://0.0.0.0", True),
        ("http://127.0.0.1:8000", True),
        ("https://[::]:443", True),
        ("http://localhost:8000", True),
        ("http://:8000", False),
        ("http://127.0.0.1:8000/", False),
        ("http://127.0.0.1:8000/kqi", False),
        ("https://hub.example.org", False),
        ("127.0.0.1:8000", False),
        ("unix:///run/hub.sock", False),
        ("http://127.0.0.1:x", False),
        ("http://[::1", False),
    ],
)
def test_the_proxy_listens_on_an_address_of_the_machine(
    address: str, is_one: bool
) -> None:
    assert ListenAddress().allows(address) is is_one


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ('public_url = "hub.example.org"', "hub.public_url"),
        ('listen = "https://hub.example.org/"', "hub.listen"),
        ('listen = "https://0.0.0.0"', "hub.listen"),
        ('listen = "http://0.0.0.0"\n' + TLS, "hub.listen"),
        ('tls_key = "/etc/kqi/hub.key"', "hub.tls_certificate"),
        ("redirect_port = 80", "hub.redirect_port"),
        ("redirect_port = 0", "hub.redirect_port"),
        ("hub_port = 0", "hub.hub_port"),
        ("session_hours = 0", "hub.session_hours"),
    ],
)
def test_half_a_way_in_is_refused(lines: str, where: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(BASE + lines, "kqi.toml")
    assert f"{where}: " in str(caught.value)


def test_tls_on_every_address_is_accepted() -> None:
    hub = parse_settings(f'{BASE}listen = "https://0.0.0.0"\n{TLS}', "kqi.toml").hub
    assert hub.listen == "https://0.0.0.0"
