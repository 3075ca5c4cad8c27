"""What a run finds and leaves: input, parents, source, results; real git and bwrap."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.runner.run_job import (
    NAME,
    REPOSITORY,
    order,
    read,
    run_job,
    start,
    without_bwrap,
    write_secret,
)
from tests.adapters.runner.test_repository import WHO


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    folder = tmp_path / "trees" / "5"
    (folder / "training" / "1").mkdir(parents=True)
    (folder / "training" / "1" / "a.txt").write_text("first")
    (folder / "meta.json").write_text("{}")
    return folder


def results(tmp_path: Path, number: int) -> dict[str, Any]:
    folder = tmp_path / "kqi" / "training" / str(number) / "output"
    folder.mkdir(parents=True)
    (folder / "model").write_text(f"model {number}")
    return {"kind": "training", "id": number, "path": str(folder)}


def told_dataset(dataset: Path) -> dict[str, Any]:
    return {"id": 5, "path": str(dataset)}


LOOK = (
    "cat $KQI_INPUT/training/1/a.txt $KQI_PARENT/model > $KQI_OUTPUT/read\n"
    "pwd > $KQI_OUTPUT/where\nls $KQI_HOME > $KQI_OUTPUT/names"
)


@pytest.mark.parametrize("staging", ["link", "copy"])
@pytest.mark.parametrize("mounted", [True, False])
def test_input_and_parent_are_there_by_the_same_names_both_ways(
    tmp_path: Path, dataset: Path, staging: str, mounted: bool
) -> None:
    told = order(
        LOOK,
        staging=staging,
        dataset=told_dataset(dataset),
        parents=[results(tmp_path, 9)],
    )
    local = tmp_path / "local"
    local.mkdir()
    environ = {"SLURM_TMPDIR": str(local)}
    environ |= {} if mounted else without_bwrap(tmp_path)
    done = run_job(tmp_path, told, **environ)
    assert done.output("read") == "firstmodel 9", done.log
    home = "/kqi" if mounted else str(done.folder)
    assert done.output("where") == f"{home}/git\n"
    names = set(done.output("names").split())
    assert {"attach", "git", "input", "output", "parent"} <= names
    assert list(local.iterdir()) == []  # the copy goes with the job
    if not mounted:
        (note,) = done.result["notes"]
        assert "bwrap (bubblewrap) is not installed" in note


def test_the_private_folder_has_nothing_else_in_it(tmp_path: Path) -> None:
    done = run_job(tmp_path, order("ls -A /kqi > $KQI_OUTPUT/names"))
    assert done.output("names").split() == [
        "attach",
        "git",
        "input",
        "output",
        "parent",
    ]


def test_several_parents_have_a_folder_each(tmp_path: Path) -> None:
    parents = [results(tmp_path, 9), results(tmp_path, 10)]
    command = "cat /kqi/parent/training-9/model /kqi/parent/training-10/model"
    done = run_job(tmp_path, order(command, parents=parents))
    assert "model 9model 10" in done.log


SOMEBODY = 54321
CHANGES = """\
from pathlib import Path
import os, sys
def tries():
    for place in sys.argv[2:]:
        folder = Path(place)
        file = next(p for p in folder.rglob("*") if p.is_file())
        yield file, lambda: file.write_text("changed")
        yield file, lambda: file.chmod(0o777)
        yield file, lambda: file.unlink()
        yield file, lambda: file.rename(folder / "moved")
        yield file, lambda: (folder / "new").write_text("new")
        yield file, lambda: os.link(file, os.environ["KQI_OUTPUT"] + "/linked")
done = []
for file, attempt in tries():
    try:
        attempt()
        done.append(str(file))
    except OSError as error:
        pass
Path(sys.argv[1]).write_text("\\n".join(done))
"""


@pytest.fixture
def somebody(tmp_path: Path) -> Iterator[Path]:
    """Return a folder where a real other person has the product and a dataset."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another person")
    top = Path(tempfile.mkdtemp(prefix="kqi-run-"))
    dataset = top / "trees" / "5"
    dataset.mkdir(parents=True)
    (dataset / "meta.json").write_text("{}")
    for package in ("kqi_hub", "conda_bootstrap"):
        shutil.copytree(REPOSITORY / package, top / "product" / package)
    yield top
    shutil.rmtree(top)


