"""The model keeps its own rules: every setting documented, every default allowed."""

import dataclasses
from typing import get_type_hints

import pytest

from kqi_hub.settings.building import is_required, tables_of
from kqi_hub.settings.field import about_of
from kqi_hub.settings.kinds import kind_of
from kqi_hub.settings.loader import parse_settings
from kqi_hub.settings.model import Settings
from kqi_hub.settings.reference import minimal_file
from kqi_hub.settings.toml import settings_data, settings_toml, toml_value

EVERY_SETTING = [
    pytest.param(table, field, id=f"{name}.{field.name}")
    for name, table in tables_of(Settings).items()
    for field in dataclasses.fields(table)
]
FULL = """
[site]
name = "計算 \\"クラスタ\\" 🖥"
language = "ja"
timezone = "Asia/Tokyo"
[cluster]
name = "gpu1"
slurm_conf = "/etc/slurm/slurm.conf"
poll_interval_s = 7.5
[door]
transport = "sudo"
sudo_command = ["/usr/bin/sudo", "-n", "/opt/kqi/bin/kqi-runas"]
[database]
url = "postgresql+psycopg://kqi@db.example.org/kqi"
password_file = "/etc/kqi/database.password"
[directory]
servers = ["ldap://a.example.org", "ldap://b.example.org:3890"]
start_tls = true
people_base = "ou=people,dc=example,dc=org"
groups_base = "ou=groups,dc=example,dc=org"
bind_dn = "cn=portal,dc=example,dc=org"
bind_password_file = "/etc/kqi/directory.password"
[[git]]
name = "github"
kind = "github"
url = "https://github.com"
[[git]]
name = "lab"
kind = "gitlab"
url = "https://gitlab.example.org/git"
[[registry]]
name = "ngc"
kind = "ngc"
url = "https://nvcr.io"
"""


@pytest.mark.parametrize(("table", "field"), EVERY_SETTING)
def test_every_setting_is_documented_in_a_sentence(
    table: type, field: dataclasses.Field[object]
) -> None:
    doc = about_of(field).doc
    assert len(doc) > 15
    assert doc.endswith(".")
    assert "\n" not in doc


@pytest.mark.parametrize(("table", "field"), EVERY_SETTING)
def test_every_default_obeys_the_rules_of_its_setting(
    table: type, field: dataclasses.Field[object]
) -> None:
    kind_of(get_type_hints(table)[field.name])
    if is_required(field) or field.default is None:
        return
    for rule in about_of(field).rules:
        assert rule.allows(field.default)


@pytest.mark.parametrize(("table", "field"), EVERY_SETTING)
def test_a_required_setting_has_an_example_for_the_reference(
    table: type, field: dataclasses.Field[object]
) -> None:
    assert bool(about_of(field).example) == is_required(field)


@pytest.mark.parametrize(("table", "field"), EVERY_SETTING)
def test_a_setting_that_names_a_password_is_marked_as_secret(
    table: type, field: dataclasses.Field[object]
) -> None:
    if "password" in field.name or "token_file" in field.name:
        assert about_of(field).secret_file


@pytest.mark.parametrize("table", tables_of(Settings).values())
def test_every_table_has_an_introduction_of_its_own(table: type) -> None:
    doc = table.__doc__ or ""
    assert not doc.startswith(f"{table.__name__}(")  # what dataclass writes by itself
    assert doc.strip().endswith(".")


def test_a_setting_without_documentation_is_a_fault_of_the_model() -> None:
    @dataclasses.dataclass
    class Bare:
        key: int = 1

    with pytest.raises(TypeError, match="key lacks metadata"):
        about_of(dataclasses.fields(Bare)[0])


def test_the_minimal_file_of_the_reference_is_right() -> None:
    settings = parse_settings(minimal_file(), "minimal")
    assert settings.directory is None
    assert settings.cluster.poll_interval_s == 10


def test_settings_cannot_be_changed_after_they_were_read() -> None:
    settings = parse_settings(minimal_file(), "minimal")
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.cluster.name = "other"  # type: ignore[misc]  # what this test is about


@pytest.mark.parametrize("text", [minimal_file(), FULL], ids=["minimal", "full"])
def test_settings_written_as_toml_read_back_as_the_same_settings(text: str) -> None:
    settings = parse_settings(text, "first")
    assert parse_settings(settings_toml(settings), "second") == settings


def test_settings_as_data_name_every_table_and_key() -> None:
    data = settings_data(parse_settings(FULL, "full"))
    assert data.keys() == tables_of(Settings).keys()
    assert data["database"] == {
        "url": "postgresql+psycopg://kqi@db.example.org/kqi",
        "password_file": "/etc/kqi/database.password",
        "pool_size": 5,
    }
    assert data["registry"] == [
        {"name": "ngc", "kind": "ngc", "url": "https://nvcr.io", "ca_file": None}
    ]
    least = settings_data(parse_settings(minimal_file(), "m"))
    assert (least["directory"], least["git"]) == (None, [])


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "true"),
        (10.0, "10"),
        (0.5, "0.5"),
        ('a"b\\', '"a\\"b\\\\"'),
        (("a", "b"), '["a", "b"]'),
        ((), "[]"),
        ("ソウル 서울", '"ソウル 서울"'),
    ],
)
def test_a_value_is_written_as_toml(value: object, written: str) -> None:
    assert toml_value(value) == written
