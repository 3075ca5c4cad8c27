"""The sbatch scripts of runs, and the orders that go with them."""

import json
import re
import subprocess
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.notebooks import Shape, Staging
from kqi_hub.domain.runs import Parent, Run, RunKind, RunSpec, RunState, Source
from kqi_hub.slurm.run_order import RunNeeds, RunTask, run_order
from kqi_hub.slurm.run_script import (
    RunPlace,
    log_path,
    order_path,
    output_folder,
    run_script,
)
from tests.unit.slurm.test_notebook_script import HOSTILE, directives

KEY = "abcdefghijklmnopqrstuvwx27"
PLACE = RunPlace("/scratch", "/opt/kqi/bin/python", "http://hub/services/portal/")
SPEC = RunSpec(
    "first",
    "vision",
    "gpu",
    "python train.py",
    Shape(cpus=2, memory_mb=2048, gpus=1, gpu_type="v100"),
    lifetime_s=3601,
)
RUN = Run(
    12, RunKind.TRAINING, "alice", KEY, SPEC, RunState.ASKED, 1, 1, folder="training/12"
)
MANY = replace(
    RUN,
    kind=RunKind.PREPROCESSING,
    batch=7,
    task=0,
    folder="preprocessing/12",
    preprocessing=3,
)


def choosing(**changes: Any) -> Run:
    return replace(RUN, spec=replace(SPEC, **changes))


def shaped(**changes: Any) -> Run:
    return choosing(shape=replace(SPEC.shape, **changes))


def told(run: Run = RUN, **needs: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run_order(run, PLACE, RunNeeds(**needs)))
    return found


def test_script_has_exactly_the_directives_that_were_asked_for() -> None:
    script = run_script(RUN, PLACE)
    assert directives(script.text) == {
        "job-name": f"training-12-{KEY}",
        "partition": "gpu",
        "account": "vision",
        "nodes": "1",
        "ntasks": "1",
        "cpus-per-task": "2",
        "mem": "2048M",
        "gres": "gpu:v100:1",
        "time": "61",
        "output": "/scratch/alice/log/%j.log",
        "open-mode": "append",
        "no-requeue": "",
        "signal": "B:USR1@600",
    }
    assert (script.name, script.chdir) == (RUN.job_name, "/scratch/alice")


def test_array_differs_by_its_name_its_tasks_and_its_logs() -> None:
    one, many = run_script(replace(MANY, batch=None), PLACE), run_script(MANY, PLACE, 3)
    first, other = directives(one.text), directives(many.text)
    assert {key: other[key] for key in other if other[key] != first.get(key)} == {
        "job-name": f"preprocessings-7-{KEY}",
        "array": "0-2",
        "output": "/scratch/alice/log/%A_%a.log",
    }


@pytest.mark.parametrize(("run", "tasks"), [(RUN, 0), (MANY, 1000)])
def test_script_ends_by_becoming_the_runner(run: Run, tasks: int) -> None:
    assert run_script(run, PLACE, tasks).text.splitlines()[-1] == (
        "exec /opt/kqi/bin/python -I -X utf8 -m kqi_hub.runner.run "
        f"/scratch/alice/kqi/secrets/{run.job_name} /scratch/alice/kqi/{run.folder}"
    )


@pytest.mark.parametrize(("run", "tasks"), [(RUN, 0), (MANY, 20)])
def test_script_is_plain_ascii_that_bash_takes(run: Run, tasks: int) -> None:
    text = run_script(run, PLACE, tasks).text
    assert text.isascii()
    assert "{{" not in text
    assert subprocess.run(["bash", "-n"], input=text.encode()).returncode == 0


def test_the_shapes_that_were_not_asked_for_have_no_line() -> None:
    assert "gres" not in directives(run_script(shaped(gpus=0), PLACE).text)


FREELY = st.text().filter(lambda text: "\0" not in text)


@given(text=FREELY | st.sampled_from(HOSTILE))
def test_nothing_that_a_person_typed_freely_is_in_the_script(text: str) -> None:
    run = choosing(
        name=text,
        command=f"{text}\n#SBATCH --uid=root",
        environment=text,
        source=Source(text, text, text),
        variables=((text, text),),
        memo=f"{text}\n#SBATCH --uid=root",
        tags=(text,),
    )
    assert run_script(run, PLACE) == run_script(RUN, PLACE)


@given(command=FREELY, name=FREELY, value=FREELY)
def test_order_has_what_was_typed_to_the_letter(
    command: str, name: str, value: str
) -> None:
    found = told(choosing(command=command, variables=((name, value),)))
    assert found["run"]["command"] == command
    assert found["run"]["variables"] == {name: value}


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("field", ["queue", "tenant"])
def test_hostile_queue_or_tenant_is_refused(field: str, value: str) -> None:
    with pytest.raises(InvalidInput, match="run cannot be submitted"):
        run_script(choosing(**{field: value}), PLACE)


