"""What programs of a notebook are told of it."""

from pathlib import Path

from kqi_hub import __version__
from kqi_hub.runner.notebook_variables import control_variables
from kqi_hub.runner.order import Order

PLAIN = Order(Path("/scratch/mia"), {}, 12, "study", "/notebooks/12")


def test_of_a_plain_notebook_there_is_its_number_and_no_end() -> None:
    told = control_variables(PLAIN)
    assert told["NOTEBOOK_ID"] == "12"
    assert told["EXPIRES_IN"] == "infinity"
    assert told["KQI_VERSION"] == __version__
    assert told["JUPYTERLAB_VERSION"].split(".")[0].isdecimal()
    assert (told["DATASET_ID"], told["PARENT_ID"], told["MODEL_REPOSITORY"]) == (
        "", "", "",
    )  # fmt: skip
    assert told["LOCAL_DATASET"] == "false"


def test_what_was_chosen_is_there_and_nothing_secret() -> None:
    told = control_variables(
        Order(
            Path("/scratch/mia"), {"JUPYTERHUB_API_TOKEN": "t0ken"}, 12, "study", "/",
            repository=("https://git.example.org/a.git", "main"), git=("mia", "s3cret"),
            dataset=(3, "/data/3"), parents=((4, "/r/4"), (5, "/r/5")), copies=True,
            lifetime_s=3600,
        )
    )  # fmt: skip
    assert told["DATASET_ID"] == "3"
    assert told["PARENT_ID"] == "4,5"
    assert told["MODEL_REPOSITORY_URL"] == "https://git.example.org/a.git"
    assert told["LOCAL_DATASET"] == "true"
    assert told["EXPIRES_IN"] == "3600"
    assert not {"t0ken", "s3cret"} & set(told.values())
