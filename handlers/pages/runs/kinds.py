"""One set of pages for trainings and for inferences: addresses and words of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from handlers.ask import Ask
from handlers.route import Call, Routes, Spec
from kqi_hub.domain.errors import NotFound
from kqi_hub.domain.runs import RunKind
from kqi_hub.i18n import N_

# The run that the documents show and tests ask for, of each kind: one that has
# completed, one that runs, and one that nothing is built on.
DONE: Final = {"training": "1", "inference": "6"}
LIVE: Final = {"training": "2", "inference": "7"}
FREE: Final = {"training": "3", "inference": "6"}


@dataclass(frozen=True, slots=True)
class Words:
    """What pages of a kind say; they lie below the folder of its name."""

    kind: RunKind
    one: str
    many: str
    lead: str
    new: str
    copy: str
    empty: str
    empty_text: str
    first: str
    none_fits: str
    sign: str

    @property
    def folder(self) -> str:
        """Return where its pages are, below the portal's own address."""
        return self.kind.value


KINDS: Final[Mapping[RunKind, Words]] = {
    RunKind.TRAINING: Words(
        kind=RunKind.TRAINING,
        one=N_("Training"),
        many=N_("Trainings"),
        lead=N_(
            "From data and code to a result, on the queue that you choose; kept with "
            "everything that is needed to do it again."
        ),
        new=N_("New training"),
        copy=N_("Copy of training {name}"),
        empty=N_("No trainings yet"),
        empty_text=N_(
            "Say which command runs, on which data and code, and on which queue. It "
            "waits for its turn, runs without you, and what it has made stays here."
        ),
        first=N_("Start the first training"),
        none_fits=N_("No training fits"),
        sign="cpu",
    ),
    RunKind.INFERENCE: Words(
        kind=RunKind.INFERENCE,
        one=N_("Inference"),
        many=N_("Inferences"),
        lead=N_(
            "What a training has made, put to work; compared by the one value that "
            "each gives back."
        ),
        new=N_("New inference"),
        copy=N_("Copy of inference {name}"),
        empty=N_("No inferences yet"),
        empty_text=N_(
            "An inference reads what a training has made. The first line of its file "
            "value.txt is shown in this list, so that several can be compared."
        ),
        first=N_("Start the first inference"),
        none_fits=N_("No inference fits"),
        sign="bullseye",
    ),
}


class RunRoutes(Routes):
    """Routes that each kind has, below the folder of its name.

    Their `example_path` is the number of a run for each kind.
    """

    def _declare(self, method: str, path: str, spec: Spec) -> Callable[[Call], Call]:
        def register(call: Call) -> Call:
            for words in KINDS.values():
                numbers = spec.example_path
                example = {"run_id": numbers[words.folder]} if numbers else {}
                of_kind = replace(spec, example_path=example)
                way = f"/{words.folder}{path}"
                super(RunRoutes, self)._declare(method, way, of_kind)(call)
            return call

        return register


def words_of(ask: Ask) -> Words:
    """Return what the pages of the kind in question say, in the reader's language."""
    known = KINDS[RunKind(ask.route.path.split("/")[1])]
    say = ask.texts.say
    return replace(
        known,
        one=say(known.one),
        many=say(known.many),
        lead=say(known.lead),
        new=say(known.new),
        empty=say(known.empty),
        empty_text=say(known.empty_text),
        first=say(known.first),
        none_fits=say(known.none_fits),
    )


def run_number(ask: Ask) -> int:
    """Return the number of the path; NotFound for what is no number."""
    number = ask.number("run_id")
    if number < 1:
        raise NotFound("There is no such run.", "Look at the list again.")
    return number
