"""The demos of a test module."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.demo.driver import Demo


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what cannot work here: the demo mounts and changes users."""
    if os.geteuid() != 0:
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="./demo needs root"))


@pytest.fixture(scope="module")
def new_demo(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], Demo]]:
    """Return a maker of demos; whatever a test leaves running is killed at the end."""
    made = []

    def make(name: str) -> Demo:
        demo = Demo(tmp_path_factory.mktemp("demo") / name)
        made.append(demo)
        return demo

    yield make
    for demo in made:
        if demo.folder.exists():
            demo("stop")
            supervisor = demo.status()["supervisor_pid"]
            if supervisor is not None:
                os.kill(supervisor, signal.SIGKILL)
