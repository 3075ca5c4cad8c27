"""hub_config.hub: what JupyterHub is told, topic by topic, on a bare Config."""

from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from hub_config import hub
from kqi_hub.settings.loader import parse_settings
from kqi_hub.settings.model import Settings

SETTINGS = """
[site]
name = "Example <b>"
state_dir = "{state}"
[cluster]
name = "gpu1"
[database]
url = "sqlite:////var/lib/kqi/kqi.sqlite"
[people]
operators_group = "admins"
[hub]
{hub}
"""
TLS = """
public_url = "https://hub.example.org/"
listen = "https://192.0.2.7"
tls_certificate = "/etc/kqi/hub.pem"
tls_key = "/etc/kqi/hub.key"
"""
# All that a person's login and tokens may do at the hub. None of it starts servers,
# reads other people, or administers anything.
ALLOWED = {
    "read:users!user",
    "users:activity!user",
    "tokens!user",
    "access:services!service=portal",
    "access:servers!user",
    "read:servers!user",
    "custom:kqi:write",
}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path


def settings(state: Path, lines: str = "") -> Settings:
    return parse_settings(SETTINGS.format(state=state, hub=lines), "kqi.toml")


def configured(state: Path, lines: str = "") -> Any:
    config = Config()
    hub.apply(config, settings(state, lines))
    return config


def test_the_hub_and_its_services_are_reached_on_this_machine_only(state: Path) -> None:
    lines = 'listen = "http://0.0.0.0:8000"\nhub_port = 1\nproxy_port = 2'
    config = configured(state, lines + "\nportal_port = 3")
    assert config.JupyterHub.bind_url == "http://0.0.0.0:8000/"
    assert config.JupyterHub.hub_bind_url == "http://127.0.0.1:1"
    assert config.JupyterHub.hub_connect_ip == "127.0.0.1"
    assert config.ConfigurableHTTPProxy.api_url == "http://127.0.0.1:2"
    urls = {one["name"]: one["url"] for one in config.JupyterHub.services}
    assert urls == {"portal": "http://127.0.0.1:3", "store": "http://127.0.0.1:8003"}


@pytest.mark.parametrize(
    ("public_url", "base"),
    [
        ("https://hub.example.org/", "/"),
        ("https://example.org:8443/kqi/", "/kqi/"),
        ("https://example.org/a/b/", "/a/b/"),
    ],
)
def test_a_site_may_be_below_a_path(state: Path, public_url: str, base: str) -> None:
    config = configured(state, f'public_url = "{public_url}"')
    assert config.JupyterHub.public_url == public_url
    assert config.JupyterHub.bind_url == f"http://127.0.0.1:8000{base}"
    assert config.JupyterHub.default_url == f"{base}services/portal/"
    assert config.DirectoryAuthenticator.base_path == base


def test_tls_is_the_proxys_and_the_hub_knows_of_it(state: Path) -> None:
    config = configured(state, TLS)
    assert config.JupyterHub.bind_url == "https://192.0.2.7/"
    assert config.JupyterHub.ssl_cert == "/etc/kqi/hub.pem"
    assert config.JupyterHub.ssl_key == "/etc/kqi/hub.key"


def test_without_a_certificate_none_is_named(state: Path) -> None:
    config = configured(state)
    assert "ssl_cert" not in config.JupyterHub
    assert "ssl_key" not in config.JupyterHub


@pytest.mark.parametrize(
    ("lines", "secure"),
    [
        (TLS, True),
        # TLS ends at a proxy of the site's: cookies are for https all the same.
        ('public_url = "https://hub.example.org/"', True),
        ('public_url = "http://127.0.0.1:8000/"', False),
    ],
)
def test_cookies_are_for_https_only_where_people_use_it(
    state: Path, lines: str, secure: bool
) -> None:
    options = configured(state, lines).JupyterHub.tornado_settings["cookie_options"]
    assert options == {"samesite": "Lax", "secure": secure, "httponly": True}


