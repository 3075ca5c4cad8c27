"""Environments of real conda packages: made, listed, mended, written down, removed."""

import json
import os
from pathlib import Path

import pytest

from conda_bootstrap.marker import read_marker
from tests.adapters.conda_bootstrap.person import Person, leftovers

pytestmark = pytest.mark.slow

MORE = "markdown"  # what the channel has and the base `minimal` has not


def add_by_pip(person: Person, name: str) -> None:
    """Do what `pip install` of a small package does, without an index."""
    library = next((person.prefix(name) / "lib").glob("python3*/site-packages"))
    (library / "seaborn.py").write_text("COLOUR = 'blue'\n")
    folder = library / "seaborn-0.1.dist-info"
    folder.mkdir()
    (folder / "INSTALLER").write_text("pip\n")
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: seaborn\n")
    rows = ["seaborn.py,,", f"{folder.name}/INSTALLER,,", f"{folder.name}/METADATA,,"]
    (folder / "RECORD").write_text("\n".join([*rows, f"{folder.name}/RECORD,,", ""]))


def test_created_environment_works_and_holds_its_final_path(settled: Person) -> None:
    prefix = settled.prefix("first")
    assert settled.python("first", "import ipykernel, sys; print(sys.prefix)") == str(
        prefix
    )
    with (prefix / "bin/pip").open("rb") as stream:
        assert os.fsencode(prefix) in stream.read()
    stage = os.fsencode(settled.places.stage)
    files = (
        one for one in prefix.rglob("*") if one.is_file() and one.stat().st_nlink == 1
    )
    assert not [one for one in files if stage in one.read_bytes()]
    marker = read_marker(prefix)
    assert marker is not None
    assert (marker.name, marker.base) == ("first", "minimal")
    assert leftovers(settled.places) == []


def test_listed_environment_is_ready_with_its_size(settled: Person) -> None:
    one = settled.listed("--sizes")["first"]
    assert (one["state"], one["why"], one["outdated"]) == ("ready", None, False)
    assert one["kernels"][0]["name"] == "python3"
    # Linked from the cache: what it alone takes is a small part.
    assert 0 < one["size"]["own_bytes"] < one["size"]["bytes"] / 3


def test_second_environment_shares_its_files(person: Person) -> None:
    assert person.json("create", "one", "--base", "minimal").code == 0
    assert person.json("create", "two", "--base", "minimal").code == 0
    modules = [
        next(
            (person.prefix(name) / "lib").glob("python3*/site-packages/tornado/web.py")
        )
        for name in ("one", "two")
    ]
    assert modules[0].samefile(modules[1])
    cached = next(person.places.pkgs.glob("tornado-*/"))
    assert any(one.samefile(modules[0]) for one in cached.rglob("web.py"))


def test_name_that_is_taken_is_refused_and_nothing_touched(settled: Person) -> None:
    before = settled.prefix("first").stat().st_ino
    answer = settled.json("create", "first", "--base", "minimal")
    assert (answer.code, answer.last["code"]) == (3, "taken")
    assert settled.prefix("first").stat().st_ino == before


def test_empty_folder_or_lost_link_of_that_name_is_not_replaced(person: Person) -> None:
    person.places.make()
    (person.places.envs / "empty").mkdir()
    (person.places.envs / "link").symlink_to("/nowhere")
    for name in ("empty", "link"):
        assert person.json("create", name, "--base", "minimal").code == 3
    assert (person.places.envs / "link").is_symlink()


