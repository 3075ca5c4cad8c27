"""The embedded cluster is what docs/developers/embedded-cluster.md says it is."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.cluster.portal_lab import Portal
from tests.cluster.slurm_jobs import (
    refusal,
    sacct,
    sbatch,
    scancel,
    squeue,
    wait_for_end,
    wait_for_state,
    wait_for_tres,
)
from tests.cluster.stack import Ran, Stack, run_as, wait_until

LONG = "sleep 300"


@pytest.fixture
def submitted() -> Iterator[list[int]]:
    """Return a list; jobs put on it are cancelled after the test."""
    jobs: list[int] = []
    yield jobs
    scancel(*jobs)
    for job in jobs:
        wait_for_state(job, "CANCELLED")


def _scontrol(*what: str) -> dict[str, str]:
    text = run_as("root", "scontrol", "-o", "show", *what).stdout
    return dict(word.split("=", 1) for word in text.split() if "=" in word)


def _config() -> dict[str, str]:
    lines = run_as("root", "scontrol", "show", "config").stdout.splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {name.strip(): value.strip() for name, value in pairs}


@pytest.mark.parametrize(
    ("node", "cores", "gres", "queue"),
    [
        ("jup01", "40", "gpu:v100:1,shard:v100:10", "jupyter"),
        ("jup02", "40", "gpu:v100:1,shard:v100:10", "jupyter"),
        ("v100-01", "40", "gpu:v100:4", "v100"),
        ("v100-02", "40", "gpu:v100:4", "v100"),
        ("a100-01", "64", "gpu:a100:8", "a100"),
        ("cpu01", "64", "(null)", "cpu"),
        ("cpu02", "64", "(null)", "cpu"),
    ],
)
def test_nodes_are_as_promised(node: str, cores: str, gres: str, queue: str) -> None:
    shown = _scontrol("node", node)
    assert (shown["CPUTot"], shown["Gres"], shown["Partitions"]) == (cores, gres, queue)


@pytest.mark.parametrize(
    ("queue", "promised"),
    [
        ("jupyter", {"Default": "YES", "OverSubscribe": "NO", "MaxTime": "08:00:00"}),
        ("v100", {"Default": "NO", "OverSubscribe": "EXCLUSIVE"}),
        ("a100", {"Default": "NO", "OverSubscribe": "EXCLUSIVE"}),
        ("cpu", {"Default": "NO", "OverSubscribe": "NO"}),
    ],
)
def test_queues_are_as_promised(queue: str, promised: dict[str, str]) -> None:
    shown = _scontrol("partition", queue)
    assert {key: shown[key] for key in promised} == promised
    is_free = queue == "jupyter"
    assert ("CPU=0," in shown["TRESBillingWeights"]) == is_free


def test_slurm_is_configured_as_promised() -> None:
    config = _config()
    assert config["AccountingStorageEnforce"] == "associations,limits,qos,safe"
    assert config["AccountingStoreFlags"] == "job_comment,job_env,job_script"
    assert config["AuthAltTypes"] == "auth/jwt"
    assert config["MinJobAge"] == "300 sec"
    assert config["SlurmUser"].startswith("slurm(")


def test_tenants_differ_in_what_they_may_use() -> None:
    shown = run_as(
        "root", "sacctmgr", "-n", "-P", "show", "assoc", "format=account,user,grptres"
    ).stdout.split()
    assert "vision||cpu=200,gres/gpu=12" in shown
    assert "nlp||cpu=80,gres/gpu=4" in shown
    members = {line.rsplit("|", 1)[0] for line in shown}
    assert members >= {
        "vision|alice", "nlp|alice", "nlp|bob", "vision|carol", "vision|dave",
        "vision|erin",
    }  # fmt: skip
    assert not {one for one in members if one.endswith("|kqi")}


@pytest.mark.parametrize("user", ["kqi", "nobody", "slurmrestd"])
def test_who_has_no_association_cannot_submit(user: str) -> None:
    assert "Invalid account or account/partition combination" in refusal(user)


@pytest.mark.parametrize(
    ("user", "options", "reason"),
    [
        ("bob", ["--account=vision"], "Invalid account or account/partition"),
        ("bob", ["--qos=high"], "Invalid qos specification"),
        ("alice", ["--qos=jupyter"], "Invalid qos specification"),
    ],
)
def test_a_person_gets_no_other_account_or_qos(
    user: str, options: list[str], reason: str
) -> None:
    assert reason in refusal(user, *options)


def test_a_job_runs_as_the_person_and_is_in_accounting_whole() -> None:
    job = sbatch("alice", "--comment=of the test", "-J", "whole", wrap="id -u; exit 3")
    assert wait_for_end(job) == "FAILED"
    # slurmdbd may hear of the end of a very short job before it hears of its name, and
    # for a moment it has a record without the exit code.
    wait_until(lambda: sacct(job, "jobname,exitcode") == "whole|3:0", 30)
    stored = sacct(job, "user,account,jobname,exitcode,comment,partition").split("|")
    assert stored == ["alice", "vision", "whole", "3:0", "of the test", "jupyter"]
    script = run_as("alice", "sacct", "-j", str(job), "--batch-script").stdout
    assert "id -u; exit 3" in script


def test_a_job_has_the_persons_groups_and_a_folder_inside() -> None:
    ran = run_as("alice", "srun", "-p", "cpu", "sh", "-c", "id; echo $TMPDIR; hostname")
    assert "uid=20001(alice) gid=20001(alice)" in ran.stdout
    assert "20100(kqi-users)" in ran.stdout
    assert "20102(nlp)" in ran.stdout
    assert ran.stdout.splitlines()[1:] == ["/var/tmp", "kqi-demo"]


def test_a_job_sees_the_gpus_that_it_got() -> None:
    ran = run_as("dave", "srun", "-p", "a100", "--gres=gpu:a100:2", "env")
    assert "CUDA_VISIBLE_DEVICES=0,1\n" in ran.stdout
    assert "SLURM_GPUS_ON_NODE=2\n" in ran.stdout


def test_an_exclusive_queue_gives_and_bills_whole_nodes(submitted: list[int]) -> None:
    first = sbatch("dave", "-p", "v100", "-w", "v100-01", wrap=LONG)
    second = sbatch("alice", "-p", "v100", "-w", "v100-01", wrap=LONG)
    submitted += [first, second]
    wait_for_state(first, "RUNNING")
    wait_until(lambda: squeue(second, "%T %r") == "PENDING Resources", 15)
    wait_for_tres(first, "gres/gpu=4")
    tres = dict(one.split("=") for one in sacct(first, "alloctres").split(","))
    assert (tres["cpu"], tres["gres/gpu"], tres["gres/gpu:v100"]) == ("40", "4", "4")
    assert int(tres["billing"]) >= 440


def test_a_shared_queue_takes_two_jobs_on_a_node(submitted: list[int]) -> None:
    submitted += [sbatch("alice", "-p", "cpu", "-w", "cpu01", wrap=LONG)]
    submitted += [sbatch("bob", "-p", "cpu", "-w", "cpu01", wrap=LONG)]
    for job in submitted:
        wait_for_state(job, "RUNNING")


def test_a_tenant_is_held_to_its_gpus(submitted: list[int]) -> None:
    submitted += [sbatch("bob", "-p", "v100", wrap=LONG)]
    wait_for_state(submitted[0], "RUNNING")
    submitted += [sbatch("bob", "-p", "v100", "--gres=gpu:1", wrap=LONG)]
    wait_until(
        lambda: squeue(submitted[1], "%r") in ("AssocGrpGRES", "AssocGrpGres"), 15
    )


def test_the_eleventh_notebook_on_a_node_waits(submitted: list[int]) -> None:
    for number in range(11):
        submitted.append(sbatch("alice", "-w", "jup02", "-J", f"nb{number}", wrap=LONG))
    for job in submitted[:10]:
        wait_for_state(job, "RUNNING")
    wait_until(lambda: squeue(submitted[10], "%T %r") == "PENDING Resources", 15)
    scancel(submitted[0])
    wait_for_state(submitted[10], "RUNNING")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--gres=shard:2"], "QOSMaxGRESPerJob"),
        (["--gres=gpu:1"], "QOSMaxGRESPerJob"),
        (["--gpus=1"], "QOSMaxGRESPerJob"),
        (["--partition=jupyter,cpu"], "QOSMinGRES"),
        (["--cpus-per-task=5"], "QOSMaxCpuPerJobLimit"),
    ],
)
def test_a_notebook_takes_one_place_and_no_more(
    options: list[str], reason: str
) -> None:
    assert reason in refusal("alice", *options)


def test_a_notebook_shares_its_nodes_gpu_for_nothing(submitted: list[int]) -> None:
    submitted += [sbatch("alice", wrap=LONG), sbatch("bob", wrap=LONG)]
    for job in submitted:
        wait_for_state(job, "RUNNING")
        wait_for_tres(job, "gres/shard=1")
        assert "billing" not in sacct(job, "alloctres")
    ran = run_as("alice", "srun", "env")
    assert "CUDA_VISIBLE_DEVICES=0\n" in ran.stdout


def _rest(stack: Stack, path: str, token: str | None) -> tuple[int, dict[str, object]]:
    connection = HTTPConnection("127.0.0.1", stack.ports["slurmrestd"], timeout=10)
    headers = {"X-SLURM-USER-NAME": "alice", "X-SLURM-USER-TOKEN": token or ""}
    connection.request("GET", path, headers=headers if token else {})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if answer.status == 200 else {}


def test_slurmrestd_answers_to_a_token_only(stack: Stack) -> None:
    token = run_as("alice", "scontrol", "token", "lifespan=60").stdout.strip()
    status, answer = _rest(
        stack, "/slurm/v0.0.38/nodes", token.removeprefix("SLURM_JWT=")
    )
    nodes = answer["nodes"]
    assert isinstance(nodes, list)
    assert (status, answer["errors"], len(nodes)) == (200, [], 7)
    assert _rest(stack, "/slurm/v0.0.38/nodes", None)[0] == 401
    status, answer = _rest(
        stack, "/slurmdb/v0.0.38/qos", token.removeprefix("SLURM_JWT=")
    )
    assert (status, answer["errors"]) == (200, [])


def test_slurmctld_comes_back_with_the_jobs_it_had(
    stack: Stack, submitted: list[int]
) -> None:
    submitted += [sbatch("alice", "-p", "cpu", wrap=LONG)]
    wait_for_state(submitted[0], "RUNNING")
    time.sleep(6)  # slurmctld writes its state down every five seconds
    before = stack.service("slurmctld")
    stack.kill("slurmctld")
    stack.wait_ready("slurmctld")
    after = stack.service("slurmctld")
    assert after["pid"] != before["pid"]
    assert after["deaths"] == before["deaths"] + 1
    wait_for_state(submitted[0], "RUNNING")


def test_a_held_service_stays_down_and_a_paused_one_is_silent(stack: Stack) -> None:
    stack.hold("slurmdbd")
    time.sleep(1.5)  # it would have been started again after half a second
    assert stack.service("slurmdbd")["state"] == "stopped"
    assert run_as("root", "sacct", "-n").returncode != 0
    stack.release("slurmdbd")
    stack.wait_ready("slurmdbd")
    stack.pause("slurmctld")
    stat = Path(f"/proc/{stack.service('slurmctld')['pid']}/stat")
    # A signal has been sent, and each of its threads stops when its turn comes.
    wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", 20)
    stack.resume("slurmctld")
    assert run_as("root", "scontrol", "ping").returncode == 0


def test_the_portals_list_shows_a_job_within_one_poll() -> None:
    job = sbatch("alice", "-J", "seen-by-the-worker", "--hold", wrap="true")
    Portal().wait_for_next_picture_with(job)
    listed = run_as("root", "kqi-hub", "jobs").stdout
    scancel(job)
    assert str(job) in listed


def test_the_service_user_reaches_the_door(as_user: Callable[..., Ran]) -> None:
    ran = as_user(
        "kqi", "sudo", "-n", "/usr/bin/python3", "-I",
        "/opt/kqi-hub/kqi_hub/runas/helper.py", "once",
        "--config", "/etc/kqi/runas.toml",
        input='{"verb": "make-scratch", "person": "alice", "arguments": {}}\n',
    )  # fmt: skip
    assert json.loads(ran.stdout)["exit_code"] == 0
    assert Path("/scratch/alice").stat().st_uid == 20001
    assert Path("/run/kqi/runas.sock").stat().st_uid == 0


def test_people_cannot_reach_what_is_the_portals(as_user: Callable[..., Ran]) -> None:
    for place in (
        "/etc/kqi/kqi.toml", "/etc/kqi/directory-password", "/var/lib/kqi/kqi.sqlite",
        "/opt/kqi-demo/people.json", "/etc/slurm/jwt_hs256.key", "/etc/munge/munge.key",
        "/etc/slurm/slurmdbd.conf", "/etc/ldap/kqi/server.key",
    ):  # fmt: skip
        assert as_user("alice", "test", "-r", place).returncode == 1, place
    assert as_user("alice", "sh", "-c", ": </run/kqi/runas.sock").returncode != 0


def test_the_code_cannot_be_changed_from_inside() -> None:
    tried = subprocess.run(
        ["touch", "/opt/kqi-hub/README.md"], capture_output=True, text=True, check=False
    )
    assert "Read-only file system" in tried.stderr