def test_the_hub_neither_starts_the_proxy_nor_ends_what_runs_behind_it(
    state: Path,
) -> None:
    config = configured(state)
    assert config.ConfigurableHTTPProxy.should_start is False
    assert config.JupyterHub.cleanup_proxy is False
    assert config.JupyterHub.cleanup_servers is False
    # What the hub is told cannot undo that.
    assert "command" not in config.ConfigurableHTTPProxy


def test_secrets_between_processes_are_kept_and_differ(state: Path) -> None:
    first, again = configured(state), configured(state)
    proxy = first.ConfigurableHTTPProxy.auth_token
    tokens = [one["api_token"] for one in first.JupyterHub.services]
    assert proxy == again.ConfigurableHTTPProxy.auth_token
    assert tokens == [one["api_token"] for one in again.JupyterHub.services]
    assert len({proxy, *tokens}) == 3
    assert min(map(len, (proxy, *tokens))) >= 64


def test_a_sites_own_secret_files_are_used(state: Path) -> None:
    for name in ("portal", "proxy"):
        (state / name).write_text(f"word of the {name}\n")
        (state / name).chmod(0o600)
    config = configured(
        state,
        f'portal_token_file = "{state}/portal"\nproxy_token_file = "{state}/proxy"',
    )
    assert config.ConfigurableHTTPProxy.auth_token == "word of the proxy"
    assert config.JupyterHub.services[0]["api_token"] == "word of the portal"
    assert {path.name for path in state.iterdir()} == {
        "portal",
        "proxy",
        "store.token",
    }


def test_the_hubs_own_files_are_in_the_state_folder(state: Path) -> None:
    config = configured(state, "session_hours = 6")
    assert config.JupyterHub.db_url == f"sqlite:///{state}/hub.sqlite"
    assert Path(config.JupyterHub.cookie_secret_file).parent == state
    assert config.JupyterHub.cookie_max_age_days == 0.25


def test_only_the_login_service_decides_who_comes_in(state: Path) -> None:
    config = configured(state)
    authenticator = config.JupyterHub.authenticator_class
    assert authenticator == "spawners.authenticator.DirectoryAuthenticator"
    assert config.Authenticator.allow_all is True
    assert "admin_users" not in config.Authenticator
    assert config.JupyterHub.admin_access is False


def test_closed_accounts_lose_their_tokens_too_when_looked_up_again(
    state: Path,
) -> None:
    config = configured(state)
    assert config.Authenticator.manage_groups is True
    assert 0 < config.Authenticator.auth_refresh_age <= 300
    assert config.Authenticator.auth_refresh_strict is True


def role(config: Any, name: str) -> Any:
    [found] = [one for one in config.JupyterHub.load_roles if one["name"] == name]
    return found


def test_a_person_may_not_start_servers_nor_see_others(state: Path) -> None:
    assert set(role(configured(state), "user")["scopes"]) == ALLOWED


def test_operators_are_a_group_of_the_directory(state: Path) -> None:
    config = configured(state)
    operator = role(config, "kqi-operator")
    assert operator["groups"] == ["admins"]
    assert operator["scopes"] == ["custom:kqi:operate"]
    assert {one["name"] for one in config.JupyterHub.load_roles} == {
        *("user", "kqi-operator", "kqi-portal")
    }


def test_every_scope_of_ours_is_defined_and_writing_includes_reading(
    state: Path,
) -> None:
    scopes = configured(state).JupyterHub.custom_scopes
    names = ("read", "write", "job", "operate")
    assert set(scopes) == {f"custom:kqi:{one}" for one in names}
    subscopes = ["custom:kqi:read", "custom:kqi:job"]
    assert scopes["custom:kqi:write"]["subscopes"] == subscopes
    # Alone it reaches nothing by itself: the portal says what a job may.
    assert "subscopes" not in scopes["custom:kqi:job"]
    assert "subscopes" not in scopes["custom:kqi:operate"]
    assert all(one["description"] for one in scopes.values())


