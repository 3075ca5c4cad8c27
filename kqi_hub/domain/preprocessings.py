"""Ways to make new data from data: how they are defined, listed and run.

A preprocessing is a recipe of a tenant's; running it on data makes runs of the kind
`preprocessing`, one for each item, all of them tasks of one array.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from enum import StrEnum
from typing import Final, Protocol

from kqi_hub.domain.data_rules import LONGEST_TAG, MOST_TAGS, checked_tag, is_data_id
from kqi_hub.domain.datasets import checked_memo
from kqi_hub.domain.errors import Conflict, InvalidInput, NotFound
from kqi_hub.domain.job_choices import (
    check_account,
    check_repository,
    check_shape,
)
from kqi_hub.domain.listing import (
    MadeFilter,
    MadeQuestion,
    column_of,
    read_made_question,
)
from kqi_hub.domain.notebooks import Repository, Shape
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.run_choices import check_software, checked_command
from kqi_hub.domain.runs import LONGEST_NAME, Preprocessing, RunSpec, Source

# Slurm's arrays have up to 1000 tasks where nobody has changed that.
MOST_AT_ONCE: Final = 1000
_RUN_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


@dataclass(frozen=True, slots=True)
class NewPreprocessing:
    """What somebody wants a new preprocessing to be; only its name is needed (K-30)."""

    tenant: str
    name: str
    memo: str = ""
    command: str = ""
    environment: str = ""
    image: str = ""
    source: Source | None = None
    shape: Shape = field(default_factory=Shape)


@dataclass(frozen=True, slots=True)
class PreprocessingChange:
    """What is to be changed; None leaves it as it is.

    An address of "" in `source` takes the repository away.
    """

    name: str | None = None
    memo: str | None = None
    shape: Shape | None = None
    command: str | None = None
    environment: str | None = None
    image: str | None = None
    source: Source | None = None

    @property
    def is_of_recipe(self) -> bool:
        """Tell whether it changes what its runs do (KX-60)."""
        recipe = (self.command, self.environment, self.image, self.source)
        return any(one is not None for one in recipe)


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What is chosen when a preprocessing is run on data.

    `shape` None: as its definition says. With `skips_done`, data that it has run on
    already are passed over; otherwise one of them refuses all.
    """

    queue: str
    data: tuple[int, ...]
    shape: Shape | None = None
    lifetime_s: int = 24 * 3600
    variables: tuple[tuple[str, str], ...] = ()
    memo: str = ""
    skips_done: bool = False


class PreprocessingColumn(StrEnum):
    """What a list of preprocessings can be sorted by."""

    ID = "id"
    NAME = "name"
    CREATED_AT = "created_at"
    CREATED_BY = "created_by"
    CHANGED_AT = "changed_at"


@dataclass(frozen=True, slots=True)
class PreprocessingFilter(MadeFilter):
    """Which preprocessings to list, and which of them to show."""

    sort: PreprocessingColumn = PreprocessingColumn.ID


@dataclass(frozen=True, slots=True)
class PreprocessingPage:
    """A page of a list; `unread` names the fields whose condition cannot be read."""

    items: tuple[Preprocessing, ...]
    total: int
    unread: Mapping[str, str] = field(default_factory=dict)


class PreprocessingStore(Protocol):
    """Preprocessings in the database. Blocks: call it off the loop.

    Unknown numbers raise NotFound.
    """

    def create(self, new: NewPreprocessing, person: str, now: float) -> Preprocessing:
        """Add one."""

    def one(self, preprocessing_id: int) -> Preprocessing | None:
        """Return one, whoever's it is."""

    def search(
        self, wanted: PreprocessingFilter
    ) -> tuple[tuple[Preprocessing, ...], int]:
        """Return a page of those that a filter lets through, and how many it does."""

    def change(
        self, preprocessing_id: int, change: PreprocessingChange, now: float
    ) -> Preprocessing:
        """Change it; Conflict when a recipe that has been run would change."""

    def delete(self, preprocessing_id: int) -> None:
        """Forget it; Conflict while there is a run of it."""

    def done_on(
        self, preprocessing_id: int, data_ids: Collection[int]
    ) -> Mapping[int, int]:
        """Return the run of each of these data that it has been run on (K-55)."""


def checked_new(new: NewPreprocessing) -> NewPreprocessing:
    """Return what a new one is to be, tidied, or raise InvalidInput."""
    check_account(new.tenant)
    check_software(new.environment, new.image)
    _check_recipe(new.source, new.shape)
    return replace(
        new,
        name=checked_name(new.name),
        memo=checked_memo(new.memo),
        command=checked_command(new.command) if new.command.strip() else "",
    )


