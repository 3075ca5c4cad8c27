"""The source of a run: a repository at one commit, cloned into the run's folder."""

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from kqi_hub.runner.programs import run
from kqi_hub.runner.repository import (
    TIMEOUT_S,
    CloneFailed,
    Source,
    credentials_helper,
    git_environment,
    refuse_options,
    without_password,
)

_WHOLE_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)
# Certificates are checked, whatever the person's login files say.
_TLS: Final = ("-c", "http.sslVerify=true")


def clone_source(
    source: Source,
    target: Path,
    environment: Mapping[str, str],
    say: Callable[[str], None],
) -> None:
    """Put the source into a folder, which is replaced; CloneFailed when it cannot be.

    What lies in the folder from an earlier job that broke off goes away.
    """
    refuse_options(source)
    shown, begun = without_password(source.url), time.monotonic()
    say(f"Cloning {shown} at {source.ref or 'its default branch'}.")
    half = Path(tempfile.mkdtemp(prefix=".git-", dir=target.parent))
    try:
        with credentials_helper(source) as options:
            _bring(source, half, [*_TLS, *options], environment)
        shutil.rmtree(target, ignore_errors=True)
        half.rename(target)
    except OSError as error:
        raise CloneFailed(f"{shown}: {error}") from error
    finally:
        shutil.rmtree(half, ignore_errors=True)
    say(f"Cloned in {time.monotonic() - begun:.1f} s.")


def _bring(
    source: Source, half: Path, options: list[str], environment: Mapping[str, str]
) -> None:
    plain = {
        name: value
        for name, value in environment.items()
        if name not in ("GIT_SSL_NO_VERIFY", "GIT_DIR", "GIT_WORK_TREE")
    }

    def git(*words: str) -> bool:
        argv = ["git", *options, "-C", str(half), *words]
        try:
            return run(argv, half, plain | git_environment(source), TIMEOUT_S) == 0
        except subprocess.TimeoutExpired as error:
            raise CloneFailed(f"it took more than {TIMEOUT_S:.0f} s") from error

    shown = without_password(source.url)
    if not git("clone", "--quiet", "--no-checkout", "--", source.url, str(half)):
        raise CloneFailed(f"{shown} could not be cloned; Git's reason is in the log")
    if not _checked_out(source.ref, git):
        raise CloneFailed(f"{shown} has no branch, tag or commit {source.ref!r}")
    if (half / ".gitmodules").exists() and not git(
        "submodule", "--quiet", "update", "--init", "--recursive"
    ):
        raise CloneFailed(f"the submodules of {shown} could not be brought")


def _checked_out(ref: str, git: Callable[..., bool]) -> bool:
    """Check a commit out, or else what is called so: a branch, a tag."""
    if not ref:
        return git("checkout", "--quiet")
    if _WHOLE_COMMIT.fullmatch(ref):
        # A whole commit is never looked for among branches, which anybody may name so.
        if not git("cat-file", "-e", f"{ref}^{{commit}}"):
            git("fetch", "--quiet", "origin", ref)  # one that no branch leads to
        return git("checkout", "--quiet", "--detach", ref)
    return any(
        git("rev-parse", "--quiet", "--verify", f"{place}{ref}^{{commit}}")
        and git("checkout", "--quiet", "--detach", f"{place}{ref}")
        for place in ("refs/remotes/origin/", "refs/tags/")
    )
