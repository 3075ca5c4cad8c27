"""Where people look at a commit, from the address that git clones."""

import re
from typing import Final
from urllib.parse import quote

from kqi_hub.domain.runs import Source

# https://host/group/one.git, ssh://git@host:22/group/one, git@host:group/one
_HTTP: Final = re.compile(r"https?://(?:[^/@]*@)?([\w.:\[\]-]+)/(.+)", re.ASCII)
_SSH: Final = re.compile(r"ssh://(?:[^/@]+@)?([\w.-]+)(?::\d+)?/(.+)", re.ASCII)
_SHORT: Final = re.compile(r"[\w.-]+@([\w.-]+):(?!/)(.+)", re.ASCII)
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


def commit_page(source: Source | None) -> str:
    """Return the address of a commit's page; empty where there can be none.

    GitLab and GitHub both lead from /commit/ to where they keep it.
    """
    if source is None or not _COMMIT.fullmatch(source.commit):
        return ""
    for shape in (_HTTP, _SSH, _SHORT):
        found = shape.fullmatch(source.url.strip())
        if found:
            path = quote(found[2].rstrip("/").removesuffix(".git"))
            scheme = "http" if source.url.startswith("http://") else "https"
            return f"{scheme}://{found[1]}/{path}/commit/{source.commit}"
    return ""