def test_reset_mends_what_was_broken_through_a_link_to_the_cache(
    person: Person,
) -> None:
    """Whoever edits a file of an environment edits the cache, and the next one too."""
    assert person.json("create", "notebook", "--base", "minimal").code == 0
    (person.places.workspace).mkdir()
    (person.places.workspace / "work.ipynb").write_text("mine")
    module = next((person.prefix("notebook") / "lib").glob("**/tornado/__init__.py"))
    with module.open("a") as stream:
        stream.write("this is no Python(\n")
    told = person.json("verify", "notebook").last["result"]["environments"]["notebook"]
    assert told["kernels"][0]["ok"] is False
    assert person.listed()["notebook"]["state"] == "broken"
    answer = person.json("reset", "notebook")
    assert answer.code == 0, answer.out
    assert person.listed()["notebook"]["state"] == "ready"
    assert person.python("notebook", "import tornado; print('ok')") == "ok"
    assert (person.places.workspace / "work.ipynb").read_text() == "mine"
    assert leftovers(person.places) == []


def test_new_environment_that_does_not_start_gives_way_to_the_old_one(
    person: Person,
) -> None:
    assert person.json("create", "notebook", "--base", "minimal").code == 0
    before = person.prefix("notebook").stat().st_ino
    text = person.run("export", "notebook", "--format", "explicit").out
    # A list without tornado installs well and makes a kernel that cannot start.
    without = [line for line in text.splitlines() if "/tornado-" not in line]
    wrong = person.home / "wrong.txt"
    wrong.write_text("\n".join(without))
    answer = person.json("reset", "notebook", "--explicit", str(wrong))
    assert (answer.code, answer.last["code"]) == (1, "new_broken")
    assert person.prefix("notebook").stat().st_ino == before
    assert (
        person.json("verify", "notebook").last["result"]["environments"]["notebook"][
            "why"
        ]
        is None
    )
    assert leftovers(person.places) == []


def test_packages_come_back_after_a_reset(person: Person) -> None:
    yml = person.home / "environment.yml"
    specs = ("python=3.11", "ipykernel", "pip", MORE)
    yml.write_text("dependencies:\n" + "".join(f"  - {one}\n" for one in specs))
    answer = person.json("create", "notebook", "--file", str(yml))
    assert answer.code == 0, answer.out
    answer = person.json("reset", "notebook", "--base", "minimal")
    assert answer.code == 0, answer.out
    assert not [*person.prefix("notebook").glob(f"conda-meta/{MORE}-*")]
    assert person.listed()["notebook"]["has_saved_packages"]
    answer = person.json("bring-back", "notebook")
    assert answer.code == 0, answer.out
    assert [*person.prefix("notebook").glob(f"conda-meta/{MORE}-*")]
    assert person.json("bring-back", "notebook").last["code"] == "nothing_saved"


def test_what_pip_added_is_taken_along_when_packages_are_added(person: Person) -> None:
    assert person.json("create", "notebook", "--base", "minimal").code == 0
    add_by_pip(person, "notebook")
    answer = person.json("plugins", "notebook")
    assert answer.code == 0, answer.out
    assert person.python("notebook", "import seaborn; print(seaborn.COLOUR)") == "blue"
    assert person.python("notebook", "import ipyparallel; print('ok')") == "ok"


def test_repair_of_a_gutted_environment_says_what_it_could_not_get(
    person: Person,
) -> None:
    assert person.json("create", "notebook", "--base", "minimal").code == 0
    add_by_pip(person, "notebook")
    (person.prefix("notebook") / "bin/python").unlink()
    assert person.listed()["notebook"]["why"]["code"] == "no_python"
    answer = person.json("repair", "notebook")
    assert answer.code == 0, answer.out
    assert answer.last["result"]["not_had"] == ["seaborn==0.1"]
    assert person.listed()["notebook"]["state"] == "ready"


@pytest.mark.parametrize("form", ["yml", "explicit", "lock"])
def test_export_of_any_format_makes_the_same_again(
    settled: Person, form: str, tmp_path: Path
) -> None:
    exported = tmp_path / "export"
    exported.write_text(settled.run("export", "first", "--format", form).out)
    answer = settled.json("create", f"again-{form}", "--import", str(exported))
    assert answer.code == 0, answer.out
    names = [
        {one.name for one in settled.prefix(name).glob("conda-meta/*.json")}
        for name in ("first", f"again-{form}")
    ]
    assert names[0] == names[1]


