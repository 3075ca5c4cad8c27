"""The order of a run's job: what the runner inside it is told, as JSON.

Everything that a person typed freely travels here, in a file of mode 0600, and never
in the script. The runner reads it: kqi_hub/runner/run_order.py.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kqi_hub import __version__
from kqi_hub.domain.images import ImagePlace
from kqi_hub.domain.notebooks import Staging
from kqi_hub.domain.runs import Run, RunKind
from kqi_hub.slurm.run_script import RunPlace, output_folder, run_folder

VERSION: Final = 1
_NUMBERED: Final = {
    RunKind.TRAINING: "TRAINING_ID",
    RunKind.INFERENCE: "INFERENCE_ID",
    RunKind.PREPROCESSING: "PREPROCESSING_ID",
}
# Where Slurm does not fence devices off, no GPU asked for is none seen (KX-48).
_NO_GPU: Final = {
    "CUDA_VISIBLE_DEVICES": "",
    "NVIDIA_VISIBLE_DEVICES": "none",
    "ROCR_VISIBLE_DEVICES": "",
}


@dataclass(frozen=True, slots=True)
class RunTask:
    """One task of an array: its run, and the item of data that it works on."""

    run: Run
    data_name: str
    path: str  # where the item lies, as compute nodes see it
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunNeeds:
    """What a run works with, found when it is submitted."""

    dataset_path: str = ""
    parents: tuple[Run, ...] = ()
    git: tuple[str, str] | None = field(default=None, repr=False)  # user, password
    ticket: str = field(default="", repr=False)  # fetches a token for the portal's API
    tasks: tuple[RunTask, ...] = ()
    image: ImagePlace | None = None


_NOTHING: Final = RunNeeds()


def run_order(run: Run, place: RunPlace, needs: RunNeeds = _NOTHING) -> str:
    """Return the text of the file of `order_path`."""
    spec, git = run.spec, needs.git
    told = {
        "version": VERSION,
        "run": _run(run, place),
        "source": spec.source
        and {
            "url": spec.source.url,
            "ref": spec.source.ref,
            "commit": spec.source.commit,
        },
        "git": git and {"user": git[0], "password": git[1]},
        "image": needs.image and _image(needs.image),
        "images_kept_s": place.images_kept_s,
        "dataset": spec.dataset and {"id": spec.dataset, "path": needs.dataset_path},
        "parents": [
            {"kind": one.kind, "id": one.id, "path": output_folder(one, place)}
            for one in needs.parents
        ],
        "control": control_variables(run, place, needs),
        "defaults": dict(place.defaults),
        "tasks": [_task(one, place) for one in needs.tasks],
        "server": place.portal_url,
        "token": _token(place, needs),
    }
    return json.dumps(told)


def control_variables(run: Run, place: RunPlace, needs: RunNeeds) -> Mapping[str, str]:
    """Return the variables that nobody overrides (K-104, K-105, KX-49).

    The runner adds those that the order says elsewhere: command, Git's token, task.
    """
    spec, source = run.spec, run.spec.source
    url, commit = (source.url, source.commit) if source else ("", "")
    number = run.preprocessing if run.preprocessing is not None else run.id
    return {
        _NUMBERED[run.kind]: str(number),
        "DATASET_ID": str(spec.dataset or ""),
        "PARENT_ID": ",".join(str(one.id) for one in needs.parents),
        "MODEL_REPOSITORY": url,
        "MODEL_REPOSITORY_URL": url,
        "COMMIT_ID": commit,
        "LOCAL_DATASET": _word(spec.staging is Staging.COPY),
        "ZIP_FILE_CREATED": _word(spec.zip),
        "KQI_SERVER": place.site_url,
        "KQI_TENANT": spec.tenant,
        # The runner fetches it, if the site hands tokens out.
        "KQI_TOKEN": "",
        "KQI_VERSION": __version__,
        # Read by `kqi`; empty: what the node knows vouches for the site.
        "KQI_CA_FILE": place.ca_file,
    } | ({} if spec.shape.gpus else _NO_GPU)


def _run(run: Run, place: RunPlace) -> Mapping[str, Any]:
    spec = run.spec
    return {
        "id": run.id,
        "kind": run.kind,
        "name": spec.name,
        "job_name": run.job_name,
        "tenant": spec.tenant,
        "folder": run_folder(run, place),
        "command": spec.command,
        "environment": spec.environment,
        "zip": spec.zip,
        "staging": spec.staging,
        "ports": list(spec.ports),
        "variables": dict(spec.variables),
        "lifetime_s": spec.lifetime_s,
    }


def _token(place: RunPlace, needs: RunNeeds) -> Mapping[str, str] | None:
    """Say how the job gets a token; None where the site hands none out."""
    if not place.hands_out_tokens:
        return None
    return {"ticket": needs.ticket, "ca_file": place.ca_file}


def _image(place: ImagePlace) -> Mapping[str, Any]:
    secret = place.secret
    return {
        "name": str(place.name),
        "digest": place.name.digest,
        "url": place.url,
        "repository": place.name.path,
        "user": secret.user_name if secret else "",
        "password": secret.value if secret else "",
        "ca_file": place.ca_file,
    }


def _task(task: RunTask, place: RunPlace) -> Mapping[str, Any]:
    return {
        "run": task.run.id,
        "data": task.run.data,
        "name": task.data_name,
        "path": task.path,
        "folder": run_folder(task.run, place),
        "tags": list(task.tags),
    }


def _word(flag: bool) -> str:
    return "true" if flag else "false"
