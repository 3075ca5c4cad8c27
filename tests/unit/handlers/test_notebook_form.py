"""What is typed into the form of a notebook, read and written back."""

from dataclasses import replace

import pytest

from handlers.failures import InvalidFields
from handlers.pages.notebooks.steps import steps_of
from handlers.pages.notebooks.typed import (
    Filled,
    choices_of,
    shape_or_none,
    texts_of,
)
from handlers.pages.notebooks.words import sentence_of, status_of
from hub_config.portal import FOLDERS
from kqi_hub.domain.notebooks import (
    Cause,
    Choices,
    Phase,
    Repository,
    Session,
    Shape,
    Staging,
    Ui,
)
from kqi_hub.i18n import texts

ENGLISH = texts(FOLDERS.translations, "en")
EVERYTHING = Choices(
    name="first",
    tenant="vision",
    queue="v100",
    shape=Shape(8, 1536, 2, "v100"),
    lifetime_s=5400,
    ui=Ui.NOTEBOOK,
    environment="torch",
    repository=Repository("https://git.example.org/a/b.git", "main"),
    variables=(("A", "1=2"), ("B", " spaced ")),
    command="pip list\nls",
    memo="two\nlines",
    dataset=12,
    staging=Staging.COPY,
    may_push=True,
)
SENT = {**Filled.model_validate({}).model_dump(), **texts_of(EVERYTHING)}
SESSION = Session(1, 1, "mia", "k", EVERYTHING, 100.0, 100.0)


def faults(**changed: str) -> set[str]:
    with pytest.raises(InvalidFields) as raised:
        choices_of({**SENT, **changed})
    return {fault.field for fault in raised.value.fields}


def test_choices_come_back_as_they_were_shown() -> None:
    assert choices_of(SENT) == EVERYTHING


def test_browsers_send_other_ends_of_lines() -> None:
    sent = {**SENT, "memo": "two\r\nlines", "variables": "A=1\r\n\r\nB=2"}
    read = choices_of(sent)
    assert read.memo == "two\nlines"
    assert read.variables == (("A", "1"), ("B", "2"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "many",
        "-1",
        "1e3",
        "nan",
        "inf",
        "1.5",
        "\N{FULLWIDTH DIGIT TWO}",
        "9" * 400,
    ],
)
def test_a_number_of_cpus_is_plain_digits(text: str) -> None:
    assert faults(cpus=text) == {"cpus"}


@pytest.mark.parametrize("text", ["", "x", "nan", "1e3", "-4", "1.2.3", "9" * 400, "."])
def test_memory_and_hours_are_plain_numbers(text: str) -> None:
    assert faults(memory_gb=text, lifetime_h=text) == {"memory_gb", "lifetime_h"}


@pytest.mark.parametrize(
    ("text", "number"), [("", None), ("  ", None), ("12", 12), (" #7 ", 7)]
)
def test_a_dataset_is_chosen_by_its_number(text: str, number: int | None) -> None:
    assert choices_of({**SENT, "dataset": text}).dataset == number


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("", ()), (" 12 ", (12,)), ("12, #15", (12, 15)), ("12 15,,12", (12, 15))],
)
def test_runs_are_chosen_by_their_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert choices_of({**SENT, "parents": text}).parents == numbers


@pytest.mark.parametrize("text", ["first", "1.5", "-1", "1;2", "٣", "9" * 20])
def test_what_are_no_numbers_of_runs_is_refused(text: str) -> None:
    assert faults(parents=text) == {"parents"}


@pytest.mark.parametrize("text", ["signs", "1.5", "-1", "1e3", "٣", "9" * 19])
def test_what_is_no_number_of_a_dataset_is_refused(text: str) -> None:
    assert faults(dataset=text) == {"dataset"}


@pytest.mark.parametrize(
    ("text", "meant"),
    [("", Staging.LINK), ("link", Staging.LINK), ("copy", Staging.COPY)],
)
def test_a_dataset_is_linked_unless_a_copy_is_asked_for(
    text: str, meant: Staging
) -> None:
    choices = choices_of({**SENT, "staging": text})
    assert choices.staging is meant
    assert texts_of(choices)["staging"] == meant.value


