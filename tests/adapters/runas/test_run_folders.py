"""Folders of runs, through the door: hostile ones, with real people."""

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adapters.runas.house import ALICE, BOB, PYTHON, House, a_house, wait_until
from tests.adapters.runas.run_folder_house import (
    HOSTILE,
    RESULT,
    SECRET,
    a_run,
    as_device,
    as_fifo,
    as_folder,
    as_link,
    as_locked,
    as_somebody_elses,
    asked,
    collected,
    command,
    give,
    kqi_folder,
)


@pytest.fixture(scope="module")
def house(able: None) -> Iterator[House]:
    with a_house() as made:
        made.configure(
            collect_command=command(made, "--store", str(made.base / "store.sock"))
        )
        made.start()
        yield made


@pytest.fixture
def kqi(house: House) -> Path:
    return kqi_folder(house)


def test_a_run_is_read_with_its_value_and_counted(house: House, kqi: Path) -> None:
    a_run(kqi)
    one = collected(house)
    assert {"version": 1} | one["result"] == RESULT | {"zip": ""}
    assert (one["found"], one["value"], one["phase"]) == ("result", "0.75", "ended")
    assert (one["files"], one["bytes"], one["counted"]) == (2, 13, "all")
    assert (one["outputs"], one["more_outputs"]) == (["sub"], False)


def test_without_a_result_the_rest_is_read(house: House, kqi: Path) -> None:
    run = a_run(kqi)
    (run / "result.json").unlink()
    one = collected(house)
    assert (one["found"], one["why"], one["result"]) == ("none", "", None)
    assert (one["value"], one["files"]) == ("0.75", 2)


def test_a_folder_that_is_gone_is_no_error(house: House, kqi: Path) -> None:
    one = collected(house, "inference/7.345")
    assert (one["found"], one["files"], one["outputs"]) == ("none", 0, [])


@pytest.mark.parametrize(("spoil", "why"), HOSTILE)
def test_a_result_that_is_none_is_not_read_and_keeps_nobody_waiting(
    house: House, kqi: Path, spoil: Callable[[Path], None], why: str
) -> None:
    run = a_run(kqi)
    spoil(run / "result.json")
    began = time.monotonic()
    one = collected(house)
    assert time.monotonic() - began < 5
    assert (one["found"], one["result"]) == ("unfit", None)
    assert why in one["why"]
    assert SECRET not in json.dumps(one)
    assert "root:" not in json.dumps(one)
    assert one["value"] == "0.75"


@pytest.mark.parametrize(
    "spoil", [as_link, as_fifo, as_device, as_somebody_elses, as_folder, as_locked]
)
def test_a_value_that_is_none_gives_way_to_the_results(
    house: House, kqi: Path, spoil: Callable[[Path], None]
) -> None:
    run = a_run(kqi)
    spoil(run / "output/value.txt")
    assert collected(house)["value"] == "0.5"


def test_of_a_huge_value_the_beginning_is_read(house: House, kqi: Path) -> None:
    run = a_run(kqi)
    with (run / "output/value.txt").open("w") as file:
        file.write("9" * 5000)
        file.truncate(1024**3)
    assert collected(house)["value"] == "9" * 255


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "null", "1", '"x"', "{", "[" * 30_000, "\0", '{"version": 2}',
        '{"version": true}', "{}", "9" * 6000, '{"version": 1' + ', "a": 1' * 9000,
    ],
)  # fmt: skip
def test_a_result_that_says_nothing_is_unfit(
    house: House, kqi: Path, text: str
) -> None:
    run = a_run(kqi)
    (run / "result.json").write_text(text)
    one = collected(house)
    assert (one["found"], one["result"]) == ("unfit", None)
    assert one["why"].startswith("result.json ")


@pytest.mark.parametrize(
    ("field", "said", "read"),
    [
        ("exit_code", "0", None), ("exit_code", True, None), ("exit_code", 256, None),
        ("exit_code", 1e999, None), ("exit_code", 137, 137), ("exit_code", -9, -9),
        ("why", "a\nb\x1b[31m\ud800\u202ec", "a b [31m  c"), ("why", ["x"], ""),
        ("why", "x" * 60_000, "x" * 300), ("files", -1, None), ("files", 2**80, None),
        ("began_at", float("nan"), None), ("began_at", float("inf"), None),
        ("began_at", 10**400, None), ("began_at", -1, None), ("began_at", 5, 5.0),
        ("phases", {"a\n": 1, "b": "x", "c": None}, {"a": 1.0}), ("phases", [], {}),
        ("notes", [1, "two", None], ["", "two", ""]), ("notes", "x", []),
        ("notes", ["n"] * 1000, ["n"] * 20), ("zip", {"a": 1}, ""),
    ],
)  # fmt: skip
def test_what_a_result_says_is_fit_to_be_stored(
    house: House, kqi: Path, field: str, said: object, read: object
) -> None:
    a_run(kqi, changes={field: said})
    one = collected(house)
    assert one["found"] == "result"
    assert one["result"][field] == read
    json.dumps(one).encode()


