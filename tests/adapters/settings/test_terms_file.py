"""The text of the terms of use."""

from pathlib import Path

import pytest

from kqi_hub.bootstrap.login import load_terms
from kqi_hub.domain.errors import SettingsError
from kqi_hub.domain.terms import Terms
from kqi_hub.settings.loader import parse_settings
from kqi_hub.settings.model import Settings

MINIMAL = """
[cluster]
name = "gpu1"
[database]
url = "sqlite:////var/lib/kqi/kqi.sqlite"
"""


def settings(path: Path) -> Settings:
    text = f'{MINIMAL}[terms]\nversion = "2026-11"\nfile = "{path}"\n'
    return parse_settings(text, "kqi.toml")


def test_a_site_without_terms_has_none() -> None:
    assert load_terms(parse_settings(MINIMAL, "kqi.toml")) is None


def test_terms_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "terms.txt"
    path.write_text("約款 약관\n\nBe kind.\n", encoding="utf-8")
    assert load_terms(settings(path)) == Terms("2026-11", "約款 약관\n\nBe kind.\n")


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff", b"x" * 200_001])
def test_terms_that_cannot_be_shown_are_refused(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "terms.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"terms\.txt"):
        load_terms(settings(path))
