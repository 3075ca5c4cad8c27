"""What is refused before anything is touched."""

import os
from pathlib import Path

import pytest

from tests.adapters.conda_bootstrap.person import Person
from tests.adapters.conda_bootstrap.pretend import pretend_environment, pretend_foreign


@pytest.mark.parametrize("operation", ["reset", "repair", "bring-back"])
def test_link_to_an_environment_is_not_made_anew(
    somebody: Person, tmp_path: Path, operation: str
) -> None:
    place = pretend_foreign(tmp_path / "elsewhere")
    (somebody.places.envs / "linked").symlink_to(place)
    answer = somebody.json(operation, "linked")
    assert (answer.code, answer.last["code"]) == (3, "link")
    assert (place / "bin/python").is_symlink()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("reset", "absent"), "no_environment"),
        (("repair", "absent"), "no_environment"),
        (("verify", "absent"), "no_environment"),
        (("default", "absent"), "no_environment"),
        (("export", "absent"), "no_environment"),
        (("reset", "by-hand"), "which_base"),
        (("repair", "by-hand"), "no_lock"),
        (("bring-back", "ours"), "nothing_saved"),
    ],
)
def test_what_cannot_be_done_is_refused_with_what_to_do(
    somebody: Person, words: tuple[str, str], code: str
) -> None:
    pretend_foreign(somebody.places.envs / "by-hand")
    pretend_environment(somebody.places, "ours")
    answer = somebody.json(*words)
    assert (answer.code, answer.last["code"]) == (3, code)


def test_setup_with_a_broken_environment_says_how_to_mend_it(
    somebody: Person,
) -> None:
    site = somebody.site / "bases/notebook/current"
    site.mkdir(parents=True)
    (somebody.site / "site.json").write_text(
        '{"version": 1, "channels": [], "bases": ["notebook"]}'
    )
    for name in ("lock", "explicit.txt"):
        (site / name).touch()
    (site / "base.json").write_text('{"name": "notebook"}')
    prefix = pretend_environment(somebody.places, "notebook")
    (prefix / "bin/python").unlink()
    answer = somebody.json("setup")
    assert (answer.code, answer.last["code"]) == (3, "broken")
    assert "repair notebook" in answer.last["hint"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "site"), ("[]", "site"), ('{"version": 1, "backend": "sh"}', "backend")],
)
def test_site_folder_that_is_none_is_told(
    somebody: Person, text: str, code: str
) -> None:
    (somebody.site / "site.json").write_text(text)
    answer = somebody.json("create", "new")
    assert (answer.code, answer.last["code"]) == (3, code)
    assert somebody.json("list").code == 0


def test_base_that_is_not_offered_is_told_with_those_that_are(
    somebody: Person,
) -> None:
    answer = somebody.json("create", "new", "--base", "../../etc")
    assert (answer.code, answer.last["code"]) == (2, "base")


@pytest.mark.parametrize("option", ["--file", "--lock", "--explicit", "--import"])
def test_file_that_cannot_be_read_is_told(somebody: Person, option: str) -> None:
    for path in ("/nowhere", "/", "/proc/self/mem"):
        assert somebody.json("create", "new", option, path).code == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_folder_of_somebody_else_is_refused(somebody: Person) -> None:
    os.chown(somebody.places.scratch, 54321, 54321)
    answer = somebody.json("delete", "x", "--yes")
    assert (answer.code, answer.last["code"]) == (3, "not_yours")


def test_link_that_leads_nowhere_instead_of_a_folder_is_refused(
    somebody: Person,
) -> None:
    somebody.places.envs.rmdir()
    somebody.places.envs.symlink_to("/nowhere")
    answer = somebody.json("delete", "x", "--yes")
    assert (answer.code, answer.last["code"]) == (3, "dangling")


def test_conda_folder_may_be_a_link_to_one_of_ones_own(
    somebody: Person, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    somebody.places.conda.rename(elsewhere)
    somebody.places.conda.symlink_to(elsewhere)
    pretend_environment(somebody.places, "old")
    assert somebody.json("delete", "old", "--yes").code == 0
    assert [*(elsewhere / "envs").iterdir()] == []


@pytest.mark.parametrize("scratch", ["/nowhere", "a:b", "line\nbreak"])
def test_scratch_that_is_none_is_refused(somebody: Person, scratch: str) -> None:
    place = scratch if scratch.startswith("/") else str(somebody.home / scratch)
    answer = somebody.json("sweep", "--scratch", place)
    assert (answer.code, answer.last["code"]) == (3, "scratch")