@pytest.mark.parametrize("place", ["..", "training", "training/12"])
def test_a_link_on_the_way_is_not_followed(house: House, kqi: Path, place: str) -> None:
    elsewhere = give(a_run(kqi).rename(kqi.parent / "workspace/run"))
    shelf = kqi / place
    if place == "..":
        real = kqi.rename(kqi.parent / "elsewhere")
        (real / "training/12").symlink_to(elsewhere)
        kqi.symlink_to(real)
    elif place == "training":
        (kqi / "training").rename(kqi / "other")
        (kqi / "other/12").symlink_to(elsewhere)
        shelf.symlink_to(kqi / "other")
    else:
        shelf.symlink_to(elsewhere)
    one = collected(house)
    assert (one["found"], one["result"], one["files"]) == ("unfit", None, 0)
    assert "a link" in one["why"]


def test_a_folder_of_somebody_else_is_not_read(house: House, kqi: Path) -> None:
    run = a_run(kqi)
    give(run, BOB)
    subprocess.run(["chmod", "-R", "777", str(run)], check=True)
    one = collected(house)
    assert (one["found"], one["result"]) == ("unfit", None)
    assert "somebody else's" in one["why"]


def test_an_output_that_is_a_link_is_not_counted(house: House, kqi: Path) -> None:
    run = a_run(kqi)
    shutil.rmtree(run / "output")
    (run / "output").symlink_to("/etc")
    one = collected(house)
    assert (one["found"], one["value"], one["files"]) == ("result", "0.5", 0)
    assert (one["outputs"], "a link" in one["why"]) == ([], True)


def test_counting_follows_no_link_and_names_folders_that_can_be_data(
    house: House, kqi: Path
) -> None:
    run = a_run(kqi)
    output = run / "output"
    (output / "etc").symlink_to("/etc")
    (output / "round").symlink_to(output)
    for name in ("b b", "日本", ".hidden", "a\nb", " edge", "\u202e"):
        (output / name).mkdir()
    (output / os.fsdecode(b"\xff")).mkdir()
    os.mkfifo(output / "fifo")
    give(run)
    one = collected(house)
    assert (one["files"], one["counted"]) == (2, "all")
    assert one["outputs"] == ["b b", "sub", "日本"]
    assert one["unfit_outputs"] == 4


def test_a_deep_output_and_a_closed_one_are_counted_in_part(
    house: House, kqi: Path
) -> None:
    run = a_run(kqi, changes={"files": 900, "bytes": 1000})
    folder = run / "output"
    for _ in range(150):
        folder = folder / "d"
        folder.mkdir()
    give(run)
    one = collected(house)
    assert (one["files"], one["bytes"], one["counted"]) == (900, 1000, "noted")


def test_a_result_that_is_swapped_all_the_time_is_never_anothers(
    house: House, kqi: Path
) -> None:
    run = a_run(kqi)
    other = house.base / "others-result"
    other.write_text(json.dumps(RESULT | {"why": SECRET}))
    other.chmod(0o644)
    place, good = run / "result.json", json.dumps(RESULT)
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            (run / "next").symlink_to(other)
            (run / "next").replace(place)
            (run / "next").write_text(good)
            os.chown(run / "next", ALICE, ALICE)
            (run / "next").replace(place)

    swapping = threading.Thread(target=swap)
    swapping.start()
    try:
        seen = [collected(house) for _ in range(25)]
    finally:
        ended.set()
        swapping.join()
    assert SECRET not in json.dumps(seen)
    assert {one["found"] for one in seen} <= {"result", "unfit"}


def test_answers_have_a_bearable_size_and_say_what_is_left(
    house: House, kqi: Path
) -> None:
    folders = [f"preprocessing/{number}" for number in range(1, 6)]
    for folder in folders:
        for number in range(450):
            (kqi / folder / f"output/{number:03d}{'日' * 80}").mkdir(parents=True)
    give(kqi)
    left, seen = folders, []
    while left:
        answer = house.ask("collect", "alice", {"folders": left})
        assert len(answer["stdout"]) < 256 * 1024
        said = json.loads(answer["stdout"])
        seen += list(said["runs"])
        assert all(len(one["outputs"]) == 400 for one in said["runs"].values())
        assert all(one["more_outputs"] for one in said["runs"].values())
        left = said["left"]
    assert seen == folders


def test_hundreds_of_runs_are_collected_in_one_call(house: House, kqi: Path) -> None:
    folders = [f"preprocessing/{number}" for number in range(1, 301)]
    for folder in folders:
        a = kqi / folder
        (a / "output").mkdir(parents=True)
        (a / "result.json").write_text(json.dumps(RESULT))
    give(kqi)
    said = asked(house, "collect", *folders)
    assert len(said["runs"]) + len(said["left"]) == 300
    assert len(said["runs"]) > 200


