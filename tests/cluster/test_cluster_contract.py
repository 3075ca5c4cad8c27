"""The real Slurm keeps to the contract of the port."""

import pytest

from tests.cluster.slurm_lab import only_inside, open_lab
from tests.contract.cluster_contract import ClusterContract, Lab

pytestmark = only_inside


@pytest.fixture
def lab() -> Lab:
    return open_lab()


class TestCliCluster(ClusterContract):
    """Slurm's own programs, and the privileged door."""
