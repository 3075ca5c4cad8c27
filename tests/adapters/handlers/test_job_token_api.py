"""A job's ticket at the portal's door, and what its token reaches and does not."""

from dataclasses import replace

import pytest

from handlers.access import Scope, Who
from handlers.job_access import job_scopes
from handlers.route import Route
from handlers.service import all_routes
from kqi_hub.domain.job_tokens import JOB_SCOPE
from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import RunKind
from tests.adapters.handlers.conftest import Answer, Client
from tests.adapters.handlers.test_roles import furnish, path_of
from tests.fakes.hub import WRITE
from tests.fakes.job_tokens import JOB, RUN, TICKET, job_of_run
from tests.fakes.runs import SPEC
from tests.fakes.site import FakeSite

WAY = "api/v1/job-token"
RIGHT = {"run": RUN.id, "job": JOB, "ticket": TICKET}
# Each begins a login of its own, changes one, or reaches beyond the job's work.
NEVER = (
    "POST /api/v1/agent",
    "PUT /api/v1/me/credentials/{service}",
    "POST /api/v1/me/factor/begin",
    "POST /api/v1/me/factor/recovery-codes",
    "POST /api/v1/me/password",
    "PUT /api/v1/me/preferences",
    "POST /api/v1/me/ssh-keys",
    "GET /api/v1/me/tokens",
    "POST /api/v1/me/tokens",
    "POST /api/v1/notebooks/{notebook_id}/open",
    "POST /api/v1/tenants/{tenant}/notebooks",
    "POST /api/v1/jobs/{job}/cancel",
    "PUT /api/v1/tenants/{tenant}/dataset-types",
    "PUT /api/v1/budgets/{name}",
    "POST /me/password",
    "POST /training/new",
    "GET /me",
)


async def token_of(ask: Client, site: FakeSite, person: str = "mia") -> str:
    """Give a person the token of the running job, and ask with it from now on."""
    site.hub.token(person)
    site.job_tokens.change_run(owner=person)
    site.job_tokens.set_job(job_of_run(user=person))
    answer = await ask(WAY, None, "POST", RIGHT)
    assert answer.status == 200, answer.text
    ask.tokens[person] = word = answer.json["token"]
    assert isinstance(word, str)
    return word


async def test_a_ticket_is_exchanged_without_login_or_cookie(
    ask: Client, site: FakeSite
) -> None:
    word = await token_of(ask, site)
    assert site.hub.tokens[word]["scopes"] == [JOB_SCOPE]
    who = await ask("api/v1/whoami", "mia")
    assert (who.status, who.json["name"]) == (200, "mia")
    assert who.json["scopes"] == [Scope.READ.value]


WRONG = {
    "guess": {**RIGHT, "ticket": "A" * 43},
    "other job": {**RIGHT, "job": 91},
    "no run": {**RIGHT, "run": 2**53},
}


@pytest.mark.parametrize("sent", WRONG.values(), ids=WRONG)
async def test_a_login_does_not_help_a_wrong_ticket_and_all_get_one_answer(
    ask: Client, site: FakeSite, sent: dict[str, object]
) -> None:
    answers = [await ask(WAY, person, "POST", sent) for person in (None, "mia", "rita")]
    assert {one.status for one in answers} == {403}
    shown = [{**one.json, "instance": ""} for one in answers]
    assert shown[0] == shown[1] == shown[2]
    assert TICKET not in answers[0].text
    assert site.hub.made.held.keys() == {"a1", "a2"}  # those that asked with one


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**RIGHT, "ticket": "x" * 129}, 422),
        ({**RIGHT, "ticket": ""}, 422),
        ({**RIGHT, "ticket": ["a"]}, 422),
        ({**RIGHT, "run": 0}, 422),
        ({**RIGHT, "run": 10**30}, 422),
        ({**RIGHT, "owner": "rita"}, 422),
        ({"run": 1}, 422),
        (b"ticket=a", 415),
        (b"x" * 2000, 413),
    ],
)
async def test_what_is_no_ticket_at_all_is_refused_before_anything_is_looked_up(
    ask: Client, body: object, status: int
) -> None:
    answer = await ask(WAY, None, "POST", body)
    assert answer.status in {status, 400}
    assert TICKET not in answer.text


