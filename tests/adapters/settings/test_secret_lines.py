"""Files of several secrets are guarded like those of one."""

from pathlib import Path

import pytest

from kqi_hub.domain.errors import SettingsError
from kqi_hub.settings.loader import parse_settings
from kqi_hub.settings.secrets import check_secret, read_secret_lines, secret_files

MINIMAL = """
[cluster]
name = "gpu1"
[database]
url = "sqlite:////var/lib/kqi/kqi.sqlite"
[security]
key_file = "{path}"
"""


@pytest.mark.parametrize(
    ("content", "lines"),
    [(b"a\n", ("a",)), (b"a\nb", ("a", "b")), (b"a\nb\n", ("a", "b"))],
)
def test_each_line_is_a_secret(
    tmp_path: Path, content: bytes, lines: tuple[str, ...]
) -> None:
    path = tmp_path / "keys"
    path.write_bytes(content)
    path.chmod(0o600)
    assert read_secret_lines(path) == lines


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"", 0o600, "one secret a line"),
        (b"\n", 0o600, "one secret a line"),
        (b"a\n\nb\n", 0o600, "no empty line"),
        (b"a\0b\n", 0o600, "one line"),
        (b"\xff\n", 0o600, "UTF-8"),
        (b"a\nb\n", 0o644, "others may open it"),
        (b"a\nb\n", 0o660, "others may open it"),
    ],
)
def test_what_is_no_such_file_is_refused(
    tmp_path: Path, content: bytes, mode: int, words: str
) -> None:
    path = tmp_path / "keys"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(SettingsError, match=words):
        read_secret_lines(path)


def test_the_check_of_the_settings_reads_it_as_the_services_do(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("a\nb\n")
    path.chmod(0o600)
    settings = parse_settings(MINIMAL.format(path=path), "kqi.toml")
    (secret,) = secret_files(settings)
    assert (secret.key, secret.lines) == ("security.key_file", True)
    check_secret(secret)
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="others may open it"):
        check_secret(secret)