def as_somebody(top: Path, *words: str) -> subprocess.Popen[str]:
    for place in [top, *top.rglob("*")]:
        os.lchown(place, SOMEBODY, SOMEBODY)
    return subprocess.Popen(
        ["/usr/bin/python3", "-m", *words],
        cwd=top / "product", env={"PATH": "/usr/bin:/bin", "SLURM_JOB_ID": "7"},
        user=SOMEBODY, group=SOMEBODY, extra_groups=[],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_a_job_can_change_neither_its_input_nor_its_parent(somebody: Path) -> None:
    """As a real other person, who owns both, by each of their names."""
    parent, dataset = results(somebody, 9), somebody / "trees" / "5"
    program = somebody / "changes.py"
    program.write_text(CHANGES)
    places = f"/kqi/input /kqi/parent {dataset} {parent['path']}"
    command = f"/usr/bin/python3 {program} $KQI_OUTPUT/done {places}; id -u"
    told = order(command, dataset=told_dataset(dataset), parents=[parent])
    folder = somebody / "kqi/training/12"
    job = as_somebody(
        somebody, "kqi_hub.runner.run", str(write_secret(somebody, told)), str(folder)
    )
    log = job.communicate(timeout=60)[0]
    assert job.returncode == 0, log
    assert f"\n{SOMEBODY}\n" in log
    assert (folder / "output" / "done").read_text() == ""
    assert (somebody / "kqi/training/9/output/model").read_text() == "model 9"
    assert read(folder / "result.json")["mounts"] == "bwrap"


def test_a_shell_beside_the_command_sees_the_same_folders(somebody: Path) -> None:
    told = order(
        "touch /kqi/output/ready; exec sleep 60",
        dataset=told_dataset(somebody / "trees" / "5"),
    )
    folder = somebody / "kqi/training/12"
    job = as_somebody(
        somebody, "kqi_hub.runner.run", str(write_secret(somebody, told)), str(folder)
    )
    begun = time.monotonic()
    while not (folder / "output" / "ready").exists():
        assert time.monotonic() - begun < 20
        time.sleep(0.02)
    look = "ls /kqi/output /kqi/input; touch /kqi/input/x; id -u"
    beside = as_somebody(
        somebody, "kqi_hub.runner.inside", str(folder), "bash", "-c", look
    )
    said = beside.communicate(timeout=60)[0]
    assert "ready" in said
    assert "meta.json" in said
    assert "Read-only file system" in said
    assert f"\n{SOMEBODY}\n" in said
    job.terminate()
    job.communicate(timeout=60)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"dataset": {"id": 5, "path": "/no/such"}}, "dataset 5 cannot be read"),
        (
            {"parents": [{"kind": "training", "id": 3, "path": "/no/such"}]},
            "the results of training 3 cannot be read",
        ),
    ],
)
def test_what_cannot_be_read_ends_the_run_before_its_command(
    tmp_path: Path, what: dict[str, Any], said: str
) -> None:
    done = run_job(tmp_path, order("touch $KQI_OUTPUT/x", **what))
    assert done.code == 66
    assert said in done.result["why"]
    assert not (done.folder / "output" / "x").exists()


def test_a_copy_that_has_no_room_becomes_a_link_with_a_note(
    tmp_path: Path, dataset: Path
) -> None:
    huge = dataset / "huge"
    with huge.open("wb") as stream:
        stream.truncate(1 << 43)
    told = order(
        "cat /kqi/input/training/1/a.txt", staging="copy", dataset=told_dataset(dataset)
    )
    done = run_job(tmp_path, told)
    assert done.code == 0
    assert "\nfirst" in done.log
    (note,) = done.result["notes"]
    assert "not copied to this node but linked" in note
    assert "GB free" in note


