"""hub_config.proxy: the command line of the proxy."""

from pathlib import Path

import pytest

from hub_config import proxy
from kqi_hub.settings.loader import parse_settings
from kqi_hub.settings.model import Settings

SETTINGS = """
[site]
state_dir = "{state}"
[cluster]
name = "gpu1"
[database]
url = "sqlite:////var/lib/kqi/kqi.sqlite"
[hub]
hub_port = 1
proxy_port = 2
{hub}
"""


def settings(state: Path, lines: str = "") -> Settings:
    return parse_settings(SETTINGS.format(state=state, hub=lines), "kqi.toml")


def option(words: list[str], name: str) -> str:
    assert words.count(name) == 1, words
    return words[words.index(name) + 1]


@pytest.mark.parametrize(
    ("lines", "ip", "port"),
    [
        ("", "127.0.0.1", "8000"),
        ('listen = "http://192.0.2.7"', "192.0.2.7", "80"),
        ('listen = "http://[::1]:8443"', "::1", "8443"),
        (
            'listen = "https://[::]"\ntls_certificate = "/c"\ntls_key = "/k"',
            "::",
            "443",
        ),
    ],
)
def test_the_proxy_listens_where_the_settings_say(
    tmp_path: Path, lines: str, ip: str, port: str
) -> None:
    words = proxy.command(settings(tmp_path, lines))
    assert (option(words, "--ip"), option(words, "--port")) == (ip, port)


def test_its_own_interface_is_for_this_machine_only(tmp_path: Path) -> None:
    words = proxy.command(settings(tmp_path, 'listen = "http://0.0.0.0:8000"'))
    assert option(words, "--api-ip") == "127.0.0.1"
    assert option(words, "--api-port") == "2"


@pytest.mark.parametrize(
    ("public_url", "pages"),
    [
        ("https://hub.example.org/", "http://127.0.0.1:1/hub/error"),
        ("https://hub.example.org/kqi/", "http://127.0.0.1:1/kqi/hub/error"),
    ],
)
def test_what_does_not_answer_is_explained_by_the_hubs_pages(
    tmp_path: Path, public_url: str, pages: str
) -> None:
    words = proxy.command(settings(tmp_path, f'public_url = "{public_url}"'))
    assert option(words, "--error-target") == pages


def test_a_fresh_proxy_knows_the_hub_before_the_hub_knows_of_it(tmp_path: Path) -> None:
    words = proxy.command(settings(tmp_path))
    assert option(words, "--default-target") == "http://127.0.0.1:1"


def test_certificate_and_key_are_named_where_there_are_any(tmp_path: Path) -> None:
    tls = 'listen = "https://0.0.0.0"\ntls_certificate = "/c"\ntls_key = "/k"'
    words = proxy.command(settings(tmp_path, tls))
    assert (option(words, "--ssl-cert"), option(words, "--ssl-key")) == ("/c", "/k")
    assert "--ssl-cert" not in proxy.command(settings(tmp_path))


@pytest.mark.parametrize(
    ("public_url", "listen", "to"),
    [
        ("https://hub.example.org/", "https://0.0.0.0", None),
        ("https://hub.example.org/", "https://0.0.0.0:8443", "443"),
        ("https://hub.example.org:8443/", "https://0.0.0.0:8443", None),
    ],
)
def test_who_types_http_is_led_to_the_port_that_people_type(
    tmp_path: Path, public_url: str, listen: str, to: str | None
) -> None:
    lines = f'public_url = "{public_url}"\nlisten = "{listen}"\nredirect_port = 80\n'
    words = proxy.command(
        settings(tmp_path, lines + 'tls_certificate = "/c"\ntls_key = "/k"')
    )
    assert option(words, "--redirect-port") == "80"
    assert ("--redirect-to" in words) == (to is not None)
    assert to is None or option(words, "--redirect-to") == to


def test_nobody_is_led_anywhere_unless_the_settings_say_so(tmp_path: Path) -> None:
    assert "--redirect-port" not in proxy.command(settings(tmp_path))


def test_no_secret_is_in_the_command_line(tmp_path: Path) -> None:
    site = settings(tmp_path)
    token = proxy.proxy_token(site)
    assert len(token) >= 64
    assert not any(token in word for word in proxy.command(site))


def test_the_program_is_the_one_that_was_installed(tmp_path: Path) -> None:
    node, program, *_ = proxy.command(settings(tmp_path))
    assert Path(node).is_file()
    assert program.endswith(
        "node_modules/configurable-http-proxy/bin/configurable-http-proxy"
    )
