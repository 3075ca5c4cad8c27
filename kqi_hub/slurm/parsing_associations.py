"""Read sacctmgr's associations.

sacctmgr takes no separator but `|`, and administrators may put one, or a newline, into
an account's name. Such an account cannot be a Unix group and so no tenant: its lines
are left out, and nothing else is taken for it.
"""

from dataclasses import dataclass
from typing import Final

from kqi_hub.domain.cluster import Association
from kqi_hub.domain.phrase import Phrase
from kqi_hub.slurm.commands import ASSOCIATION_FIELDS
from kqi_hub.slurm.errors import unreadable
from kqi_hub.slurm.timelimit import parse_timelimit
from kqi_hub.slurm.tres import parse_tres

SHOWN: Final = 80


@dataclass(frozen=True, slots=True)
class Associations:
    """What could be read, and the lines that could not."""

    read: tuple[Association, ...]
    left_out: tuple[str, ...]


def read_associations(answer: bytes, cluster: str) -> Associations:
    """Return this cluster's associations; raise ClusterError if none is readable."""
    good, bad = [], []
    for line in answer.decode(errors="replace").split("\n"):
        fields = line.split("|")
        try:
            if len(fields) == len(ASSOCIATION_FIELDS) and fields[0] == cluster:
                good.append(_read(fields))
            elif line:
                bad.append(line[:SHOWN])
        except ValueError:
            bad.append(line[:SHOWN])
    if bad and not good:
        what = Phrase("no association in {row}", row=repr(bad[0]))
        raise unreadable("sacctmgr", what)
    return Associations(tuple(good), tuple(bad))


def _read(fields: list[str]) -> Association:
    (
        _, account, user, partition, parent, qos, default_qos,
        grp_tres, max_tres, grp_tres_mins, max_jobs, max_submit, max_wall,
    ) = fields  # fmt: skip
    return Association(
        account=account,
        user=user,
        partition=partition,
        parent=parent,
        qos=tuple(name for name in qos.split(",") if name),
        default_qos=default_qos,
        grp_tres=parse_tres(grp_tres),
        max_tres_per_job=parse_tres(max_tres),
        grp_tres_mins=parse_tres(grp_tres_mins),
        max_jobs=_limit(max_jobs),
        max_submit=_limit(max_submit),
        max_time_s=parse_timelimit(max_wall),
    )


def _limit(text: str) -> int | None:
    return int(text) if text else None