def test_configuring_twice_leaves_what_is_shared_alone(state: Path) -> None:
    first = configured(state)
    first.JupyterHub.custom_scopes["custom:kqi:read"]["description"] = "changed"
    role(first, "user")["scopes"].append("admin:users")
    second = configured(state)
    assert set(role(second, "user")["scopes"]) == ALLOWED
    described = second.JupyterHub.custom_scopes["custom:kqi:read"]["description"]
    assert described != "changed"


def test_tokens_end(state: Path) -> None:
    config = configured(state, "longest_token_days = 7")
    assert config.JupyterHub.token_expires_in_max_seconds == 7 * 86_400


def test_the_store_is_a_way_through_the_proxy_and_may_nothing(state: Path) -> None:
    config = configured(state)
    store = config.JupyterHub.services[1]
    assert store.keys() == {"name", "url", "api_token", "display"}
    assert not store["display"]
    for role in config.JupyterHub.load_roles:
        assert "store" not in role.get("services", [])


def test_the_portal_is_a_service_that_the_hub_does_not_start(state: Path) -> None:
    service = configured(state).JupyterHub.services[0]
    assert service["name"] == "portal"
    assert "command" not in service
    assert "admin" not in service
    assert set(service["oauth_client_allowed_scopes"]) == {
        *ALLOWED,
        "custom:kqi:operate",
    }


def test_pages_of_the_hub_wear_the_portals_look(state: Path) -> None:
    config = configured(state)
    folder = Path(config.DirectoryAuthenticator.face_folder)
    assert (folder / "templates/hub/login.html").is_file()
    assert config.JupyterHub.template_vars == {"site_name": "Example <b>"}
    headers = config.JupyterHub.tornado_settings["headers"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    # JupyterHub's own policy (nobody frames a page) stays: naming one replaces it.
    assert "Content-Security-Policy" not in headers


def test_the_hub_starts_notebooks_and_agents_and_nothing_else(state: Path) -> None:
    config = configured(state)
    assert config.JupyterHub.spawner_class == ("spawners.portal_spawner.PortalSpawner")
    kinds = {key: kind for _, key, kind, _ in config.PortalSpawner.profiles}
    assert kinds == {
        "notebook": "spawners.notebook.NotebookSpawner",
        "agent": "spawners.agent.AgentSpawner",
    }


def test_presets_are_profiles(state: Path) -> None:
    text = SETTINGS.format(state=state, hub="")
    text += '[[preset]]\nname = "free-4h"\ntitle = "Free, 4 h"\nqueue = "jupyter"\n'
    config = Config()
    hub.apply(config, parse_settings(text, "kqi.toml"))
    found = [(title, key) for title, key, _, _ in config.PortalSpawner.profiles]
    assert ("Free, 4 h", "preset:free-4h") in found


def test_a_notebook_may_wait_in_its_queue_for_days(state: Path) -> None:
    config = configured(state)
    assert config.Spawner.start_timeout > 14 * 86_400
    assert config.JupyterHub.concurrent_spawn_limit == 0
    assert config.JupyterHub.named_server_limit_per_user == 0
    assert config.JupyterHub.tornado_settings["slow_spawn_timeout"] == 0


def test_compute_nodes_reach_the_hub_where_the_settings_say(state: Path) -> None:
    config = configured(state, 'address = "10.0.0.1"')
    assert config.JupyterHub.hub_bind_url == "http://10.0.0.1:8081"
    assert config.JupyterHub.hub_connect_ip == "10.0.0.1"


def test_the_portal_starts_servers_and_administers_nothing(state: Path) -> None:
    portal = role(configured(state), "kqi-portal")
    assert portal["services"] == ["portal"]
    assert not {one for one in portal["scopes"] if one.startswith("admin")}
