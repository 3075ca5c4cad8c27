"""Read sacctmgr's QOS."""

from typing import Final

from kqi_hub.domain.cluster import Qos
from kqi_hub.domain.errors import ClusterError
from kqi_hub.domain.phrase import Phrase
from kqi_hub.slurm.commands import QOS_FIELDS
from kqi_hub.slurm.errors import unreadable
from kqi_hub.slurm.timelimit import parse_timelimit
from kqi_hub.slurm.tres import parse_tres

_SHOWN: Final = 80


def read_qos(answer: bytes) -> tuple[Qos, ...]:
    """Return every QOS; raise ClusterError where a line is none.

    A limit that is left out would let people ask for what Slurm refuses.
    """
    lines = answer.decode(errors="replace").split("\n")
    return tuple(_read(line) for line in lines if line)


def _read(line: str) -> Qos:
    fields = line.split("|")
    if len(fields) != len(QOS_FIELDS):
        raise _no_qos(line)
    try:
        return _qos(fields)
    except ValueError as error:
        raise _no_qos(line) from error


def _qos(fields: list[str]) -> Qos:
    (
        name, flags, grp, per_job, per_node, per_user, per_account,
        max_jobs, max_submit, max_wall,
    ) = fields  # fmt: skip
    return Qos(
        name=name,
        flags=tuple(flag for flag in flags.split(",") if flag),
        grp_tres=parse_tres(grp),
        max_tres_per_job=parse_tres(per_job),
        max_tres_per_node=parse_tres(per_node),
        max_tres_per_user=parse_tres(per_user),
        max_tres_per_account=parse_tres(per_account),
        max_jobs_per_user=_limit(max_jobs),
        max_submit_per_user=_limit(max_submit),
        max_time_s=parse_timelimit(max_wall),
    )


def _no_qos(line: str) -> ClusterError:
    return unreadable("sacctmgr", Phrase("no QOS in {row}", row=repr(line[:_SHOWN])))


def _limit(text: str) -> int | None:
    return int(text) if text else None
