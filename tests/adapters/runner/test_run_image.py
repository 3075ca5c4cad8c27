"""Runs in a container image: a registry of the tests' own, real bash and bwrap."""

import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.oci.fake_registry import (
    FakeRegistry,
    entry,
    file_entry,
    layer_of,
    serving,
)
from tests.adapters.runner.image_of_node import layer_of_programs
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

_PROGRAMS = layer_of_programs()
_ENV = ["PATH=/usr/bin:/of/the/image", "TOOL_HOME=/opt/tool", "HOME=/root", "KQI_X=1"]


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with serving(FakeRegistry()) as fake:
        yield fake


@pytest.fixture
def image(registry: FakeRegistry) -> dict[str, Any]:
    return wanted(registry, registry.add("team/tool", "1", [_PROGRAMS], _ENV, True))


def wanted(registry: FakeRegistry, digest: str, **changes: str) -> dict[str, Any]:
    """Return what an order says of an image."""
    host = registry.url.removeprefix("http://")
    plain = {
        "name": f"{host}/team/tool:1@{digest}",
        "digest": digest,
        "url": registry.url,
        "repository": "team/tool",
        "user": "",
        "password": "",
        "ca_file": "",
    }
    return plain | changes


def kept(top: Path) -> list[str]:
    """Return the images that a person has."""
    folder = top / "kqi" / "images"
    return sorted(one.name for one in folder.iterdir() if one.is_dir())


def test_the_command_runs_in_the_image_with_the_runs_own_folders(
    tmp_path: Path, image: dict[str, Any]
) -> None:
    told = order(
        "cat /etc/os-release > /kqi/output/os; pwd > /kqi/output/pwd\n"
        "ls / > /kqi/output/top; ls /kqi > /kqi/output/names\n"
        "id -un > /kqi/output/me || true; env > /kqi/output/env; echo said",
        image=image,
        variables={"OWN": "é 'x'", "TOOL_HOME": "/mine"},
    )
    done = run_job(tmp_path, told, LD_LIBRARY_PATH="/node/lib", CONDA_PREFIX="/node")
    assert done.code == 0, done.log
    assert done.output("os") == "NAME=of-the-image\n"
    assert done.output("pwd") == "/kqi/git\n"
    assert done.output("names").split() == [
        "attach",
        "git",
        "input",
        "output",
        "parent",
    ]
    assert "usr" in done.output("top").split()
    assert {"boot", "srv", "opt"}.isdisjoint(done.output("top").split())
    variables = dict(
        line.split("=", 1) for line in done.output("env").splitlines() if "=" in line
    )
    assert variables["PATH"] == "/usr/bin:/of/the/image"
    assert (variables["OWN"], variables["TOOL_HOME"]) == ("é 'x'", "/mine")
    assert variables["HOME"] == str(tmp_path)
    assert (variables["SLURM_JOB_ID"], variables["TRAINING_ID"]) == ("77", "12")
    assert {"CONDA_PREFIX", "KQI_X"}.isdisjoint(variables)
    assert done.result["mounts"] == "bwrap"
    assert done.result["image"] == {"name": image["name"], "digest": image["digest"]}
    assert (
        done.output("me").strip()
        == subprocess.run(
            ["id", "-un"], capture_output=True, text=True, check=True
        ).stdout.strip()
    )


def test_the_first_run_says_that_it_fetches_and_the_next_asks_nobody(
    tmp_path: Path, registry: FakeRegistry, image: dict[str, Any]
) -> None:
    first = run_job(tmp_path, order("echo one", image=image))
    assert "is new here: fetching 1 layers" in first.log
    assert list(first.result["phases"])[:3] == ["fetching", "staging", "running"]
    registry.asked.clear()
    second = run_job(tmp_path, order("echo two", image=image), SLURM_JOB_ID="78")
    assert second.code == 0, second.log
    assert registry.asked == []
    assert "fetching" not in second.log
    assert len(kept(tmp_path)) == 1