def test_a_job_by_hand_later_reads_what_the_first_has_left(tmp_path: Path) -> None:
    first = run_job(tmp_path, order("echo run >> $KQI_OUTPUT/x"))
    again = start(tmp_path / "kqi" / "secrets" / NAME, first.folder, SLURM_JOB_ID="99")
    log = again.communicate(timeout=60)[0]
    assert again.returncode == 0, log
    other = tmp_path / "kqi" / "training" / "12.99"
    assert first.output("x") == (other / "output" / "x").read_text() == "run\n"
    assert read(other / "result.json")["exit_code"] == 0


def test_a_second_job_never_touches_what_a_killed_one_has_left(tmp_path: Path) -> None:
    first = run_job(tmp_path, order("echo run >> $KQI_OUTPUT/x"))
    (first.folder / "result.json").unlink()  # as when it was killed
    again = run_job(tmp_path, order("echo 2 >> $KQI_OUTPUT/x"), SLURM_JOB_ID="99")
    assert again.code == 0
    assert first.output("x") == "run\n"
    assert (tmp_path / "kqi/training/12.99/output/x").read_text() == "2\n"


def test_a_job_that_slurm_has_put_back_goes_on_in_its_folder(tmp_path: Path) -> None:
    for _ in range(2):
        done = run_job(tmp_path, order("echo run >> $KQI_OUTPUT/x"))
    assert done.output("x") == "run\nrun\n"
    assert not (tmp_path / "kqi/training/12.77").exists()


def test_tasks_of_an_array_each_do_their_own(tmp_path: Path) -> None:
    folders = [tmp_path / "kqi" / "preprocessing" / str(one) for one in (12, 13)]
    items = []
    for number, folder in enumerate(folders):
        place = tmp_path / "data" / str(number)
        place.mkdir(parents=True)
        (place / "a").write_text(f"item {number}")
        items.append(
            {
                "run": 12 + number, "data": 40 + number, "name": f"n {number}",
                "path": str(place), "folder": str(folder), "tags": ["a", "b"],
            }
        )  # fmt: skip
    command = "cat $KQI_INPUT/$DATA_ID/a; echo : $DATA_ID $DATA_NAME $TAGS $KQI_RUN_ID"
    told = order(command, kind="preprocessing", tasks=items)
    secret = write_secret(tmp_path, told)
    for task in (1, 0):
        done = start(secret, folders[0], SLURM_ARRAY_TASK_ID=str(task))
        log = done.communicate(timeout=60)[0]
        assert f"item {task}: {40 + task} n {task} a,b {12 + task}\n" in log
        assert read(folders[task] / "result.json")["exit_code"] == 0
        secret = secret.with_name("gone")  # the second reads what the first has left


@pytest.mark.parametrize("task", ["", "2", "-1", "x"])
def test_a_job_that_is_no_task_of_the_array_says_so(tmp_path: Path, task: str) -> None:
    item: dict[str, Any] = {"run": 1, "data": 1, "name": "n", "path": "/", "tags": []}
    told = order("true", tasks=[item | {"folder": str(tmp_path / "a/b/c/d")}] * 2)
    done = run_job(tmp_path, told, SLURM_ARRAY_TASK_ID=task)
    assert done.code == 65
    assert "This run cannot begin" in done.log


HARD = "mkdir -p 'a b'; cd 'a b'; echo x > $'new\\nline'; echo y > $'\\xff'"
SOME = (
    f"cd $KQI_OUTPUT; {HARD}; ln -s /etc/passwd out; mkfifo pipe; mkdir empty; "
    "touch -d 1970-01-02 old; head -c 3000000 /dev/zero > zero"
)


def test_odd_names_in_the_output_are_kept_and_reported(tmp_path: Path) -> None:
    command = (
        "cd $KQI_OUTPUT; mkdir plain-1 'two words'; touch plain-1/a.b_C-0 "
        "plain-1/$'new\\nline' 'two words/学習' $'\\xff'"
    )
    done = run_job(tmp_path, order(command))
    assert (done.code, done.result["files"]) == (0, 4)
    (note,) = (one for one in done.result["notes"] if "names in the output" in one)
    assert "names in the output (4)" in note
    assert note.isascii() and note.isprintable()
    assert "'two words'" in note
    assert note in done.log


