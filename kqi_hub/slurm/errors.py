"""What Slurm's programs say on stderr, as errors that a caller can act on."""

import re
from typing import Final

from kqi_hub.domain.errors import (
    ClusterError,
    ClusterRefused,
    ClusterTimedOut,
    ClusterUnreachable,
    NoSuchJob,
    NotYourJob,
)
from kqi_hub.slurm.sayings import Cause, find_saying

LONGEST_REASON: Final = 600
# `sbatch: error: Batch job submission failed: …` leaves only what was said.
_PREFIX: Final = re.compile(
    r"^(?:s[a-z]+: )?(?:error: |fatal: )?(?:Batch job submission failed: )?"
)


def slurm_words(stderr: str) -> str:
    """Return what Slurm said, in one line, without its programs' names."""
    lines = (_PREFIX.sub("", line.strip()) for line in stderr.splitlines())
    said = "; ".join(dict.fromkeys(line.rstrip(".;") for line in lines if line))
    return "".join(c if c.isprintable() else "?" for c in said[:LONGEST_REASON])


def reading_error(program: str, stderr: str) -> ClusterError:
    """Return the error for a program that was to tell something."""
    saying, said = find_saying(stderr), slurm_words(stderr)
    if saying.cause is Cause.UNCERTAIN:
        return ClusterTimedOut(f"Slurm did not answer {program}: {said}.", saying.hint)
    if saying.cause is Cause.UNREACHABLE:
        return ClusterUnreachable(f"{program} cannot reach Slurm: {said}.", saying.hint)
    return ClusterError(
        f"{program} failed: {said or 'it did not say why'}.", saying.hint
    )


def control_error(deed: str, stderr: str) -> ClusterError:
    """Return the error for a deed, such as `submit job x`, that was not done."""
    saying, said = find_saying(stderr), slurm_words(stderr)
    match saying.cause:
        case Cause.UNCERTAIN:
            return uncertain_error(deed, said)
        case Cause.UNREACHABLE:
            return ClusterUnreachable(
                f"Slurm cannot be reached to {deed}: {said}.",
                f"Nothing was done. {saying.hint}",
            )
        case Cause.NOT_YOURS:
            return NotYourJob(
                f"Slurm does not let you {deed}: {said}.",
                "Only its owner and operators may.",
            )
        case Cause.NO_SUCH_JOB:
            return NoSuchJob(
                f"Slurm cannot {deed}: {said}.", "It may have ended a while ago."
            )
        case Cause.REFUSED:
            said = said or "no reason given"
            return refused_error(deed, said, saying.hint)


def uncertain_error(deed: str, said: str) -> ClusterTimedOut:
    """Return the error for a deed of which nobody knows whether it was done."""
    return ClusterTimedOut(
        f"Slurm did not answer in time to {deed}: {said}.",
        "It may have been done all the same: look before you try again.",
    )


def refused_error(deed: str, reason: str, hint: str) -> ClusterRefused:
    """Return the error for a deed that Slurm does not want to do."""
    return ClusterRefused(f"Slurm refused to {deed}: {reason}.", hint, reason)


def unreadable(program: str, detail: str) -> ClusterError:
    """Return the error for an answer that cannot be read, so that none is made up."""
    return ClusterError(
        f"The answer of {program} cannot be read: {detail}.",
        "Please report it together with the output of `sinfo --version`.",
    )