def test_list_of_pip_is_written_without_running_the_environment(
    person: Person,
) -> None:
    assert person.json("create", "notebook", "--base", "minimal").code == 0
    (person.prefix("notebook") / "bin/python").unlink()
    told = person.run("export", "notebook", "--format", "pip").out
    assert "ipykernel==" in told
    assert person.run("export", "notebook").out.startswith("name: notebook\n")


def test_what_the_channels_lack_is_named(settled: Person, tmp_path: Path) -> None:
    yml = tmp_path / "environment.yml"
    yml.write_text("dependencies:\n  - python=3.11\n  - no-such-thing-at-all\n")
    answer = settled.json("create", "new", "--file", str(yml))
    assert (answer.code, answer.last["code"]) == (3, "unsolvable")
    assert "no-such-thing-at-all" in answer.last["message"]
    assert "python" not in answer.last["message"]
    assert not settled.prefix("new").exists()


def test_pip_package_of_a_yml_that_is_not_to_be_had_is_named(
    settled: Person, tmp_path: Path
) -> None:
    yml = tmp_path / "environment.yml"
    yml.write_text("dependencies:\n  - python=3.11\n  - pip:\n    - seaborn==0.13.2\n")
    answer = settled.json("create", "piped", "--file", str(yml))
    assert answer.code == 0, answer.out
    assert answer.last["result"]["not_had"] == ["seaborn==0.13.2"]
    assert settled.listed()["piped"]["state"] == "ready"


def test_task_is_carried_out_once(person: Person) -> None:
    folder = person.places.tasks / "20261121T120000-abcdefgh"
    folder.mkdir(parents=True)
    order = {"version": 1, "operation": "create", "name": "mine", "base": "minimal"}
    (folder / "order.json").write_text(json.dumps(order))
    assert person.listed()["mine"]["state"] == "making"
    assert person.run("task", str(folder)).code == 0
    state = json.loads((folder / "state.json").read_text())
    assert (state["state"], state["error"]) == ("done", None)
    assert state["result"]["name"] == "mine"
    made = person.prefix("mine").stat().st_ino
    assert person.listed()["mine"]["task"] is None
    again = person.run("task", str(folder))
    assert (again.code, again.out) == (0, "This task has ended already: done.\n")
    assert person.prefix("mine").stat().st_ino == made


def test_plugins_outside_of_an_environment_say_so_and_do_nothing(
    settled: Person,
) -> None:
    for variables in ({}, {"CONDA_PREFIX": "/usr"}):
        answer = settled.json("plugins", **variables)
        assert (answer.code, answer.last["code"]) == (3, "outside")
    assert not (settled.home / ".ipython").exists()


def test_setup_is_all_that_a_person_has_to_do(person: Person) -> None:
    (person.home / ".bashrc").write_text("alias ll='ls -l'")
    answer = person.json("setup", "--base", "minimal")
    assert answer.code == 0, answer.out
    one = person.listed()["notebook"]
    assert (one["state"], one["is_default"]) == ("ready", True)
    assert person.places.workspace.is_dir()
    assert person.places.log.is_dir()
    assert (person.home / ".ipython/profile_slurm/ipcluster_config.py").is_file()
    assert "CONDA_ENVS_DIRS" in (person.home / ".bashrc").read_text()
    inode = person.prefix("notebook").stat().st_ino
    again = person.json("setup", "--base", "minimal")
    assert again.code == 0, again.out
    assert person.prefix("notebook").stat().st_ino == inode


def test_delete_needs_a_yes_and_leaves_what_a_link_leads_to(
    person: Person, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    (kept / "conda-meta").mkdir(parents=True)
    person.places.make()
    (person.places.envs / "linked").symlink_to(kept)
    assert person.json("delete", "linked").last["code"] == "yes"
    assert person.json("delete", "linked", "--yes").code == 0
    assert not (person.places.envs / "linked").is_symlink()
    assert (kept / "conda-meta").is_dir()
    assert person.json("delete", "linked", "--yes").code == 3