def test_plain_names_in_the_output_are_not_remarked_on(tmp_path: Path) -> None:
    command = "mkdir $KQI_OUTPUT/Model_1; touch $KQI_OUTPUT/Model_1/w-0.9.pt"
    done = run_job(tmp_path, order(command))
    assert done.code == 0
    assert "names in the output" not in "".join(done.result["notes"])


def test_results_are_zipped_when_they_were_asked_to_be(tmp_path: Path) -> None:
    done = run_job(tmp_path, order(SOME, zip=True))
    assert done.code == 0, done.log
    assert done.result["zip"] == "training_output_12.zip"
    with zipfile.ZipFile(done.folder / "attach" / "training_output_12.zip") as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        assert archive.read("a b/out") == b"/etc/passwd"
        assert len(archive.read("a b/zero")) == 3_000_000
    assert names == {
        "a b/", "a b/new\nline", "a b/\ufffd", "a b/out", "a b/empty/",
        "a b/old", "a b/zero",
    }  # fmt: skip


def test_results_of_a_command_that_failed_are_not_zipped(tmp_path: Path) -> None:
    done = run_job(tmp_path, order("touch $KQI_OUTPUT/x; exit 4", zip=True))
    assert (done.code, done.result["zip"]) == (4, None)
    assert list((done.folder / "attach").iterdir()) == []


def test_a_zip_that_fails_changes_the_exit_code(tmp_path: Path) -> None:
    # A folder lies where the archive is to be: it cannot be put in its place.
    command = "mkdir $KQI_ATTACH/training_output_12.zip; touch $KQI_OUTPUT/x"
    done = run_job(tmp_path, order(command, zip=True))
    assert (done.code, done.result["exit_code"]) == (74, 74)
    assert "not as a zip file" in done.result["why"]
    assert done.result["files"] == 1


@pytest.mark.parametrize(
    ("made", "value"),
    [
        ("printf '0.93\\nsecond\\n'", "0.93"),
        ("printf '  1e-3  '", "1e-3"),
        ("printf '\\r\\n'", ""),
        ("printf 'a\\033[31mb'", "a[31mb"),
        ("head -c 100000 /dev/zero | tr '\\0' x", "x" * 200),
        ("true", ""),
    ],
)
def test_output_value_is_the_first_line_of_value_txt(
    tmp_path: Path, made: str, value: str
) -> None:
    done = run_job(tmp_path, order(f"{made} > $KQI_OUTPUT/value.txt"))
    assert done.result["value"] == value


def test_a_value_that_is_a_link_or_a_pipe_is_none(tmp_path: Path) -> None:
    for make in ("ln -s /etc/passwd", "mkfifo"):
        done = run_job(tmp_path, order(f"{make} $KQI_OUTPUT/value.txt"))
        assert (done.code, done.result["value"]) == (0, "")
        shutil.rmtree(done.folder)


@pytest.mark.parametrize(
    "told",
    ["", "{", "[]", '{"version": 2}', json.dumps({"version": 1, "run": {}})],
)
def test_an_order_that_is_none_is_told_in_the_log(tmp_path: Path, told: str) -> None:
    done = run_job(tmp_path, told)
    assert done.code == 65
    assert "This run cannot begin" in done.log


def test_an_order_that_others_may_read_is_not_followed(tmp_path: Path) -> None:
    secret = write_secret(tmp_path, order("true"))
    secret.chmod(0o644)
    process = start(secret, tmp_path / "kqi" / "training" / "12")
    assert "mode must be 0600" in process.communicate(timeout=60)[0]
    assert process.returncode == 65


def test_how_to_run_it_is_told_to_those_who_do_otherwise() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "kqi_hub.runner.run"],
        cwd=REPOSITORY, env=WHO, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "ORDER FOLDER" in done.stdout) == (64, True)
