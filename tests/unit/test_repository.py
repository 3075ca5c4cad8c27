"""Guards over what git tracks: sizes, pins, scripts, documents."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import kqi_hub

ROOT = Path(__file__).resolve().parents[2]
MOST_LINES = 500
# Python files that may be longer, each with its own limit and a reason.
MAY_BE_LONGER = {
    # The privileged door is one file: root runs exactly what an auditor has read,
    # wherever it is copied to, and it imports nothing of ours.
    "kqi_hub/runas/helper.py": 1050,
}


@cache
def tracked_files() -> tuple[str, ...]:
    # Tests may run as root in somebody else's checkout, which git refuses by default.
    command = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return tuple(listing.stdout.decode().split("\0")[:-1])


def tracked(pattern: str) -> list[str]:
    return [name for name in tracked_files() if re.search(pattern, name)]


def text_of(name: str) -> str:
    """Return a file's text, empty for one that is no text."""
    return (ROOT / name).read_bytes().decode("utf-8", errors="ignore")


def line_count(name: str) -> int:
    return len(text_of(name).splitlines())


def test_no_python_file_is_longer_than_a_reader_can_hold() -> None:
    too_long = {
        name: line_count(name)
        for name in tracked(r"\.py$")
        if line_count(name) > MAY_BE_LONGER.get(name, MOST_LINES)
    }
    assert too_long == {}


@pytest.mark.parametrize("name", MAY_BE_LONGER)
def test_a_file_that_may_be_longer_still_needs_to_be(name: str) -> None:
    assert line_count(name) > MOST_LINES


# Put together from parts, so that this file does not contain what it looks for.
REGISTRY_HOSTS = re.compile(
    "|".join(
        rf"\b{host}\.{domain}\b"
        for host, domain in [
            (r"python" + "hosted", "org"),
            (r"py" + "pi", "org"),
            (r"registry\.npm" + "js", "org"),
            (r"registry\.yarn" + "pkg", "com"),
        ]
    )
)
INDEX_ADDRESSES = re.compile(
    r'"resolved"\s*:\s*"\w+://'
    r"|--(extra-)?index-url|--find-links|--trusted-host|\bindex-url\s*="
    r"|\bregistry\s*=\s*\S+://"
    r"|\w+\s*@\s*\w+://"
)
# Files that installers read, wherever they lie.
INSTALL_FILES = (
    r"(^|/)(constraints[^/]*\.txt|requirements[^/]*\.txt|pyproject\.toml"
    r"|package(-lock)?\.json|npm-shrinkwrap\.json|\.npmrc|pip\.conf)$"
)


def test_no_file_names_a_package_registry() -> None:
    assert [
        name for name in tracked_files() if REGISTRY_HOSTS.search(text_of(name))
    ] == []


def test_no_file_for_installers_names_where_packages_come_from() -> None:
    names = tracked(INSTALL_FILES)
    assert {"constraints.txt", "pyproject.toml"} <= set(names)
    assert [name for name in names if INDEX_ADDRESSES.search(text_of(name))] == []


@pytest.mark.parametrize(
    "line",
    [
        '"resolved": "http://mirror.example/x.tgz",',
        '"resolved":"https://mirror.example/x.tgz"',
        "--index-url http://mirror.example/simple",
        "--extra-index-url=https://mirror.example/simple",
        "--find-links https://mirror.example/",
        "index-url = http://mirror.example/simple",
        "registry=http://mirror.example:4873/",
        "click @ https://mirror.example/click.whl",
        "click @ file:///tmp/click.whl",
    ],
)
def test_an_address_for_installers_is_noticed(line: str) -> None:
    assert INDEX_ADDRESSES.search(line)


@pytest.mark.parametrize(
    "host", ["files.python" + "hosted.org", "py" + "pi.org", "registry.npm" + "js.org"]
)
def test_the_host_of_a_registry_is_noticed(host: str) -> None:
    assert REGISTRY_HOSTS.search(f"see https://{host}/simple/")


@pytest.mark.parametrize(
    "line",
    [
        '"resolved": "node_modules/x",',
        '"integrity": "sha512-abc"',
        '"url": "https://people.example/fund"',
        "click==8.5.1",
        "registry = site_registry(settings)",
    ],
)
def test_a_harmless_line_for_installers_passes(line: str) -> None:
    assert not INDEX_ADDRESSES.search(line)
    assert not REGISTRY_HOSTS.search(line)


def constraints() -> list[str]:
    lines = text_of("constraints.txt").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_every_constraint_is_a_name_and_a_version() -> None:
    pinned = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][A-Za-z0-9.+!]*")
    assert [line for line in constraints() if not pinned.fullmatch(line)] == []


