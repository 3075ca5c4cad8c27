"""Read sacct's rows, and decide which of them say that a job has ended."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from kqi_hub.domain.job import EndedJob
from kqi_hub.domain.phrase import Phrase
from kqi_hub.slurm.commands import ENDED_FIELDS, FOUND_FIELDS, TASK_FIELDS
from kqi_hub.slurm.errors import unreadable
from kqi_hub.slurm.rows import Tokens

# A run that went back into the queue: the next one is about to be recorded.
_GOES_ON: Final = frozenset({"REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "RESIZING"})


def read_ended(
    answer: bytes, tokens: Tokens, wanted: Collection[int]
) -> dict[int, EndedJob]:
    """Return the jobs that accounting says have ended, by the latest run of each id.

    The end must be known: right after slurmdbd comes back, a row may say COMPLETED and
    still lack it. Ids are given again, so an older job of the same number may stand
    beside.
    """
    latest: dict[int, tuple[int, list[str]]] = {}
    for row in recorded_rows(answer, tokens, len(ENDED_FIELDS)):
        try:
            job_id, submitted = int(row[0]), int(row[1])
        except ValueError as error:
            what = Phrase("{row} is no id with a time", row=row[:2])
            raise unreadable("sacct", what) from error
        if job_id in wanted and submitted >= latest.get(job_id, (0, []))[0]:
            latest[job_id] = (submitted, row)
    ended = (read_end(job_id, row) for job_id, (_, row) in latest.items())
    return {end.job_id: end for end in ended if end is not None}


def read_ended_tasks(answer: bytes, tokens: Tokens) -> dict[str, EndedJob | None]:
    """Return how tasks have ended, by Slurm's words for them; None for what goes on.

    Tasks that were cancelled before they were told apart are one: 12_[4-9%2], or 12
    alone where none of them ever was.
    """
    latest: dict[str, tuple[int, EndedJob | None]] = {}
    for row in recorded_rows(answer, tokens, len(TASK_FIELDS)):
        number = row[0].partition("_")[0]
        if not (number.isdecimal() and row[1].isdecimal()):
            continue
        if int(row[1]) >= latest.get(row[0], (0, None))[0]:
            latest[row[0]] = int(row[1]), read_end(int(number), row)
    return {word: end for word, (_, end) in latest.items()}


def read_recorded(
    answer: bytes, tokens: Tokens, user: str, name: str
) -> list[tuple[int, int]]:
    """Return when and under which ids the person submitted jobs of exactly this name.

    slurmdbd compares names without regard to case: the rest is left out here. So is
    what waits by its word alone: a waiting job is the controller's, and one that was
    killed forgets what it took last, while accounting keeps it for ever.
    """
    return [
        (int(submitted), int(job_id))
        for job_id, submitted, its_user, state, its_name in recorded_rows(
            answer, tokens, len(FOUND_FIELDS)
        )
        if (its_user, its_name) == (user, name) and state != "PENDING"
    ]


def recorded_rows(answer: bytes, tokens: Tokens, size: int) -> Iterator[list[str]]:
    """Yield the rows of a whole answer of sacct's; ClusterError for a part of one."""
    end = f"{tokens.field}\n"
    *lines, rest = answer.decode(errors="replace").split(end)
    begun = ""
    for line in lines:
        row = f"{begun}{end}{line}" if begun else line
        fields = row.split(tokens.field)
        # A name that begins with a line break looks like the end of its row.
        begun = row if len(fields) < size else ""
        if len(fields) > size:
            what = Phrase("a row has {n} fields and not {m}", n=len(fields), m=size)
            raise unreadable("sacct", what)
        if len(fields) == size:
            yield fields
    if rest or begun:
        raise unreadable("sacct", Phrase("it breaks off in the middle of a row"))


def read_end(job_id: int, row: list[str]) -> EndedJob | None:
    """Return the end of a job from fields as in ENDED_FIELDS; None if it goes on."""
    _, _, state, started, ended, exit_code, name = row
    word = _first_word(state)  # `CANCELLED by 1001`
    if not ended.isdecimal() or word in _GOES_ON:
        return None
    status, _, number = exit_code.partition(":")
    return EndedJob(
        job_id=job_id,
        state=word,
        started_at=int(started) if started.isdecimal() else None,
        ended_at=int(ended),
        exit_code=_number(status),
        signal=_number(number),
        name=name,
    )


def _first_word(text: str) -> str:
    return next(iter(text.split()), "")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def oldest_first(found: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """Return the ids without doubles, in the order of submission."""
    return tuple(dict.fromkeys(job_id for _, job_id in sorted(found)))
