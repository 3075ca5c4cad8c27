"""services/session_secret: the file's text, as the runner reads it."""

import json

from kqi_hub.domain.notebook_ports import DatasetPlace, ServerSecrets
from kqi_hub.domain.notebooks import (
    Choices,
    NotebookRules,
    Repository,
    Session,
    Ui,
)
from kqi_hub.services.session_secret import secret_text

NASTY = "a\n\"'$(id)\u2028\U0001f600"


def test_everything_chosen_and_every_secret_is_in_it_and_survives_as_it_was() -> None:
    chosen = Choices(
        "try",
        "vision",
        "cpu",
        ui=Ui.NOTEBOOK,
        environment="torch",
        repository=Repository("https://git.example.org/a/b", "main"),
        variables=(("A", NASTY),),
        command=NASTY,
        lifetime_s=None,
        may_push=True,
    )
    session = Session(3, 12, "alice", "k" * 26, chosen, 1.0, 1.0)
    secrets = ServerSecrets({"JUPYTERHUB_API_TOKEN": "word"}, ("alice", NASTY))
    told = json.loads(secret_text(session, secrets, NotebookRules(), "https://p/12"))
    assert told["version"] == 1
    assert told["hub"] == {"JUPYTERHUB_API_TOKEN": "word"}
    assert told["git"] == {"user": "alice", "password": NASTY}
    notebook = told["notebook"]
    assert (notebook["id"], notebook["ui"], notebook["lifetime_s"]) == (
        12,
        "tree",
        None,
    )
    assert notebook["variables"] == {"A": NASTY}
    assert notebook["command"] == NASTY
    assert notebook["repository"]["ref"] == "main"
    assert notebook["may_push"] is True
    assert notebook["page"] == "https://p/12"


def test_without_repository_and_credentials_there_are_none() -> None:
    session = Session(
        3, 12, "alice", "k" * 26, Choices("try", "vision", "cpu"), 1.0, 1.0
    )
    told = json.loads(secret_text(session, ServerSecrets({}), NotebookRules(), "p"))
    assert told["git"] is None
    assert told["notebook"]["repository"] is None
    assert told["notebook"]["dataset"] is None
    assert told["notebook"]["may_push"] is False


def test_dataset_is_told_with_its_place() -> None:
    session = Session(
        3, 12, "alice", "k" * 26, Choices("try", "vision", "cpu", dataset=7), 1.0, 1.0
    )
    secrets = ServerSecrets({}, dataset=DatasetPlace(7, "/store/trees/x"))
    told = json.loads(secret_text(session, secrets, NotebookRules(), "p"))
    assert told["notebook"]["dataset"] == {"id": 7, "path": "/store/trees/x"}
    assert told["notebook"]["staging"] == "link"


def test_results_of_runs_are_told_with_their_places() -> None:
    chosen = Choices("try", "vision", "cpu", parents=(12, 15))
    session = Session(3, 12, "alice", "k" * 26, chosen, 1.0, 1.0)
    secrets = ServerSecrets({}, parents=((12, "/scratch/alice/kqi/x"), (15, "")))
    told = json.loads(secret_text(session, secrets, NotebookRules(), "p"))
    assert told["notebook"]["parents"] == [[12, "/scratch/alice/kqi/x"], [15, ""]]


def test_warning_of_a_short_session_is_the_one_that_slurm_gives() -> None:
    chosen = Choices("try", "vision", "cpu", lifetime_s=600)
    session = Session(3, 12, "alice", "k" * 26, chosen, 1.0, 1.0)
    rules = NotebookRules(end_warn_s=900)
    told = json.loads(secret_text(session, ServerSecrets({}), rules, "p"))
    assert told["notebook"]["end_warn_s"] == rules.warned_s(600) == 300
