import json
from pathlib import Path

import pytest

from kqi_hub.sdk.config import Config, load, save
from kqi_hub.sdk.errors import NotConfigured


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"KQI_CONFIG_DIR": str(tmp_path / "kqi")}


def test_what_is_saved_is_loaded_and_private(env: dict[str, str]) -> None:
    config = Config("https://hub.example.org/", "nlp", "word", 60.0)
    place = save(config, env)
    assert load(env) == config
    assert {p.name: oct(p.stat().st_mode & 0o777) for p in place.iterdir()} == {
        "config.json": "0o600",
        "token": "0o600",
    }
    assert place.stat().st_mode & 0o077 == 0


def test_the_token_is_not_in_the_config_file(env: dict[str, str]) -> None:
    place = save(Config("https://hub.example.org/", "", "geheim"), env)
    assert "geheim" not in (place / "config.json").read_text()


def test_logging_out_removes_the_token(env: dict[str, str]) -> None:
    place = save(Config("https://hub.example.org/", "", "word"), env)
    save(Config("https://hub.example.org/"), env)
    assert not (place / "token").exists()
    assert load(env).token == ""


def test_the_environment_goes_first(env: dict[str, str]) -> None:
    save(Config("https://one.example.org/", "nlp", "word"), env)
    job = env | {"KQI_SERVER": "https://two.example.org/", "KQI_TOKEN": "other"}
    assert load(job) == Config("https://two.example.org/", "nlp", "other")


def test_what_an_older_kqi_has_left_means_thirty_seconds(env: dict[str, str]) -> None:
    place = save(Config("https://hub.example.org/"), env)
    (place / "config.json").write_text('{"server": "https://hub.example.org/"}')
    assert load(env).timeout_s == 30.0
    assert load(env | {"KQI_TIMEOUT": "2.5"}).timeout_s == 2.5


@pytest.mark.parametrize("said", ["0", "-1", "nan", "inf", "3601", "30s", "\0"])
def test_a_time_out_that_is_none_is_refused(env: dict[str, str], said: str) -> None:
    place = save(Config("https://hub.example.org/"), env)
    with pytest.raises(NotConfigured, match="KQI_TIMEOUT"):
        load(env | {"KQI_TIMEOUT": said})
    (place / "config.json").write_text(json.dumps({"timeout_s": said}))
    with pytest.raises(NotConfigured, match=r"config\.json"):
        load(env)


@pytest.mark.parametrize("said", [None, [], {}, True, 10**400])
def test_another_kind_of_time_out_is_refused(env: dict[str, str], said: object) -> None:
    place = save(Config("https://hub.example.org/"), env)
    (place / "config.json").write_text(json.dumps({"timeout_s": said}))
    if said is True:
        assert load(env).timeout_s == 1.0
        return
    with pytest.raises(NotConfigured, match=r"config\.json"):
        load(env)


def test_a_token_that_others_can_read_is_refused(env: dict[str, str]) -> None:
    place = save(Config("https://hub.example.org/", "", "word"), env)
    (place / "token").chmod(0o644)
    with pytest.raises(NotConfigured, match="chmod 600"):
        load(env)


@pytest.mark.parametrize("text", ["{", "[]", "7", '"x"'])
def test_a_broken_file_says_what_to_do(env: dict[str, str], text: str) -> None:
    place = save(Config("https://hub.example.org/"), env)
    (place / "config.json").write_text(text)
    with pytest.raises(NotConfigured, match="kqi login"):
        load(env)


def test_a_link_in_the_way_is_replaced_not_followed(
    env: dict[str, str], tmp_path: Path
) -> None:
    place = save(Config("https://hub.example.org/"), env)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (place / "token.new").symlink_to(victim)
    (place / "token").symlink_to(victim)
    save(Config("https://hub.example.org/", "", "word"), env)
    assert victim.read_text() == "mine"
    assert (place / "token").read_text() == "word\n"
    assert not (place / "token").is_symlink()
