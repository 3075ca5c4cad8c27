"""What Slurm's programs say on stderr, and what it means.

Their exit statuses hardly tell anything (1 for nearly all, 140 or 210 for some): only
their English text does. Each row was seen on a real cluster or read in Slurm's sources;
text that no row knows is a refusal in Slurm's own words.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from kqi_hub.i18n import N_


class Cause(Enum):
    """Why Slurm did not do or tell what it was asked."""

    UNCERTAIN = auto()
    UNREACHABLE = auto()
    NOT_YOURS = auto()
    NO_SUCH_JOB = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Saying:
    """A piece of Slurm's text, what it means, and what a person can do."""

    text: str
    cause: Cause
    hint: str = ""


_LATER: Final = N_("Try again in a minute; if it stays so, an operator must look.")
_CONTROLLER: Final = N_(
    "An operator must see that slurmctld runs and that this machine reaches it: "
    "`scontrol ping`."
)
_MUNGE: Final = N_("An operator must see that munged runs here and on the controller.")
_DATABASE: Final = N_(
    "An operator must see that slurmdbd runs: `sacctmgr show cluster`."
)
_ACCOUNT: Final = N_(
    "Your account may not be used there. Choose another tenant or queue, "
    "or ask an operator for an association."
)
_LIMIT: Final = N_(
    "A limit of your account or of this quality of service is reached. Wait until "
    "jobs of yours have ended, ask for less, or ask an operator to raise it."
)
_LESS: Final = N_(
    "No node of this queue has that much. Ask for fewer GPUs, CPUs or less memory, "
    "or choose another queue."
)
_TIME: Final = N_("Ask for a shorter time; each queue shows its longest.")
_SCRIPT: Final = N_(
    "Save the script with #! first and with Unix line ends, without NUL."
)

# In order of weight: when a program reports on many jobs, the first that fits decides.
SAYINGS: Final = (
    Saying("Socket timed out", Cause.UNCERTAIN, _LATER),
    # What scontrol of 22.05 says of an update that got no answer, or no connection.
    Saying("Unexpected message received", Cause.UNCERTAIN, _LATER),
    Saying("Zero Bytes were transmitted", Cause.UNCERTAIN, _LATER),
    Saying("Message receive failure", Cause.UNCERTAIN, _LATER),
    Saying("Message send failure", Cause.UNCERTAIN, _LATER),
    Saying("Connection timed out", Cause.UNCERTAIN, _LATER),
    # slurmctld was killed while it was being told.
    Saying("missing socket error", Cause.UNCERTAIN, _LATER),
    Saying("Connection reset by peer", Cause.UNCERTAIN, _LATER),
    Saying("No response to persist_init", Cause.UNCERTAIN, _DATABASE),
    Saying("Unable to contact slurm controller", Cause.UNREACHABLE, _CONTROLLER),
    Saying("backup controller in standby", Cause.UNREACHABLE, _CONTROLLER),
    Saying("controller not initialized", Cause.UNREACHABLE, _CONTROLLER),
    Saying("Communication connection failure", Cause.UNREACHABLE, _CONTROLLER),
    Saying("Munge encode failed", Cause.UNREACHABLE, _MUNGE),
    Saying("Munge decode failed", Cause.UNREACHABLE, _MUNGE),
    Saying("Protocol authentication error", Cause.UNREACHABLE, _MUNGE),
    Saying("Invalid authentication credential", Cause.UNREACHABLE, _MUNGE),
    Saying(
        "Could not establish a configuration source",
        Cause.UNREACHABLE,
        N_("Slurm finds no slurm.conf: set cluster.slurm_conf in the settings."),
    ),
    Saying("Problem talking to the database", Cause.UNREACHABLE, _DATABASE),
    Saying("persist_conn_open", Cause.UNREACHABLE, _DATABASE),
    Saying("Sending PersistInit msg", Cause.UNREACHABLE, _DATABASE),
    Saying("Access/permission denied", Cause.NOT_YOURS),
    Saying("Invalid user id for job", Cause.NOT_YOURS),
    Saying("Invalid job id", Cause.NO_SUCH_JOB),
    Saying(
        "Invalid partition name specified", Cause.REFUSED, N_("Choose another queue.")
    ),
    Saying("Invalid account or account/partition combination", Cause.REFUSED, _ACCOUNT),
    Saying("Invalid qos", Cause.REFUSED, N_("Choose a QOS that your account may use.")),
    Saying("violates accounting/QOS policy", Cause.REFUSED, _LIMIT),
    Saying("Memory specification can not be satisfied", Cause.REFUSED, _LESS),
    Saying("Requested node configuration is not available", Cause.REFUSED, _LESS),
    Saying("More processors requested than permitted", Cause.REFUSED, _LESS),
    Saying("Node count specification invalid", Cause.REFUSED, _LESS),
    Saying("Invalid generic resource", Cause.REFUSED, _LESS),
    Saying("Requested time limit is invalid", Cause.REFUSED, _TIME),
    Saying("Invalid --time specification", Cause.REFUSED, _TIME),
    Saying("Invalid TimeLimit", Cause.REFUSED, _TIME),
    Saying(
        "Invalid node name", Cause.REFUSED, N_("Name nodes of this queue, or none.")
    ),
    Saying(
        "Invalid feature", Cause.REFUSED, N_("Ask for a feature that nodes here have.")
    ),
    Saying("Invalid license", Cause.REFUSED, N_("Ask for a license that Slurm knows.")),
    Saying("Requested reservation is invalid", Cause.REFUSED, N_("Leave it out.")),
    Saying(
        "Invalid job array specification",
        Cause.REFUSED,
        N_("Ask for fewer tasks; Slurm's MaxArraySize is the limit."),
    ),
    Saying(
        "Job dependency problem",
        Cause.REFUSED,
        N_("Name jobs that Slurm still knows, as in afterok:123."),
    ),
    Saying("not look like a batch script", Cause.REFUSED, _SCRIPT),
    Saying("Batch script contains DOS line breaks", Cause.REFUSED, _SCRIPT),
    Saying("Batch script is empty", Cause.REFUSED, _SCRIPT),
    Saying("contain a NULL character", Cause.REFUSED, _SCRIPT),
    Saying(
        "parameter too long",
        Cause.REFUSED,
        N_("Shorten the script: put programs and data into files of their own."),
    ),
    Saying(
        "group not permitted to use this partition",
        Cause.REFUSED,
        N_("Choose another queue."),
    ),
    Saying(
        "Job has already finished",
        Cause.REFUSED,
        N_("It has ended: nothing to change."),
    ),
    Saying(
        "already completing or completed", Cause.REFUSED, N_("It is ending already.")
    ),
    Saying(
        "Job is pending execution", Cause.REFUSED, N_("It waits for its start already.")
    ),
    Saying(
        "Requested operation is presently disabled",
        Cause.REFUSED,
        N_("This job does not allow it: it was submitted with --no-requeue."),
    ),
    Saying("temporarily unable to accept job", Cause.REFUSED, _LATER),
    Saying("Resource temporarily unavailable", Cause.REFUSED, _LATER),
    Saying(
        "unrecognized option", Cause.REFUSED, N_("This Slurm is older than the portal.")
    ),
)


def find_saying(stderr: str) -> Saying:
    """Return the row that fits, a refusal without a hint when none does."""
    # Lines are joined because sbatch breaks its own sentences.
    text = " ".join(stderr.split())
    fitting = (saying for saying in SAYINGS if saying.text in text)
    return next(fitting, Saying("", Cause.REFUSED))