@pytest.mark.parametrize("verb", ["collect", "remove-runs"])
@pytest.mark.parametrize(
    "folder",
    [
        "", ".", "..", "training", "training/", "training/0", "training/012",
        "training/12/", "training/../12", "../training/12", "/etc", "workspace/1",
        "secrets/1", "training/12\n", "training/1\uff12", "training//12", "training/-1",
        "training/12.", "training/12.0", "training/12.1.2", "training/12\0", None, 12,
        ["training/12"], "training/" + "1" * 16, "Training/12", "notebook/1",
    ],
)  # fmt: skip
def test_only_names_of_runs_are_taken(house: House, verb: str, folder: object) -> None:
    answer = house.ask(verb, "alice", {"folders": ["training/1", folder]})
    assert not answer["ok"]
    assert answer["message"].startswith("folders: expected a run's folder")


@pytest.mark.parametrize("folders", [None, [], "training/1", ["training/1"] * 1001])
def test_only_a_list_of_bearable_length_is_taken(house: House, folders: object) -> None:
    assert not house.ask("collect", "alice", {"folders": folders})["ok"]


def test_a_site_without_the_program_refuses(own_house: House) -> None:
    answer = own_house.ask("collect", "alice", {"folders": ["training/1"]})
    assert not answer["ok"]
    assert "collect_command" in answer["message"]


def test_a_run_is_removed_with_what_it_links_to_left_alone(
    house: House, kqi: Path
) -> None:
    run = a_run(kqi)
    mine = kqi.parent / "workspace/mine"
    mine.mkdir()
    (mine / "keep").write_text("me")
    give(mine)
    (run / "input").symlink_to(mine)
    (run / "output/link").symlink_to(mine / "keep")
    (run / "output/hard").hardlink_to(mine / "keep")
    os.mkfifo(run / "output/fifo")
    a_run(kqi, "training/13")
    assert asked(house, "remove-runs", "training/12", "training/99") == {
        "version": 1, "removed": ["training/12", "training/99"], "kept": {}, "left": []
    }  # fmt: skip
    assert (mine / "keep").read_text() == "me"
    assert [one.name for one in (kqi / "training").iterdir()] == ["13"]


@pytest.mark.parametrize("target", ["/etc", "workspace"])
def test_of_a_link_in_the_place_of_a_run_only_the_link_is_removed(
    house: House, kqi: Path, target: str
) -> None:
    (kqi / "training").mkdir()
    (kqi.parent / "workspace/keep").write_text("me")
    (kqi / "training/12").symlink_to(kqi.parent / target)
    give(kqi)
    assert asked(house, "remove-runs", "training/12")["removed"] == ["training/12"]
    assert list((kqi / "training").iterdir()) == []
    assert (kqi.parent / "workspace/keep").exists()
    assert Path("/etc/passwd").exists()


@pytest.mark.parametrize("where", ["training", "."])
def test_nothing_is_removed_through_a_link_on_the_way(
    house: House, kqi: Path, where: str
) -> None:
    a_run(kqi)
    if where == ".":
        kqi.rename(kqi.parent / "real")
        kqi.symlink_to(kqi.parent / "real")
    else:
        (kqi / "training").rename(kqi / "real")
        (kqi / "training").symlink_to(kqi / "real")
    said = asked(house, "remove-runs", "training/12")
    assert said["removed"] == []
    assert "a link" in said["kept"]["training/12"]
    assert len(list(kqi.parent.rglob("result.json"))) == 1


def test_a_deep_run_with_closed_folders_is_removed(house: House, kqi: Path) -> None:
    run = a_run(kqi)
    make = (
        "import os, sys\nos.chdir(sys.argv[1])\n"
        "for i in range(3000):\n"
        "    os.mkdir('d'), open('f', 'w').close(), os.chdir('d')\n"
    )
    subprocess.run([PYTHON, "-c", make, str(run)], check=True, user=ALICE, group=ALICE)
    (run / "output/sub").chmod(0)
    run.chmod(0o500)
    assert asked(house, "remove-runs", "training/12")["removed"] == ["training/12"]
    assert list((kqi / "training").iterdir()) == []


def test_what_somebody_else_left_in_a_run_is_told(house: House, kqi: Path) -> None:
    run = a_run(kqi)
    (run / "output/theirs").mkdir(mode=0o700)
    (run / "output/theirs/file").write_text("x")
    give(run / "output/theirs", BOB)
    said = asked(house, "remove-runs", "training/12")
    assert said["kept"] == {"training/12": "Permission denied"}
    assert not run.exists()
    shutil.rmtree(kqi / "training/.removed-12/")
    assert asked(house, "remove-runs", "training/12")["removed"] == ["training/12"]


def test_a_removal_that_was_cut_short_is_finished_by_the_next(
    house: House, kqi: Path
) -> None:
    run = a_run(kqi)
    run.rename(run.with_name(".removed-12"))
    a_run(kqi)
    assert asked(house, "remove-runs", "training/12")["removed"] == ["training/12"]
    assert list((kqi / "training").iterdir()) == []


def test_removals_are_logged_with_what_was_removed(house: House, kqi: Path) -> None:
    asked(house, "remove-runs", "training/12")
    wait_until(lambda: house.audit()[-1]["verb"] == "remove-runs")
    assert house.audit()[-1]["folders"] == ["training/12"]
