from pathlib import Path

import pytest

from conda_bootstrap.errors import WrongUse
from conda_bootstrap.site.about import read_about
from conda_bootstrap.site.command import SHIPPED, shipped
from conda_bootstrap.site.environment_file import read_environment_file

# Thirty lines that would be a list of a thousand million texts, were it written out.
BOMB = "a0: &a0 [x]\n" + "".join(
    f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30)
)
BOMB += "dependencies: *a29\n"


def write(folder: Path, data: str | bytes) -> Path:
    path = folder / "base.yml"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def test_channels_and_packages_are_read(tmp_path: Path) -> None:
    text = (
        "name: x\nprefix: /elsewhere\nchannels: [conda-forge, nodefaults]\n"
        "dependencies:\n  - python=3.11\n  - numpy >=1.2,<3\n  - pytorch 2.* cuda*\n"
    )
    found = read_environment_file(write(tmp_path, text))
    assert found.channels == ("conda-forge",)
    assert found.specs == ("python=3.11", "numpy >=1.2,<3", "pytorch 2.* cuda*")
    assert found.text == text


@pytest.mark.parametrize("name", shipped())
def test_the_shipped_bases_are_understood(name: str) -> None:
    found = read_environment_file(SHIPPED / f"{name}.yml")
    about = read_about(SHIPPED / f"{name}.toml")
    assert found.channels == ("conda-forge",)
    assert "ipykernel" in found.specs
    assert about.title
    assert about.about


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no packages"),
        ("- a\n- b\n", "a key such as"),
        ("dependencies: numpy\n", "is no list"),
        ("dependencies: []\n", "names no packages"),
        ("packages: [a]\ndependencies: [a]\n", "'packages' is not known"),
        ("dependencies:\n  - a\n  - pip:\n    - b\n", "conda packages"),
        ("dependencies: ['a b; rm -rf /']\n", "does not name a package"),
        ("dependencies: ['a\0']\n", "control character"),
        ("dependencies: ['../evil']\n", "does not name a package"),
        ("dependencies: ['--flag']\n", "does not name a package"),
        ("dependencies: ['nump\u00fd']\n", "does not name a package"),
        (f"dependencies: ['{'a' * 400}']\n", "does not name a package"),
        ("channels: ['a b']\ndependencies: [a]\n", "does not name a channel"),
        ("dependencies: !!python/object/apply:os.system [id]\n", "is no list"),
        (BOMB, "is not known"),
        ("[" * 1000, "a key such as"),
    ],
)
def test_what_no_base_can_be_made_of_is_refused_with_the_reason(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(WrongUse) as caught:
        read_environment_file(write(tmp_path, text))
    assert said in str(caught.value)
    assert str(caught.value).isascii()


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\xff\xfe\x00", "UTF-8"), (b"#" * (1 << 20) + b"##", "1 MiB")],
)
def test_what_is_no_text_of_sensible_length_is_refused(
    tmp_path: Path, data: bytes, said: str
) -> None:
    with pytest.raises(WrongUse, match=said):
        read_environment_file(write(tmp_path, data))


@pytest.mark.parametrize("name", ["missing.yml", "", "a\nb.yml", "a\0b.yml"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(WrongUse):
        read_environment_file(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    [
        "title = 1",
        'titel = "x"',
        'title = "a\\u001b[2J"',
        "title = ",
        "machine = 1",
        '[machine]\ncuda = "12"',
        "[machine]\n__cuda = 12.4",
        '[machine]\n__cuda = "12; x"',
    ],
)
def test_a_description_that_is_not_understood_is_refused(
    tmp_path: Path, text: str
) -> None:
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(WrongUse):
        read_about(path)


def test_a_base_may_do_without_a_description(tmp_path: Path) -> None:
    assert read_about(tmp_path / "x.toml").title == ""
