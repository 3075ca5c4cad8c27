"""An array of submitit's, by the peer's own interpreter, as the person.

    PEER_PYTHON submit_submitit.py FOLDER HOW_MANY QUEUE ACCOUNT

Prints the seconds from asking for it until submitit has the job's number, as JSON.
"""

import importlib
import json
import sys
import time


def main(folder: str, many: str, queue: str, account: str) -> None:
    """Submit; the import is not measured."""
    # It is installed only where the peer lives.
    submitit = importlib.import_module("submitit")
    executor = submitit.AutoExecutor(folder=folder, cluster="slurm")
    executor.update_parameters(
        timeout_min=10,
        mem_gb=0.1,
        slurm_partition=queue,
        slurm_account=account,
        slurm_array_parallelism=int(many),
    )
    began = time.monotonic()
    jobs = executor.map_array(abs, range(int(many)))
    took = time.monotonic() - began
    arrays = {job.job_id.partition("_")[0] for job in jobs}
    print(json.dumps({"seconds": took, "jobs": len(jobs), "arrays": len(arrays)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
