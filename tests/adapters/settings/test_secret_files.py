"""Secrets come from files that nobody else can read, swap or lead us away from."""

import os
from pathlib import Path

import pytest

from kqi_hub.domain.errors import SettingsError
from kqi_hub.settings.loader import parse_settings
from kqi_hub.settings.secrets import Reader, SecretFile, read_secret, secret_files

STRANGER = 54321
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "a 'secret'\n文"
    path.write_text("s3cret\n")
    path.chmod(0o600)
    return path


def refusal(path: Path, reader: Reader | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        read_secret(path, reader)
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"s3cret\n", "s3cret"),
        (b"s3cret", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b" a b \n", " a b "),
        ("パスワード🔑\n".encode(), "パスワード🔑"),
        (b"x" * 65536, "x" * 65536),
    ],
)
def test_a_secret_is_its_line_without_the_newline(
    secret: Path, content: bytes, text: str
) -> None:
    secret.write_bytes(content)
    assert read_secret(secret) == text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "one line"),
        (b"\n", "one line"),
        (b"s3cret\nmore\n", "one line"),
        (b"s3cret\0", "one line"),
        (b"s3cret\xff", "not UTF-8"),
        (b"x" * 65537, "larger than 64 KiB"),
    ],
)
def test_what_is_no_single_line_of_text_is_refused(
    secret: Path, content: bytes, words: str
) -> None:
    secret.write_bytes(content)
    assert words in refusal(secret)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_file_for_its_owner_alone_is_read(secret: Path, mode: int) -> None:
    secret.chmod(mode)
    assert read_secret(secret) == "s3cret"


@pytest.mark.parametrize(
    "mode", [0o644, 0o604, 0o606, 0o660, 0o620, 0o602, 0o601, 0o777]
)
def test_a_file_that_others_may_open_is_refused_with_the_command_that_helps(
    secret: Path, mode: int
) -> None:
    secret.chmod(mode)
    message = refusal(secret)
    assert f"{mode:04o}" in message
    assert f"chmod 0600 {secret}" in message


@as_root
def test_roots_file_may_be_read_by_the_services_group(secret: Path) -> None:
    os.chown(secret, 0, STRANGER)
    secret.chmod(0o640)
    assert read_secret(secret, Reader(0, frozenset({STRANGER}))) == "s3cret"
    assert "others may open it" in refusal(secret, Reader(0, frozenset({1})))


@as_root
def test_the_services_own_file_is_not_for_its_group(secret: Path) -> None:
    os.chown(secret, STRANGER, STRANGER)
    secret.chmod(0o640)
    reader = Reader(STRANGER, frozenset({STRANGER}))
    assert "others may open it" in refusal(secret, reader)


@as_root
def test_a_file_of_somebody_else_is_refused(secret: Path) -> None:
    os.chown(secret, STRANGER, 0)
    assert "neither root nor the service user" in refusal(secret)


@as_root
def test_a_folder_of_somebody_else_is_refused(secret: Path) -> None:
    os.chown(secret.parent, STRANGER, 0)
    assert "belongs to somebody else" in refusal(secret)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_in_which_others_may_write_is_refused(secret: Path, mode: int) -> None:
    secret.parent.chmod(mode)
    message = refusal(secret)
    secret.parent.chmod(0o700)
    assert f"chmod go-w {secret.parent}" in message


def test_a_shared_folder_with_the_sticky_bit_is_good_enough(secret: Path) -> None:
    secret.parent.chmod(0o1777)
    assert read_secret(secret) == "s3cret"


def test_a_link_in_the_files_place_is_refused(secret: Path) -> None:
    link = secret.parent / "link"
    link.symlink_to(secret)
    message = refusal(link)
    assert "link is a symbolic link" in message
    assert f"readlink -f {link}" in message


def test_a_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("/nonexistent")
    assert "symbolic link" in refusal(link)


def test_a_link_on_the_way_is_refused(secret: Path, tmp_path: Path) -> None:
    link = tmp_path / "folder"
    link.symlink_to(tmp_path)
    assert "folder is a symbolic link" in refusal(link / secret.name)


def test_a_folder_in_the_files_place_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(0o700)
    assert "not a regular file" in refusal(folder)


def test_a_file_where_a_folder_belongs_is_refused(secret: Path) -> None:
    assert "is not a folder" in refusal(secret / "deeper")


def test_a_fifo_in_the_files_place_is_refused_and_hangs_nobody(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo, 0o600)
    assert "not a regular file" in refusal(fifo)


def test_a_device_is_refused() -> None:
    assert "refused" in refusal(Path("/dev/zero"))


def test_a_missing_file_is_told_with_what_to_do(tmp_path: Path) -> None:
    message = refusal(tmp_path / "nothing")
    assert "There is no secret file" in message
    assert "0600" in message


def test_the_settings_name_their_secret_files() -> None:
    settings = parse_settings(
        '[cluster]\nname = "x"\n[database]\n'
        'url = "postgresql+psycopg://kqi@db/kqi"\npassword_file = "/etc/kqi/db"\n',
        "kqi.toml",
    )
    expected = SecretFile("database.password_file", Path("/etc/kqi/db"))
    assert list(secret_files(settings)) == [expected]
