"""What pages of runs are drawn from: steps, addresses of commits, the form."""

import pytest

from handlers.failures import InvalidFields
from handlers.pages.runs.commits import commit_page
from handlers.pages.runs.steps import steps_of
from handlers.pages.runs.typed import Filled, spec_of, texts_of
from kqi_hub.domain.notebooks import Shape, Staging
from kqi_hub.domain.runs import (
    Parent,
    Run,
    RunEvent,
    RunKind,
    RunSpec,
    RunState,
    Source,
)
from kqi_hub.i18n import texts
from tests.fakes.site import FOLDERS

ENGLISH = texts(FOLDERS.translations, "en")
COMMIT = "4f" * 20
SPEC = RunSpec("trial", "vision", "cpu", "true")


def run_in(state: RunState, **about: object) -> Run:
    made = Run(7, RunKind.TRAINING, "mia", "k" * 26, SPEC, state, 100.0, 100.0)
    return made if not about else _with(made, about)


def _with(run: Run, about: dict[str, object]) -> Run:
    values = {name: getattr(run, name) for name in run.__dataclass_fields__}
    return Run(**{**values, **about})


def states(run: Run, *events: tuple[float, RunState]) -> list[str]:
    found = [RunEvent(at, state) for at, state in events]
    return [step.state for step in steps_of(run, found, ENGLISH)]


def test_the_step_that_is_under_way_is_the_last_one_reached() -> None:
    asked, pending = (100.0, RunState.ASKED), (102.0, RunState.PENDING)
    later = ["next"] * 3
    assert states(run_in(RunState.ASKED), asked) == ["now", "next", *later]
    assert states(run_in(RunState.PENDING), asked, pending) == ["done", "now", *later]


def test_what_slurm_started_at_once_was_never_seen_waiting() -> None:
    running = run_in(RunState.RUNNING, began_at=101.0)
    steps = steps_of(running, [RunEvent(100.0, RunState.ASKED)], ENGLISH)
    assert [step.state for step in steps] == ["done", "done", "now", "next", "next"]
    assert steps[1].at is None
    assert (steps[2].at, steps[2].took_s) == (101.0, 1.0)


def test_the_end_has_the_time_at_which_it_was_known() -> None:
    ended = run_in(RunState.FAILED, began_at=110.0, ended_at=200.0)
    events = [
        RunEvent(100.0, RunState.ASKED),
        RunEvent(112.0, RunState.RUNNING),
        RunEvent(201.0, RunState.COLLECTING),
        RunEvent(205.0, RunState.FAILED),
    ]
    *before, last = steps_of(ended, events, ENGLISH)
    assert [step.state for step in before] == ["done"] * 4
    assert (last.state, last.at, last.took_s) == ("failed", 205.0, 4.0)


def test_what_was_cancelled_in_the_queue_never_ran() -> None:
    events = (
        (100.0, RunState.ASKED),
        (101.0, RunState.PENDING),
        (105.0, RunState.KILLED),
    )
    wanted = ["done", "done", "failed", "failed", "failed"]
    assert states(run_in(RunState.KILLED), *events) == wanted


def test_a_prepared_run_has_no_steps() -> None:
    assert states(run_in(RunState.PREPARED), (100.0, RunState.PREPARED)) == []


@pytest.mark.parametrize(
    ("url", "page"),
    [
        ("https://git.x.org/g/p.git", f"https://git.x.org/g/p/commit/{COMMIT}"),
        ("https://me:secret@git.x.org/g/p", f"https://git.x.org/g/p/commit/{COMMIT}"),
        ("http://git.x.org:8080/p.git/", f"http://git.x.org:8080/p/commit/{COMMIT}"),
        ("ssh://git@git.x.org:2222/g/p.git", f"https://git.x.org/g/p/commit/{COMMIT}"),
        ("git@git.x.org:g/sub/p.git", f"https://git.x.org/g/sub/p/commit/{COMMIT}"),
        ('https://git.x.org/"><b>', f"https://git.x.org/%22%3E%3Cb%3E/commit/{COMMIT}"),
        ("/scratch/mia/code.git", ""),
        ("file:///scratch/mia/code.git", ""),
        ("javascript:alert(1)//x", ""),
    ],
)
def test_a_commit_has_a_page_where_its_server_has_pages(url: str, page: str) -> None:
    assert commit_page(Source(url, "main", COMMIT)) == page


def test_without_a_whole_commit_there_is_no_page() -> None:
    assert commit_page(Source("https://git.x.org/g/p", "main", "4f4f")) == ""
    assert commit_page(None) == ""


def test_what_the_form_shows_of_a_run_is_read_back_as_it_was() -> None:
    parents = (Parent(RunKind.TRAINING, 3), Parent(RunKind.INFERENCE, 5))
    whole = RunSpec(
        name="trial",
        tenant="vision",
        queue="v100",
        command="\n  echo 'a' \\\n \"b\"\t\n",
        shape=Shape(3, 1536, 2, "v100"),
        lifetime_s=5400,
        dataset=12,
        staging=Staging.COPY,
        parents=parents,
        environment="torch2",
        source=Source("https://git.x.org/g/p.git", "main", COMMIT),
        variables=(("A", "1=2"), ("B", " spaces kept ")),
        ports=(6006, 8080),
        zip=False,
        memo="two\nlines",
        tags=("a", "b c"),
    )
    sent = {**Filled.model_validate({}).model_dump(), **texts_of(whole)}
    kinds = {one.id: one.kind for one in parents}
    assert spec_of(sent, kinds) == whole


def test_every_field_that_cannot_be_read_is_named_at_once() -> None:
    wrong = {"cpus": "x", "gpus": "", "ports": "a", "parents": "b", "variables": "c"}
    blank = Filled.model_validate({}).model_dump()
    with pytest.raises(InvalidFields) as caught:
        spec_of({**blank, "memory_gb": "1", "lifetime_h": "1", **wrong}, {})
    assert {fault.field for fault in caught.value.fields} == set(wrong)
