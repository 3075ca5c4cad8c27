"""Of a run in the drill-down: who sees what it ran, and what its owner alone sees."""

import time
from dataclasses import replace

import pytest

from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import Run, RunKind, Source
from tests.adapters.handlers.conftest import Client
from tests.fakes.images import DIGEST
from tests.fakes.runs import SPEC
from tests.fakes.site import FakeSite
from tests.fakes.usage import record

SECRET = "hunter2-of-mia"
SOURCE = Source("https://git.example.org/vision/model.git", "main", "1" * 40)


@pytest.fixture
def run(site: FakeSite) -> Run:
    spec = replace(
        SPEC,
        command="python train.py --epochs 3",
        source=SOURCE,
        variables=(("WANDB_KEY", SECRET),),
    )
    key = "c" * 26
    asked = site.runs.store.ask(NewRun(RunKind.TRAINING, "mia", key, spec), 10.0)
    site.runs.store.scripts[key] = "#!/bin/bash\n#SBATCH --partition=v100\n"
    return site.runs.run(asked)


def used(site: FakeSite, run: Run, **about: object) -> int:
    began = int(time.time()) - 7200
    plain = record(77, "mia", run.spec.tenant, "v100", began, 1, name=run.job_name)
    return site.usage.add(plain._replace(**about))  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize("person", ["mia", "max", "rita"])
async def test_owner_manager_and_operator_see_what_ran(
    ask: Client, site: FakeSite, run: Run, person: str
) -> None:
    number = used(site, run)
    page = await ask(f"usage/runs/{number}", person)
    assert "python train.py --epochs 3" in page.text
    assert "#SBATCH" in page.text
    assert SOURCE.url in page.text
    found = (await ask(f"api/v1/usage/runs/{number}", person)).json["ran"]
    assert found["command"] == "python train.py --epochs 3"
    assert "#SBATCH" in found["script"]
    assert (found["repository"], found["commit"]) == (SOURCE.url, "1" * 40)
    assert found["variables"] == ["WANDB_KEY"]


@pytest.mark.parametrize("person", ["mia", "max", "rita"])
async def test_values_of_variables_are_on_no_page_of_use(
    ask: Client, site: FakeSite, run: Run, person: str
) -> None:
    number = used(site, run)
    for path in (f"usage/runs/{number}", f"api/v1/usage/runs/{number}"):
        answer = await ask(path, person)
        assert answer.status == 200
        assert "WANDB_KEY" in answer.text
        assert SECRET not in answer.text


async def test_a_run_in_an_image_is_not_said_to_have_had_an_environment(
    ask: Client, site: FakeSite
) -> None:
    image = f"images.example.org/team/tool:1.0@{DIGEST}"
    spec = replace(SPEC, image=image, environment="")
    key = "e" * 26
    asked = site.runs.store.ask(NewRun(RunKind.TRAINING, "mia", key, spec), 10.0)
    number = used(site, site.runs.run(asked))
    page = await ask(f"usage/runs/{number}", "max", Accept="text/html")
    ran = page.text.partition('id="ran"')[2]
    assert image in ran
    assert "<dt>Environment</dt>" not in ran
    found = (await ask(f"api/v1/usage/runs/{number}", "max")).json["ran"]
    assert (found["image"], found["environment"]) == (image, "")


@pytest.mark.parametrize("person", ["mallory", "victor"])
async def test_others_see_neither_run_nor_script(
    ask: Client, site: FakeSite, run: Run, person: str
) -> None:
    number = used(site, run)
    for path in (f"usage/runs/{number}", f"api/v1/usage/runs/{number}"):
        answer = await ask(path, person)
        assert answer.status == 404
        assert "train.py" not in answer.text


@pytest.mark.parametrize(
    "about",
    [
        {"user": "mallory"},
        {"account": "nlp"},
        {"name": "training-1-dddddddddddddddddddddddddd"},
        {"name": "training-999999-cccccccccccccccccccccccccc"},
        {"name": "bash"},
    ],
)
async def test_a_job_that_is_only_named_like_a_run_shows_nothing_of_it(
    ask: Client, site: FakeSite, run: Run, about: dict[str, object]
) -> None:
    number = used(site, run, **about)
    answer = await ask(f"usage/runs/{number}", "rita")
    assert answer.status == 200
    assert "train.py" not in answer.text
    assert (await ask(f"api/v1/usage/runs/{number}", "rita")).json["ran"] is None


async def test_a_manager_of_another_tenant_learns_nothing_by_a_jobs_name(
    ask: Client, site: FakeSite, run: Run
) -> None:
    number = used(site, run, user="mallory", account="nlp")
    answer = await ask(f"api/v1/usage/runs/{number}", "mallory")
    assert (answer.status, answer.json["ran"]) == (200, None)
