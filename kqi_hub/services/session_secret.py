"""The file that tells a job what was chosen for its notebook, and its secrets."""

import json

from kqi_hub.domain.notebook_ports import ServerSecrets
from kqi_hub.domain.notebooks import NotebookRules, Session

VERSION = 1


def secret_text(
    session: Session, secrets: ServerSecrets, rules: NotebookRules, page: str
) -> str:
    """Return the file's text; the runner in the job reads it (kqi_hub/runner)."""
    chosen, repository = session.chosen, session.chosen.repository
    git = None
    if secrets.git is not None:
        user, password = secrets.git
        git = {"user": user, "password": password}
    dataset = secrets.dataset
    notebook = {
        "id": session.notebook_id,
        "name": chosen.name,
        "page": page,
        "ui": chosen.ui.value,
        "environment": chosen.environment,
        "repository": None
        if repository is None
        else {"url": repository.url, "ref": repository.ref},
        "variables": dict(chosen.variables),
        "command": chosen.command,
        "may_push": chosen.may_push,
        "dataset": dataset and {"id": dataset.dataset_id, "path": dataset.path},
        "staging": chosen.staging.value,
        "parents": [list(one) for one in secrets.parents],
        "lifetime_s": chosen.lifetime_s,
        "idle_stop_s": rules.idle_stop_s,
        "idle_warn_s": rules.idle_warn_s,
        "end_warn_s": rules.warned_s(chosen.lifetime_s),
    }
    told = {
        "version": VERSION,
        "hub": dict(secrets.hub),
        "git": git,
        "notebook": notebook,
    }
    return json.dumps(told)