def test_neither_image_nor_its_kept_files_can_be_changed_by_a_run(
    tmp_path: Path, image: dict[str, Any]
) -> None:
    assert run_job(tmp_path, order(":", image=image)).code == 0
    [name] = kept(tmp_path)
    root = tmp_path / "kqi" / "images" / name / "root"
    told = order(
        f"touch /usr/bin/evil; touch /evil; touch {root}/usr/bin/evil\n"
        "touch /etc/passwd; touch /kqi/evil\n"
        "touch /tmp/kqi-may-$KQI_RUN_ID && echo may",
        image=image,
    )
    done = run_job(tmp_path, told, SLURM_JOB_ID="78")
    assert "\nmay\n" in done.log
    assert done.log.count("Read-only file system") == 5
    assert not [*root.rglob("evil")]
    Path("/tmp/kqi-may-12").unlink()


def test_input_and_parents_are_there_and_can_only_be_read(
    tmp_path: Path, image: dict[str, Any]
) -> None:
    data = tmp_path / "trees" / "5"
    data.mkdir(parents=True)
    (data / "a.txt").write_text("first")
    parent = tmp_path / "kqi" / "training" / "3" / "output"
    parent.mkdir(parents=True)
    (parent / "model").write_text("model 3")
    told = order(
        "cat $KQI_INPUT/a.txt /kqi/parent/model > /kqi/output/read\n"
        f"touch /kqi/input/x {data}/x {parent}/x; true",
        image=image,
        dataset={"id": 5, "path": str(data)},
        parents=[{"kind": "training", "id": 3, "path": str(parent)}],
    )
    done = run_job(tmp_path, told)
    assert done.output("read") == "firstmodel 3"
    assert (len([*data.iterdir()]), len([*parent.iterdir()])) == (1, 1)


def test_a_password_fetches_and_is_not_kept(
    tmp_path: Path, registry: FakeRegistry, image: dict[str, Any]
) -> None:
    registry.login = "bearer"
    refused = run_job(tmp_path, order("echo ran", image=image))
    assert (refused.code, "Your account, Registries" in refused.log) == (68, True)
    private = image | {"user": registry.user, "password": registry.password}
    done = run_job(tmp_path, order("env", image=private), SLURM_JOB_ID="78")
    assert done.code == 0, done.log
    assert registry.password not in done.log
    holding = [
        file
        for file in (tmp_path / "kqi").rglob("*")
        if file.is_file() and registry.password.encode() in file.read_bytes()
    ]
    assert holding == []
    assert read(done.folder.with_name("12.78") / "order.json")["image"]["user"] == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"digest": "sha256:" + "0" * 64}, "has no"),
        ({"repository": "no/such"}, "has no"),
        ({"url": "http://127.0.0.1:9"}, "does not answer"),
    ],
)
def test_an_image_that_cannot_be_had_ends_the_run_before_its_command(
    tmp_path: Path, image: dict[str, Any], changes: dict[str, str], said: str
) -> None:
    done = run_job(tmp_path, order("echo ran", image=image | changes))
    assert (done.code, said in done.result["why"]) == (68, True), done.log
    assert "\nran\n" not in done.log
    assert not (tmp_path / "kqi" / "images").exists() or kept(tmp_path) == []


@pytest.mark.parametrize(
    "digest", ["", "latest", "sha256:../../x", "sha256:" + "A" * 64]
)
def test_an_order_without_a_digest_is_refused(
    tmp_path: Path, image: dict[str, Any], digest: str
) -> None:
    done = run_job(tmp_path, order("echo ran", image=image | {"digest": digest}))
    assert done.code == 65


def test_an_evil_layer_leaves_nothing_behind(
    tmp_path: Path, registry: FakeRegistry
) -> None:
    evil = layer_of([file_entry("../../../../evil", b"evil")])
    digest = registry.add("team/tool", "evil", [_PROGRAMS, evil])
    done = run_job(tmp_path, order("echo ran", image=wanted(registry, digest)))
    assert (done.code, "would be elsewhere" in done.log) == (68, True), done.log
    assert kept(tmp_path) == []
    assert not [*tmp_path.rglob("evil")]


def test_an_image_without_bash_is_told_so(
    tmp_path: Path, registry: FakeRegistry
) -> None:
    digest = registry.add("team/tool", "bare", [layer_of([file_entry("x", b"x")])])
    done = run_job(tmp_path, order("echo ran", image=wanted(registry, digest)))
    assert (done.code, "has no /bin/bash" in done.log) == (68, True)


