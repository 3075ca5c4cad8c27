"""Threads for files, apart from those of logs: a slow folder holds no log up."""

from concurrent.futures import ThreadPoolExecutor
from typing import Final

from kqi_hub.agent.files.places import Roots

_THREADS: Final = 6


class Workers:
    """What all routes of files share."""

    def __init__(self, roots: Roots) -> None:
        self.roots = roots
        self.threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="files")

    def close(self) -> None:
        """Begin nothing more."""
        self.threads.shutdown(wait=False, cancel_futures=True)