def test_every_declared_requirement_is_pinned_once() -> None:
    names = [canonicalize_name(line.partition("==")[0]) for line in constraints()]
    assert len(names) == len(set(names))
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    declared = {canonicalize_name(Requirement(r).name) for e in extras for r in e}
    assert declared - set(names) == set()


def shell_scripts() -> list[str]:
    shebang = re.compile(r"#!\S*/(env )?(ba|da)?sh\b")
    return [
        name
        for name in tracked_files()
        if name.endswith(".sh") or shebang.match(text_of(name))
    ]


def bash_complaint(script: Path) -> str:
    ran = subprocess.run(
        ["bash", "-n", "--", str(script)], check=False, capture_output=True, text=True
    )
    return ran.stderr


def test_every_shell_script_is_well_formed() -> None:
    scripts = shell_scripts()
    assert {"demo", "test", ".ci/prepare"} <= set(scripts)
    complaints = {name: bash_complaint(ROOT / name) for name in scripts}
    assert {name: said for name, said in complaints.items() if said} == {}


def test_a_malformed_shell_script_is_noticed(tmp_path: Path) -> None:
    script = tmp_path / "half.sh"
    script.write_text("if true; then\n")
    assert "unexpected end of file" in bash_complaint(script)


FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\s*\)")


def relative_links(markdown: str) -> Iterator[str]:
    """Yield the targets of links to files, without their anchors."""
    prose = CODE.sub("", FENCED.sub("", markdown))
    for target in LINK.findall(prose):
        path = target.partition("#")[0]
        if path and not re.match(r"[a-z]+:", target):
            yield path


def leads_somewhere(document: str, target: str) -> bool:
    """Tell whether a link reaches something inside the repository."""
    reached = (ROOT / document).parent.joinpath(target).resolve()
    return reached.is_relative_to(ROOT) and reached.exists()


def test_every_link_between_documents_leads_somewhere() -> None:
    dead = [
        f"{document}: {target}"
        for document in tracked(r"\.md$")
        for target in relative_links(text_of(document))
        if not leads_somewhere(document, target)
    ]
    assert dead == []


def test_links_are_read_as_a_reader_sees_them() -> None:
    markdown = (
        '[a](one.md) ![b](two.png) [c](three.md#part "title") [d](#here)\n'
        "[e](https://x.example/y.md) [f](mailto:a@x.example) `[g](code.md)`\n"
        "```\n[h](fenced.md)\n```\n[i](<four.md>)\n"
    )
    assert list(relative_links(markdown)) == [
        "one.md",
        "two.png",
        "three.md",
        "four.md",
    ]


@pytest.mark.parametrize("target", ["gone.md", "../../../../../../etc/passwd"])
def test_a_link_to_nothing_or_out_of_the_repository_is_noticed(target: str) -> None:
    assert not leads_somewhere("docs/README.md", target)


def test_every_document_is_on_the_map() -> None:
    """Decisions are found by their folder; all others are linked by docs/README.md."""
    linked = {f"docs/{path}" for path in relative_links(text_of("docs/README.md"))}
    documents = {*tracked(r"^docs/(?!decisions/).*\.(md|csv)$")} - {"docs/README.md"}
    assert documents - linked == set()


def test_the_readme_names_the_two_commands_and_they_can_be_run() -> None:
    readme = text_of("README.md")
    for command in ["demo", "test"]:
        assert f"./{command}" in readme
        assert command in tracked_files()
        assert (ROOT / command).stat().st_mode & 0o111


def newest_section(changelog: str) -> tuple[str, str]:
    """Return the heading and the text of a changelog's first section."""
    _, found, rest = changelog.partition("\n## ")
    assert found, "no section"
    heading, _, following = rest.partition("\n")
    return heading.strip(), following.partition("\n## ")[0]


def test_the_changelog_begins_with_this_version_or_what_is_unreleased() -> None:
    heading, text = newest_section(text_of("CHANGELOG.md"))
    released = rf"\[?{re.escape(kqi_hub.__version__)}\]? - \d{{4}}-\d\d-\d\d"
    assert re.fullmatch(rf"\[?Unreleased\]?|{released}", heading)
    assert re.search(r"^- \S", text, re.MULTILINE), "the section says nothing"


DATE = re.compile(r"\b20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\b")


def test_every_decision_has_a_number_of_its_own_and_a_date() -> None:
    decisions = tracked(r"^docs/decisions/")
    numbers = [
        re.match(r"docs/decisions/(\d{4})-[a-z0-9-]+\.md$", d) for d in decisions
    ]
    assert all(numbers), "a decision is called NNNN-what-about.md"
    found = [number[1] for number in numbers if number]
    assert len(found) == len(set(found))
    undated = [d for d in decisions if not DATE.search("\n".join(head_of(d)))]
    assert undated == [], "the date stands in the first lines"


def head_of(document: str) -> list[str]:
    return text_of(document).splitlines()[:6]
