"""Runs in container images: what is kept with them, and what their jobs are told."""

import json
from dataclasses import replace

import pytest

from kqi_hub.db.run_text import SpecText
from kqi_hub.domain.credentials import Secret
from kqi_hub.domain.errors import InvalidInput, RegistryUnavailable
from kqi_hub.domain.images import registry_of
from kqi_hub.domain.people import Membership, Role, Standing
from kqi_hub.domain.run_choices import checked_spec
from kqi_hub.domain.runs import Parent, RunKind, RunRules
from kqi_hub.services.runs import Runs
from kqi_hub.services.tenant_rights import Asker
from kqi_hub.slurm.run_order import RunNeeds, run_order
from kqi_hub.slurm.run_script import RunPlace
from tests.fakes.images import DIGEST, REGISTRIES
from tests.fakes.notebooks import open_to_all
from tests.fakes.queues import FakeQueues
from tests.fakes.runs import DONE, SPEC, FakeRuns

MIA = Asker(Standing("mia", (Membership("vision", Role.MEMBER),)))
IN_IMAGE = replace(SPEC, environment="", image="team/tool:1.0")
WHOLE = f"images.example.org/team/tool:1.0@{DIGEST}"


@pytest.fixture
def fakes() -> FakeRuns:
    made = FakeRuns()
    made.furnish("mia")
    return made


@pytest.fixture
def runs(fakes: FakeRuns) -> Runs:
    return fakes.runs(open_to_all(["mia"], FakeQueues()))


@pytest.mark.parametrize("kind", [RunKind.TRAINING, RunKind.INFERENCE])
async def test_a_run_keeps_the_digest_that_was_found_when_it_was_submitted(
    runs: Runs, fakes: FakeRuns, kind: RunKind
) -> None:
    run = await runs.ask(MIA, kind, IN_IMAGE)
    assert run.spec.image == WHOLE
    assert fakes.images.asked == [("mia", "team/tool:1.0")]


async def test_a_registry_that_does_not_answer_stores_no_run(
    runs: Runs, fakes: FakeRuns
) -> None:
    fakes.images.refusal = RegistryUnavailable("It does not answer.", "Try later.")
    before = set(fakes.store.runs)
    with pytest.raises(RegistryUnavailable):
        await runs.ask(MIA, RunKind.TRAINING, IN_IMAGE)
    assert (set(fakes.store.runs), fakes.submission.begun) == (before, [])


async def test_an_estimate_asks_no_registry(runs: Runs, fakes: FakeRuns) -> None:
    fakes.images.refusal = RegistryUnavailable("It does not answer.", "Try later.")
    await runs.check(MIA, RunKind.TRAINING, IN_IMAGE)
    assert fakes.images.asked == []


async def test_copies_and_children_have_the_very_same_image(
    runs: Runs, fakes: FakeRuns
) -> None:
    done = fakes.store.runs[DONE]
    fakes.store.runs[DONE] = replace(done, spec=replace(done.spec, image=WHOLE))
    copy = await runs.copy_of(MIA, RunKind.TRAINING, DONE)
    child = await runs.child_of(MIA, Parent(RunKind.TRAINING, DONE))
    assert (copy.image, child.image) == (WHOLE, WHOLE)


@pytest.mark.parametrize(
    ("environment", "image"),
    [("torch", "team/tool:1"), ("", "--rm"), ("", "a b"), ("", "x" * 500)],
)
def test_an_image_must_have_a_name_and_no_environment_beside_it(
    environment: str, image: str
) -> None:
    spec = replace(SPEC, environment=environment, image=image)
    with pytest.raises(InvalidInput, match=r"^image"):
        checked_spec(RunKind.TRAINING, spec, RunRules())


def test_an_image_is_kept_with_what_was_asked_for() -> None:
    column, spec = SpecText(), replace(IN_IMAGE, image=WHOLE)
    written = column.process_bind_param(spec, None)  # type: ignore[arg-type]  # unused
    assert written is not None
    read = column.process_result_value(written, None)  # type: ignore[arg-type]  # unused
    assert read is not None
    assert read.image == WHOLE
    old = {
        name: value for name, value in json.loads(written).items() if name != "image"
    }
    found = column.process_result_value(json.dumps(old), None)  # type: ignore[arg-type]  # unused
    assert found is not None
    assert found.image == ""


def test_a_job_is_told_where_its_image_is_and_as_whom(fakes: FakeRuns) -> None:
    run = fakes.store.runs[DONE]
    run = replace(run, spec=replace(run.spec, image=WHOLE), folder="training/1")
    _, place = registry_of(REGISTRIES, WHOLE)
    place = replace(place, secret=Secret("mia", "hush"), ca_file="/etc/ca.pem")
    where = RunPlace("/scratch", "/opt/python", "https://h/", images_kept_s=99)
    told = json.loads(run_order(run, where, RunNeeds(image=place)))
    assert told["image"] == {
        "name": WHOLE,
        "digest": DIGEST,
        "url": "https://images.example.org",
        "repository": "team/tool",
        "user": "mia",
        "password": "hush",
        "ca_file": "/etc/ca.pem",
    }
    assert told["images_kept_s"] == 99
    assert json.loads(run_order(run, where))["image"] is None
