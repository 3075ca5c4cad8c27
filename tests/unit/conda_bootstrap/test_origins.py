"""A package is asked for where it came from, never at an index that has its name."""

import json
from pathlib import Path

import pytest

from conda_bootstrap.packages import all_distributions, distributions, spec_name
from conda_bootstrap.pip_packages import check_spec

FILE = "file:///scratch/alice/workspace/greeter-1.0-py3-none-any.whl"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def environment(place: Path, told: object = None, installer: str = "pip") -> Path:
    info = place / "lib/python3.11/site-packages/greeter-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "INSTALLER").write_text(f"{installer}\n")
    if told is not None:
        text = told if isinstance(told, str) else json.dumps(told)
        (info / "direct_url.json").write_text(text)
    return place


@pytest.mark.parametrize(
    ("told", "spec"),
    [
        (None, "greeter==1.0"),
        ({"url": FILE, "archive_info": {}}, f"greeter @ {FILE}"),
        (
            {
                "url": "https://git.example/a/greeter",
                "vcs_info": {"vcs": "git", "commit_id": COMMIT},
            },
            f"greeter @ git+https://git.example/a/greeter@{COMMIT}",
        ),
    ],
)
def test_the_spec_says_where_a_package_came_from(
    tmp_path: Path, told: object, spec: str
) -> None:
    [one] = distributions(environment(tmp_path, told))
    assert one.spec == check_spec(spec)
    assert spec_name(one.spec) == "greeter"


@pytest.mark.parametrize(
    "told",
    [
        "",
        "{",
        "[]",
        {"url": 7},
        {"url": "greeter"},
        {"url": "file:///a b"},
        {"url": "https://x\n--index-url=https://elsewhere.example"},
        {"url": "https://" + "x" * 1000},
    ],
)
def test_an_origin_that_cannot_be_read_is_not_taken_for_the_index(
    tmp_path: Path, told: object
) -> None:
    [one] = distributions(environment(tmp_path, told))
    assert one.spec == "greeter @ file:///not-known"


def test_where_a_conda_package_was_built_says_nothing(tmp_path: Path) -> None:
    prefix = environment(tmp_path, {"url": "file:///home/builder/work"}, "conda")
    assert distributions(prefix) == ()
    [one] = all_distributions(prefix)
    assert one.spec == "greeter==1.0"
