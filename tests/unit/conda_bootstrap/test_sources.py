"""Locks, explicit lists and exports that environments are made from."""

from pathlib import Path

import pytest

from conda_bootstrap import sources
from conda_bootstrap.errors import WrongUse
from conda_bootstrap.importing import from_export, from_yml
from conda_bootstrap.packages import Package, from_url, python_version
from conda_bootstrap.site_bases import Site
from conda_bootstrap.sources import (
    explicit_packages,
    from_explicit,
    from_lock,
    locked_packages,
)

SITE = Site(Path("/nowhere"), (), "notebook", ("notebook",), "rattler", None)
MD5 = "9d06342cb7a6409e83523d2a472a299c"
URL = "https://example.org/c/noarch/typing-extensions-4.16.0-py_0.conda"
LOCK = f"""\
# pip: seaborn==0.13.2
version: 7
environments:
  default:
    packages:
      linux-64:
      - conda: {URL}
packages:
- conda: {URL}
  sha256: cbacf7840962c17676f2dd42b79b991bce94e23569b6ffa0edf8a839fd368f72
  md5: {MD5}
  depends:
  - python >=3.9
  size: 48968
"""
EXPLICIT = f"# platform: linux-64\n@EXPLICIT\n{URL}#{MD5}\n"


def test_lock_tells_its_packages_and_their_sizes() -> None:
    package = Package("typing-extensions", "4.16.0", "py_0", URL, 48968, MD5)
    assert locked_packages(LOCK) == (package,)
    source = from_lock(LOCK)
    assert (source.kind, source.pip) == ("lock", ("seaborn==0.13.2",))


def test_explicit_list_tells_its_packages() -> None:
    package = Package("typing-extensions", "4.16.0", "py_0", URL, 0, MD5)
    assert explicit_packages(EXPLICIT) == (package,)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (LOCK, "lock"),
        (EXPLICIT, "explicit"),
        ("name: a\ndependencies:\n  - six\n", "specs"),
    ],
)
def test_export_is_known_by_what_is_in_it(text: str, kind: str) -> None:
    assert from_export(text, SITE).kind == kind


@pytest.mark.parametrize(
    "text", ["", "# only\n", "hello world\n", "<html>\n", "-e .\n"]
)
def test_what_is_no_export_is_refused(text: str) -> None:
    with pytest.raises(WrongUse):
        from_export(text, SITE)


def test_yml_with_packages_of_pip_gets_pip_and_a_python() -> None:
    source = from_yml("dependencies:\n  - six\n  - pip:\n    - seaborn\n")
    assert sorted(source.specs) == ["pip", "python", "six"]
    source = from_yml("dependencies:\n  - python>=3.11\n  - pip:\n    - seaborn\n")
    assert sorted(source.specs) == ["pip", "python>=3.11"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@EXPLICIT\n",
        f"{URL}\n",
        "@EXPLICIT\nnumpy=2.1\n",
        "@EXPLICIT\nhttps://example.org/x.tar.gz\n",
        "@EXPLICIT\nftp://example.org/c/noarch/a-1-0.conda\n",
        "@EXPLICIT\n/etc/passwd\n",
        "@EXPLICIT\nhttps://example.org/c/noarch/a-1.conda\n",
        f"@EXPLICIT\n{URL}#not-a-checksum\n",
        f"@EXPLICIT\n{URL}\x00\n",
    ],
)
def test_wrong_explicit_list_is_refused(text: str) -> None:
    with pytest.raises(WrongUse):
        from_explicit(text)


@pytest.mark.parametrize(
    "text", ["", "version: 6\n", "packages:\n- conda: nonsense\n", "\x1b[2J"]
)
def test_wrong_lock_is_refused(text: str) -> None:
    with pytest.raises(WrongUse):
        from_lock(text)


def test_text_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LONGEST_CHARS", 100)
    with pytest.raises(WrongUse, match="longer"):
        from_lock(LOCK)


@pytest.mark.parametrize(
    ("url", "stem"),
    [
        ("https://h/c/linux-64/python-3.11.2-0_here.conda", "python-3.11.2-0_here"),
        ("file:///c/noarch/a-b-c-1.0-py_0.tar.bz2", "a-b-c-1.0-py_0"),
        ("https://h/c/noarch/x%2By-1-0.conda?t=1", "x+y-1-0"),
    ],
)
def test_package_is_known_by_its_url(url: str, stem: str) -> None:
    assert from_url(url).file_stem == stem


@pytest.mark.parametrize(
    ("stems", "version"),
    [
        (("python-3.11.2-0_here",), "3.11.2"),
        (("python-dateutil-2.9-py_0", "six-1-0"), None),
        (("ipython-9-py_0", "python-3.12.1-h1_cpython"), "3.12.1"),
        ((), None),
    ],
)
def test_version_of_python_is_read_from_the_records(
    stems: tuple[str, ...], version: str | None
) -> None:
    assert python_version(stems) == version
