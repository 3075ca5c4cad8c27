"""What `./test FAST` leaves out: tests that wait for real processes and servers."""

from pathlib import Path
from typing import Final

import pytest

_HERE: Final = Path(__file__).parent
_SLOW_FOLDERS: Final = (
    "adapters/auth",
    "adapters/runas",
    "adapters/worker",
    "browser",
    "cluster",
    "demo",
)


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "slow: left out by ./test FAST")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their folder, and those that start a PostgreSQL."""
    folders = [_HERE / folder for folder in _SLOW_FOLDERS]
    for item in items:
        in_slow_folder = any(folder in item.path.parents for folder in folders)
        if in_slow_folder or "postgresql" in item.nodeid:
            item.add_marker(pytest.mark.slow)
