"""The list of environments, in the state that their files show."""

import os
import time
from pathlib import Path

import pytest

from conda_bootstrap.inventory import environments, room
from conda_bootstrap.json_files import write_json
from conda_bootstrap.locks import locked
from conda_bootstrap.places import Places
from conda_bootstrap.site_bases import Site
from conda_bootstrap.states import packages_print
from tests.adapters.conda_bootstrap.pretend import (
    LIBRARY,
    add_distribution,
    add_record,
    pretend_environment,
    pretend_foreign,
)

FIELDS = {
    "name",
    "path",
    "state",
    "why",
    "base",
    "lock_sha256",
    "outdated",
    "made_at",
    "used_at",
    "python",
    "packages",
    "kernels",
    "size",
    "is_default",
    "has_saved_packages",
    "old_kept",
    "task",
}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    made = Places(tmp_path / "scratch")
    made.make()
    return made


def only(places: Places) -> dict[str, object]:
    (one,) = environments(places, None)
    assert set(one) == FIELDS
    return one


def code_of(one: dict[str, object]) -> object:
    return one["why"]["code"] if isinstance(one["why"], dict) else None


def test_whole_environment_is_ready_with_its_kernel_and_python(places: Places) -> None:
    prefix = pretend_environment(places, "notebook", base="notebook", lock_sha256="ab")
    add_distribution(prefix, "seaborn", "0.13.2")
    add_distribution(prefix, "traitlets", "5.1", installer="conda")
    one = only(places)
    assert (one["state"], one["why"], one["python"]) == ("ready", None, "3.11.2")
    assert one["packages"] == 2  # python, and seaborn which pip has put there
    assert one["kernels"] == [{"name": "python3", "title": "Python 3 (ipykernel)"}]


def test_environment_made_by_hand_is_foreign(places: Places) -> None:
    pretend_foreign(places.envs / "mine")
    assert only(places)["state"] == "foreign"


def test_link_to_an_environment_elsewhere_is_foreign(places: Places) -> None:
    place = pretend_foreign(places.scratch / "elsewhere")
    (places.envs / "linked").symlink_to(place)
    assert only(places)["state"] == "foreign"


def broken_by_removing(path: str) -> object:
    def break_it(prefix: Path) -> None:
        target = prefix / path
        if target.is_dir():
            target.rename(prefix / "away")
        else:
            target.unlink()

    return break_it


def spoil_record(prefix: Path) -> None:
    add_record(prefix, {"name": "six", "version": "1", "build": "0"}).write_text("")


def dangle_python(prefix: Path) -> None:
    (prefix / "bin/python").unlink()
    (prefix / "bin/python").symlink_to("python3.99")


def move_kernel(prefix: Path) -> None:
    (prefix / "share/jupyter/kernels/python3/kernel.json").write_text(
        '{"argv": ["/opt/gone/bin/python"], "display_name": "Gone"}'
    )


def lose_kernel(prefix: Path) -> None:
    add_record(prefix, {"name": "ipykernel", "version": "6.29", "build": "0"})
    (prefix / "share/jupyter/kernels/python3/kernel.json").unlink()


@pytest.mark.parametrize(
    ("break_it", "code"),
    [
        (lose_kernel, "kernel_lost"),
        (broken_by_removing("conda-meta"), "no_packages"),
        (broken_by_removing("bin/python"), "no_python"),
        (dangle_python, "no_python"),
        (broken_by_removing(f"{LIBRARY}/tornado"), "kernel_package"),
        (move_kernel, "kernel_program"),
        (spoil_record, "records"),
    ],
)
def test_broken_environment_says_why(
    places: Places, break_it: object, code: str
) -> None:
    prefix = pretend_environment(places, "notebook")
    assert callable(break_it)
    break_it(prefix)
    one = only(places)
    assert (one["state"], code_of(one)) == ("broken", code)


def test_link_that_leads_nowhere_is_broken(places: Places) -> None:
    (places.envs / "lost").symlink_to("/nowhere")
    assert code_of(only(places)) == "dangling"


def test_what_a_verification_found_counts_until_packages_change(places: Places) -> None:
    prefix = pretend_environment(places, "notebook")
    why = {"code": "kernel_start", "text": "It does not start."}
    told = {"packages_print": packages_print(prefix), "why": why}
    write_json(places.note("verified", "notebook"), told)
    assert only(places)["why"] == why
    os.utime(prefix / "conda-meta", (time.time() + 5, time.time() + 5))
    assert only(places)["state"] == "ready"


def test_environment_of_an_older_edition_of_its_base_is_outdated(
    places: Places, tmp_path: Path
) -> None:
    pretend_environment(places, "notebook", base="notebook", lock_sha256="old")
    write_json_in(tmp_path / "site/bases/notebook/current", {"lock_sha256": "new"})
    site = Site(tmp_path / "site", (), "notebook", ("notebook",), "rattler", None)
    (one,) = environments(places, site)
    assert one["outdated"] is True


def write_json_in(folder: Path, value: object) -> None:
    folder.mkdir(parents=True)
    write_json(folder / "base.json", value)


def test_one_that_is_being_made_is_listed_as_such(places: Places) -> None:
    (places.stage / "new.0123").mkdir()
    assert environments(places, None) == []  # left behind by a process that was killed
    with locked(places, "new", "create"):
        assert only(places)["state"] == "making"


def test_one_of_which_only_the_old_is_left_is_broken_and_not_hidden(
    places: Places,
) -> None:
    (places.old / "notebook.abcd").mkdir()
    one = only(places)
    assert (one["state"], code_of(one)) == ("broken", "interrupted")


@pytest.mark.parametrize("name", ["with blank", "ümlaut", "UPPER", "a" * 200])
def test_names_that_conda_takes_are_listed(places: Places, name: str) -> None:
    pretend_foreign(places.envs / name)
    assert only(places)["name"] == name


@pytest.mark.parametrize("name", [b"new\nline", b"\xff\xfe", b"-rf", b".hidden"])
def test_names_that_nobody_can_mean_do_not_stop_the_list(
    places: Places, name: bytes
) -> None:
    pretend_environment(places, "notebook")
    os.mkdir(os.fsencode(places.envs) + b"/" + name)  # noqa: PTH102 - bytes
    assert only(places)["name"] == "notebook"


def test_files_that_are_no_files_do_not_stop_the_list(places: Places) -> None:
    prefix = pretend_environment(places, "notebook")
    os.mkfifo(places.default)
    (prefix / "conda-meta/kqi").unlink()
    os.mkfifo(prefix / "conda-meta/kqi")
    assert only(places)["state"] == "foreign"


def test_room_tells_what_is_free(places: Places) -> None:
    facts = os.statvfs(places.scratch)
    there = room(places)
    assert 0 < there["free_bytes"] <= there["total_bytes"]
    assert there["total_bytes"] == facts.f_blocks * facts.f_frsize


def test_list_of_many_environments_is_fast(places: Places) -> None:
    for number in range(20):
        prefix = pretend_environment(places, f"env-{number}")
        for count in range(100):
            record = {"name": f"package-{count}", "version": "1", "build": "0"}
            add_record(prefix, record)
    began = time.process_time()
    assert len(environments(places, None)) == 20
    assert time.process_time() - began < 1.0
