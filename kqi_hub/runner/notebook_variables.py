"""What programs of a notebook are told of it, whatever a person has set (KX-49)."""

from collections.abc import Mapping
from importlib.metadata import version

from kqi_hub import __version__
from kqi_hub.runner.order import Order


def control_variables(order: Order) -> Mapping[str, str]:
    """Return the variables that nobody overrides; names as those of runs."""
    url = order.repository[0] if order.repository else ""
    return {
        "NOTEBOOK_ID": str(order.notebook_id),
        "DATASET_ID": str(order.dataset[0]) if order.dataset else "",
        "PARENT_ID": ",".join(str(number) for number, _ in order.parents),
        "MODEL_REPOSITORY": url,
        "MODEL_REPOSITORY_URL": url,
        "LOCAL_DATASET": "true" if order.copies else "false",
        # From the start on, in seconds; without a limit of its own it is the queue's.
        "EXPIRES_IN": "infinity" if order.lifetime_s is None else str(order.lifetime_s),
        "JUPYTERLAB_VERSION": version("jupyterlab"),
        "KQI_VERSION": __version__,
    }
