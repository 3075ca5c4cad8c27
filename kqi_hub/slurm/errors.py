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
from kqi_hub.domain.phrase import Phrase
from kqi_hub.i18n import N_
from kqi_hub.slurm.sayings import Cause, find_saying

LONGEST_REASON: Final = 600
LOOK_FIRST: Final = N_("It may have been done all the same: look before you try again.")
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
        return ClusterTimedOut(
            "Slurm did not answer {program}: {said}.",
            saying.hint,
            program=program,
            said=said,
        )
    if saying.cause is Cause.UNREACHABLE:
        return ClusterUnreachable(
            "{program} cannot reach Slurm: {said}.",
            saying.hint,
            program=program,
            said=said,
        )
    return ClusterError(
        "{program} failed: {said}.",
        saying.hint,
        program=program,
        said=said or Phrase("it did not say why"),
    )


def control_error(deed: Phrase, stderr: str) -> ClusterError:
    """Return the error for a deed, such as `submit job x`, that was not done."""
    saying, said = find_saying(stderr), slurm_words(stderr)
    match saying.cause:
        case Cause.UNCERTAIN:
            return uncertain_error(deed, said)
        case Cause.UNREACHABLE:
            return ClusterUnreachable(
                "Slurm cannot be reached to {deed}: {said}.",
                "Nothing was done. {advice}",
                deed=deed,
                said=said,
                advice=Phrase(saying.hint),
            )
        case Cause.NOT_YOURS:
            return NotYourJob(
                "Slurm does not let you {deed}: {said}.",
                "Only its owner and operators may.",
                deed=deed,
                said=said,
            )
        case Cause.NO_SUCH_JOB:
            return NoSuchJob(
                "Slurm cannot {deed}: {said}.",
                "It may have ended a while ago.",
                deed=deed,
                said=said,
            )
        case Cause.REFUSED:
            return refused_error(deed, said, saying.hint)


def uncertain_error(deed: Phrase, said: str | Phrase) -> ClusterTimedOut:
    """Return the error for a deed of which nobody knows whether it was done."""
    return ClusterTimedOut(
        "Slurm did not answer in time to {deed}: {said}.",
        LOOK_FIRST,
        deed=deed,
        said=said,
    )


def refused_error(deed: Phrase, reason: str, hint: str) -> ClusterRefused:
    """Return the error for a deed that Slurm does not want to do."""
    said = reason or Phrase("no reason given")
    return ClusterRefused(
        "Slurm refused to {deed}: {said}.", hint, str(said), deed=deed, said=said
    )


def unreadable(program: str, detail: str | Phrase) -> ClusterError:
    """Return the error for an answer that cannot be read, so that none is made up."""
    return ClusterError(
        "The answer of {program} cannot be read: {detail}.",
        "Please report it together with the output of `sinfo --version`.",
        program=program,
        detail=detail,
    )