def test_a_link_called_bash_leads_to_no_program_of_the_node(
    tmp_path: Path, registry: FakeRegistry
) -> None:
    link = layer_of([entry("bin/bash", tarfile.SYMTYPE, "/../../../../bin/bash")])
    digest = registry.add("team/tool", "link", [link])
    done = run_job(tmp_path, order("echo ran", image=wanted(registry, digest)))
    assert (done.code, "\nran\n" in done.log) == (68, False)


def test_half_a_stdbuf_in_an_image_is_not_used(
    tmp_path: Path, registry: FakeRegistry
) -> None:
    without = layer_of([file_entry("usr/.wh.libexec")])
    digest = registry.add("team/tool", "half", [_PROGRAMS, without])
    done = run_job(tmp_path, order("echo ran", image=wanted(registry, digest)))
    assert done.code == 0, done.log


def test_without_bubblewrap_no_image_is_run(
    tmp_path: Path, image: dict[str, Any]
) -> None:
    done = run_job(tmp_path, order("echo ran", image=image), **without_bwrap(tmp_path))
    assert (done.code, "cannot be run here: bwrap" in done.log) == (68, True)


def test_a_connection_that_breaks_off_once_is_tried_again(
    tmp_path: Path, registry: FakeRegistry, image: dict[str, Any]
) -> None:
    registry.breaks_off = 1
    assert run_job(tmp_path, order("echo ran", image=image)).code == 0


def test_two_jobs_at_once_fetch_an_image_once(
    tmp_path: Path, registry: FakeRegistry, image: dict[str, Any]
) -> None:
    jobs = []
    for number in ("13", "14"):
        name = NAME.replace("12", number)
        told = order("echo ran", image=image, id=int(number), job_name=name)
        secret = write_secret(tmp_path, told, name)
        jobs.append(start(secret, tmp_path / "kqi" / "training" / number))
    logs = [job.communicate(timeout=60)[0] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], logs
    layers = [path for path in registry.paths() if "/blobs/" in path]
    assert len(layers) == 2, layers  # its layer and its configuration
    assert len(kept(tmp_path)) == 1


def test_an_image_that_no_run_has_used_for_long_is_removed_after_one(
    tmp_path: Path, image: dict[str, Any]
) -> None:
    assert run_job(tmp_path, order(":", image=image)).code == 0
    [name] = kept(tmp_path)
    folder, day_s = tmp_path / "kqi" / "images", 86_400
    for old, days in (("sha256-aa-amd64", 40), ("sha256-bb-amd64", 20)):
        (folder / old / "root").mkdir(parents=True)
        then = time.time() - days * day_s
        for place in (folder / old / "used", folder / old):
            place.touch()
            os.utime(place, (then, then))
    left_over = folder / ".new-left"
    left_over.mkdir()
    os.utime(left_over, (1, 1))
    plain = run_job(
        tmp_path, order("echo ran", images_kept_s=30 * day_s), SLURM_JOB_ID="78"
    )
    assert plain.code == 0
    assert "are removed: 2" in plain.log
    assert kept(tmp_path) == sorted([name, "sha256-bb-amd64"])


def test_a_shell_into_the_run_is_in_its_image(
    tmp_path: Path, image: dict[str, Any]
) -> None:
    folder = tmp_path / "kqi" / "training" / "12"
    job = start(write_secret(tmp_path, order("sleep 30", image=image)), folder)
    try:
        until = time.monotonic() + 30
        while not _is_running(folder) and time.monotonic() < until:
            time.sleep(0.1)
        said = subprocess.run(
            [sys.executable, "-X", "utf8", "-m", "kqi_hub.runner.inside", str(folder),
             "/bin/bash", "-c", "cat /etc/os-release; pwd; echo $PATH"],
            cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert said.stdout.splitlines() == [
            "NAME=of-the-image",
            "/kqi/git",
            "/usr/bin:/of/the/image",
        ], said.stderr
    finally:
        job.terminate()
        job.communicate(timeout=60)


def _is_running(folder: Path) -> bool:
    try:
        told = json.loads((folder / "state.json").read_text())
    except (OSError, ValueError):
        return False
    return bool(told["phase"] == "running" and told["command_pid"])