def checked_change(
    change: PreprocessingChange, found: Preprocessing
) -> PreprocessingChange:
    """Return a change of one, tidied, or raise InvalidInput."""
    source = change.source if change.source and change.source.url else None
    if change.environment is not None or change.image is not None:
        check_software(
            _changed(change.environment, found.environment),
            _changed(change.image, found.image),
        )
    _check_recipe(source, change.shape)
    command = change.command
    if command is not None:
        command = checked_command(command) if command.strip() else ""
    return replace(
        change,
        name=None if change.name is None else checked_name(change.name),
        memo=None if change.memo is None else checked_memo(change.memo),
        command=command,
    )


def checked_name(name: str) -> str:
    """Return a name, trimmed: it becomes a tag of what is made (KX-62)."""
    try:
        return checked_tag(name)
    except InvalidInput as error:
        raise InvalidInput(
            "name: a preprocessing's name has 1 to {most} characters on one line, no "
            "comma, and no ! in front.",
            "Choose a name such as resize-224.",
            most=LONGEST_TAG,
        ) from error


def checked_data(data_ids: Sequence[int]) -> tuple[int, ...]:
    """Return numbers of data, each once."""
    found = tuple(dict.fromkeys(data_ids))
    if not 1 <= len(found) <= MOST_AT_ONCE:
        raise InvalidInput(
            "data: a preprocessing is run on 1 to {most} data at once.",
            "Send several requests.",
            most=MOST_AT_ONCE,
        )
    for one in found:
        if not is_data_id(one):
            raise InvalidInput(
                "data: {id} is no number of a data item.",
                "Take the numbers from the list of data.",
                id=ascii(one)[:80],
            )
    return found


def spec_of(found: Preprocessing, asked: BatchRequest) -> RunSpec:
    """Return what each of its runs is to be; InvalidInput while it lacks a command."""
    if not found.command:
        raise InvalidInput(
            "Preprocessing {id} has no command, so there is nothing to run.",
            "Change it: type what is to be done with the data.",
            id=found.id,
        )
    return RunSpec(
        name=run_name(found.name),
        tenant=found.tenant,
        queue=asked.queue,
        command=found.command,
        shape=asked.shape or found.shape,
        lifetime_s=asked.lifetime_s,
        environment=found.environment,
        image=found.image,
        source=found.source,
        variables=asked.variables,
        zip=False,  # K-48
        memo=asked.memo,
    )


def run_name(name: str) -> str:
    """Return a preprocessing's name with the letters that runs may have (K-67)."""
    plain = "".join(one if one in _RUN_LETTERS else "-" for one in name.lower())
    short = "-".join(filter(None, plain.split("-")))[:LONGEST_NAME].strip("-")
    return short or "preprocessing"


def tags_of_product(name: str, tags: Sequence[str]) -> tuple[str, ...]:
    """Return the tags of new data: the preprocessing's name, its input's (KX-62)."""
    return tuple(dict.fromkeys((name, *tags)))[:MOST_TAGS]


def default_product(data_name: str, name: str) -> str:
    """Return what new data are called that have no name of their own (KX-62)."""
    return f"{data_name}_{name}"


def filter_of(
    asked: MadeQuestion, tenants: tuple[str, ...] | None, zone: tzinfo
) -> PreprocessingFilter:
    """Read a question whose conditions can all be read; InvalidInput for the rest."""
    refusal = Phrase("A list of preprocessings cannot be sorted by {sort}.")
    return PreprocessingFilter(
        **read_made_question(asked, tenants, zone),
        sort=column_of(PreprocessingColumn, asked.sort, refusal),
    )


def no_preprocessing() -> NotFound:
    """Return the error of a number that is nobody's."""
    return NotFound("There is no such preprocessing.", "Look at the list again.")


def locked(preprocessing_id: int) -> Conflict:
    """Return the error of a recipe that has been run (KX-60)."""
    return Conflict(
        "Preprocessing {id} has been run: what it does must stay explainable.",
        "Name, memo, CPUs, memory and GPUs can still be changed. For anything else "
        "make a new one, or delete its runs.",
        id=preprocessing_id,
    )


def _changed(new: str | None, old: str) -> str:
    return old if new is None else new


def _check_recipe(source: Source | None, shape: Shape | None) -> None:
    if source is not None:
        check_repository(Repository(source.url, source.ref))
    if shape is not None:
        check_shape(shape)