@pytest.mark.parametrize("value", [one for one in HOSTILE if one])
def test_hostile_kind_of_gpu_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="the kind of GPU"):
        run_script(shaped(gpu_type=value), PLACE)


@pytest.mark.parametrize("value", [*HOSTILE, "training/12/..", "training/0", "a/1"])
def test_hostile_folder_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="the run's folder"):
        run_script(replace(RUN, folder=value), PLACE)


@pytest.mark.parametrize("value", [*HOSTILE, "Alice", "..", "."])
def test_hostile_owner_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match=r"the owner|the folder"):
        run_script(replace(RUN, owner=value), PLACE)


@pytest.mark.parametrize("value", [*HOSTILE, "ABCDEFGHIJKLMNOPQRSTUVWX27", "a" * 25])
def test_hostile_key_is_refused(value: str) -> None:
    with pytest.raises(InvalidInput, match="the job's name"):
        order_path(replace(RUN, key=value), PLACE)


@pytest.mark.parametrize("tasks", [-1, True, 2**31])
def test_what_is_no_number_of_tasks_is_refused(tasks: int) -> None:
    with pytest.raises(InvalidInput, match="the number of tasks"):
        run_script(MANY, PLACE, tasks)


def test_order_names_everything_that_the_job_works_with() -> None:
    parent = replace(RUN, id=9, folder="training/9.77")
    run = choosing(
        source=Source("https://git/x.git", "main", "a" * 40),
        dataset=5,
        staging=Staging.COPY,
        parents=(Parent(RunKind.TRAINING, 9),),
        ports=(6006,),
    )
    found = told(run, dataset_path="/data/5", parents=(parent,), git=("me", "pw"))
    assert found["dataset"] == {"id": 5, "path": "/data/5"}
    assert found["git"] == {"user": "me", "password": "pw"}
    assert found["parents"] == [
        {
            "kind": "training",
            "id": 9,
            "path": "/scratch/alice/kqi/training/9.77/output",
        }
    ]
    assert found["source"]["commit"] == "a" * 40
    assert found["run"]["staging"] == "copy"
    assert (
        found["control"]
        | {
            "TRAINING_ID": "12",
            "DATASET_ID": "5",
            "PARENT_ID": "9",
            "COMMIT_ID": "a" * 40,
            "LOCAL_DATASET": "true",
            "ZIP_FILE_CREATED": "true",
        }
        == (found["control"])
    )


def test_without_gpus_none_are_seen_and_with_them_nothing_is_said() -> None:
    assert told(shaped(gpus=0))["control"]["CUDA_VISIBLE_DEVICES"] == ""
    assert "CUDA_VISIBLE_DEVICES" not in told()["control"]


def test_tasks_of_an_array_are_told_with_their_folders() -> None:
    other = replace(MANY, id=13, task=1, data=41, folder="preprocessing/13")
    found = told(MANY, tasks=(RunTask(other, "photos", "/data/41", ("a", "b")),))
    assert found["control"]["PREPROCESSING_ID"] == "3"
    assert found["tasks"] == [
        {
            "run": 13,
            "data": 41,
            "name": "photos",
            "path": "/data/41",
            "folder": "/scratch/alice/kqi/preprocessing/13",
            "tags": ["a", "b"],
        }
    ]


def test_secrets_are_not_in_the_representation_of_what_a_run_needs() -> None:
    shown = repr(RunNeeds(git=("me", "the-password"), ticket="the-ticket"))
    assert not re.search("the-password|the-ticket", shown)


def test_a_ticket_is_in_the_order_alone_and_kqi_finds_the_site_and_the_tenant() -> None:
    place = replace(PLACE, hands_out_tokens=True, ca_file="/etc/ssl/site.pem")
    order = json.loads(run_order(RUN, place, RunNeeds(ticket="the-ticket")))
    assert order["token"] == {"ticket": "the-ticket", "ca_file": "/etc/ssl/site.pem"}
    control = order["control"]
    assert control["KQI_SERVER"] == "http://hub/"
    assert control["KQI_TENANT"] == "vision"
    assert control["KQI_TOKEN"] == ""
    assert control["KQI_CA_FILE"] == "/etc/ssl/site.pem"
    assert "the-ticket" not in run_script(RUN, place).text
    assert told(ticket="the-ticket")["token"] is None


def test_log_and_output_are_where_slurm_and_the_runner_write_them() -> None:
    assert log_path(RUN, PLACE) == ""
    assert log_path(replace(MANY, job_id=5), PLACE) == "/scratch/alice/log/5_0.log"
    assert output_folder(RUN, PLACE) == "/scratch/alice/kqi/training/12/output"