@pytest.mark.parametrize("text", ["COPY", "move", " ", "link\n"])
def test_what_is_no_way_to_a_node_is_refused(text: str) -> None:
    assert faults(staging=text) == {"staging"}


def test_a_comma_is_as_good_as_a_point() -> None:
    assert choices_of({**SENT, "memory_gb": "1,5"}).shape.memory_mb == 1536


def test_everything_that_cannot_be_read_is_named_at_once() -> None:
    assert faults(cpus="x", gpus="y", ui="z", variables="=1") == {
        *("cpus", "gpus", "ui", "variables"),
    }


def test_with_a_preset_nobody_looks_at_size_and_lifetime() -> None:
    sent = {**SENT, "preset": "free-4h", "cpus": "x", "lifetime_h": "y"}
    assert choices_of(sent).preset == "free-4h"


def test_no_lifetime_outranks_what_is_left_in_the_field() -> None:
    assert choices_of({**SENT, "unlimited": "yes"}).lifetime_s is None


def test_an_estimate_needs_a_readable_size() -> None:
    assert shape_or_none({**SENT, "cpus": "x"})[0] is None
    assert shape_or_none(SENT) == (EVERYTHING.shape, EVERYTHING.lifetime_s)


@pytest.mark.parametrize("cause", Cause)
def test_every_end_has_a_word_a_sign_and_a_sentence(cause: Cause) -> None:
    ended = replace(SESSION, ended_at=200.0, cause=cause)
    assert status_of(ended, ENGLISH).word
    assert sentence_of(ended, ENGLISH).endswith(".")


@pytest.mark.parametrize(
    ("job_id", "detail", "says"),
    [
        (7, "NonZeroExitCode", "The end of its log"),
        (None, "The helper refused.", "Why is said below"),
        (None, "no secret: [Errno 28] No space left on device", "scratch is full"),
    ],
)
def test_a_failure_without_a_job_points_to_no_log(
    job_id: int | None, detail: str, says: str
) -> None:
    over = replace(SESSION, ended_at=200.0, cause=Cause.FAILED)
    assert says in sentence_of(replace(over, job_id=job_id, detail=detail), ENGLISH)


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_a_word_and_a_sentence(phase: Phase) -> None:
    live = replace(SESSION, reached=((phase, 101.0),))
    assert status_of(live, ENGLISH).word
    assert sentence_of(live, ENGLISH)


def test_no_two_states_look_alike() -> None:
    states = [replace(SESSION, ended_at=1.0, cause=cause) for cause in Cause]
    states += [replace(SESSION, stopping=Cause.STOPPED)]
    shown = [status_of(one, ENGLISH) for one in states]
    assert len({one.word for one in shown}) == len(states)


def test_steps_say_what_was_reached_and_how_long_each_took() -> None:
    reached = ((Phase.QUEUED, 101.0), (Phase.NODE, 131.0))
    steps = steps_of(replace(SESSION, reached=reached), ENGLISH)
    assert [s.state for s in steps] == ["done", "done", "now", "next", "next"]
    assert [s.took_s for s in steps[:2]] == [1.0, 30.0]


def test_a_step_that_was_not_told_counts_as_done_once_a_later_one_is() -> None:
    reached = ((Phase.QUEUED, 101.0), (Phase.SERVER, 131.0))
    steps = steps_of(replace(SESSION, reached=reached), ENGLISH)
    assert [s.state for s in steps] == ["done", "done", "done", "done", "now"]
    assert [s.at for s in steps[:4]] == [101.0, None, None, 131.0]


def test_a_session_that_failed_shows_where() -> None:
    failed = replace(
        SESSION, reached=((Phase.QUEUED, 1.0),), ended_at=9.0, cause=Cause.FAILED
    )
    states = [step.state for step in steps_of(failed, ENGLISH)]
    assert states == ["done", "failed", "next", "next", "next"]
