"""What people at a terminal may ask for; each job must be readable.

One job that cannot be read would be no picture of the cluster for anybody.
"""

import pytest

from tests.cluster.slurm_jobs import scancel
from tests.cluster.slurm_lab import only_inside, open_cluster, sbatch_as_alice

pytestmark = only_inside

V100 = "--partition=v100"
# What is asked for, and the GPUs that the portal is to show while the job waits.
OPTIONS: list[tuple[tuple[str, ...], str]] = [
    ((V100, "--nodes=2", "--gres=gpu:1"), "gpu:2"),
    ((V100, "--nodes=1-2", "--gres=gpu:v100:2"), "gpu:v100:2"),
    ((V100, "--gpus=3"), "gpu:3"),
    ((V100, "--gpus=v100:1,a100:1"), "gpu:a100:1,gpu:v100:1"),
    ((V100, "--gpus-per-node=2"), "gpu:2"),
    ((V100, "--gpus-per-task=1", "--ntasks=3"), "gpu:3"),
    ((V100, "--gpus=4", "--mem-per-gpu=100", "--cpus-per-gpu=2"), "gpu:4"),
    (("--partition=jupyter",), "shard:1"),
    (("--partition=cpu,v100",), ""),
    (("--partition=cpu", "--time=0"), ""),
    (("--partition=cpu", "--time=UNLIMITED"), ""),
    (("--partition=cpu", "--time=1-0"), ""),
    (("--partition=cpu", "--array=1-5,9,20-40:3%2"), ""),
    (("--partition=cpu", f"--array={','.join(map(str, range(1, 999, 2)))}"), ""),
    (("--partition=cpu", "--dependency=singleton"), ""),
    (("--partition=cpu", "--dependency=afterok:1?afterany:2"), ""),
    (("--partition=cpu", "--begin=now+90days"), ""),
    (("--partition=cpu", "--deadline=now+1day"), ""),
    (("--partition=cpu", "--exclusive", "--mem=0"), ""),
    (("--partition=cpu", "--nice=100", "--requeue", "--comment="), ""),
    (("--partition=cpu", "--nodelist=cpu01", "--exclude=cpu02"), ""),
]


@pytest.mark.parametrize(("options", "gres"), OPTIONS)
async def test_a_job_is_read_whatever_it_asks_for(
    options: tuple[str, ...], gres: str
) -> None:
    always = ("--account=vision", "--hold", "--output=/dev/null", "--wrap=true")
    job_id = sbatch_as_alice(*options, *always)
    try:
        jobs = {job.job_id: job for job in await open_cluster().jobs()}
        job = jobs[job_id]
        assert (job.user, job.account, job.state) == ("alice", "vision", "PENDING")
        assert job.gres == gres
        assert job.cpus >= job.nodes >= 1
        assert job.partition == options[0].removeprefix("--partition=")
    finally:
        scancel(job_id)