async def test_a_token_works_only_while_its_run_lives(
    ask: Client, site: FakeSite
) -> None:
    await token_of(ask, site)
    assert (await ask("api/v1/training?tenant=vision", "mia")).status == 200
    site.job_tokens.store.is_over = True
    # At once, although the hub still knows it.
    assert (await ask("api/v1/training?tenant=vision", "mia")).status == 401


async def test_a_token_with_the_scope_of_jobs_that_no_job_got_is_worthless(
    ask: Client, site: FakeSite
) -> None:
    ask.tokens["mia"] = site.hub.token("mia", JOB_SCOPE)
    assert (await ask("api/v1/whoami", "mia")).status == 401


async def test_a_token_of_another_persons_job_is_worthless(
    ask: Client, site: FakeSite
) -> None:
    word = await token_of(ask, site)
    site.job_tokens.change_run(owner="max")
    ask.tokens["mia"] = word
    assert (await ask("api/v1/whoami", "mia")).status == 401


async def test_who_has_left_the_tenant_has_no_role_in_a_job_either(
    ask: Client, site: FakeSite
) -> None:
    await token_of(ask, site, "mallory")
    answer = await ask("api/v1/training?tenant=vision", "mallory")
    assert answer.status == 404


async def asked(ask: Client, name: str, person: str) -> Answer:
    route = next(one for one in all_routes() if one.name == name)
    body = route.spec.example if route.method != "GET" else None
    return await ask(path_of(route), person, route.method, body)


@pytest.mark.parametrize("person", ["mia", "rita"])
async def test_a_job_makes_no_login_and_changes_no_account(
    ask: Client, site: FakeSite, person: str
) -> None:
    await furnish(site, person)
    await token_of(ask, site, person)
    answers = {name: (await asked(ask, name, person)).status for name in NEVER}
    # To whom the tenant is not there, it is not there either.
    refusals = {403} if person == "mia" else {403, 404}
    assert {name: code for name, code in answers.items() if code not in refusals} == {}


async def test_an_operators_job_is_no_operators(ask: Client, site: FakeSite) -> None:
    await token_of(ask, site, "rita")
    who = (await ask("api/v1/whoami", "rita")).json
    assert who["scopes"] == [Scope.READ.value]
    assert (await ask("api/v1/training?tenant=vision", "rita")).status == 404


async def test_a_job_works_with_runs_of_its_own_tenant_only(
    ask: Client, site: FakeSite
) -> None:
    await furnish(site, "mia")
    elsewhere = replace(SPEC, tenant="nlp")
    new = NewRun(RunKind.TRAINING, "mia", "elsewhere", elsewhere)
    other = site.runs.store.ask(new, 30.0)
    await token_of(ask, site)
    mine = await ask("api/v1/training/1", "mia", "PATCH", {"memo": "from a job"})
    assert mine.status == 200
    theirs = await ask(f"api/v1/training/{other.id}", "mia")
    assert theirs.status == 404
    changed = await ask(f"api/v1/training/{other.id}", "mia", "PATCH", {"memo": "x"})
    assert changed.status == 404
    listed = await ask("api/v1/tenants", "mia")
    assert [one["name"] for one in listed.json["tenants"]] == ["vision"]
    assert (await ask("api/v1/training?tenant=nlp", "mia")).status == 404


def test_pages_and_routes_of_operators_are_nothing_for_jobs() -> None:
    for route in all_routes():
        scopes = job_scopes(route)
        if route.is_page or route.scope is Scope.OPERATE:
            assert route.scope.value not in scopes, route.name
    assert job_scopes(None) == frozenset()


def test_whatever_a_job_may_change_belongs_to_a_tenant_or_a_person() -> None:
    changing = [one for one in all_routes() if WRITE in job_scopes(one)]
    assert changing
    assert {part(one) for one in changing} == {
        "data",
        "datasets",
        "inference",
        "preprocessing",
        "preprocessing-runs",
        "training",
        "uploads",
    }
    assert Who.OPERATOR not in {one.spec.who for one in changing}


def part(route: Route) -> str:
    return route.path.split("/")[3]
