"""Runs in container images, by form and REST: kept, shown, copied, refused."""

from html import unescape

import pytest

from handlers.openapi import errors_of
from handlers.service import all_routes
from kqi_hub.domain.errors import GitUnavailable, RegistryUnavailable
from tests.adapters.handlers.browser import Browser
from tests.adapters.handlers.conftest import Client
from tests.adapters.handlers.test_run_pages import only_run, send
from tests.adapters.handlers.test_runs_api import TRAINING, submit
from tests.fakes.images import DIGEST
from tests.fakes.site import FakeSite

WHOLE = f"images.example.org/team/tool:1.0@{DIGEST}"
DOWN = RegistryUnavailable("The registry does not answer.", "Try again later.")


async def test_an_image_from_the_form_is_kept_with_its_digest_and_copied(
    browser: Browser, site: FakeSite
) -> None:
    status, page = await send(browser, image=" team/tool:1.0 ")
    assert (status, only_run(site).spec.image) == (200, WHOLE)
    assert WHOLE in page
    copy = await browser.open("training/new?copy_of=1")
    assert f'value="{WHOLE}"' in copy.main


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"image": "ghcr.io/a/b"}, "ghcr.io is no registry of this site"),
        ({"image": "--privileged"}, "cannot be the name"),
        ({"image": "<script>alert(1)</script>"}, "cannot be the name"),
        ({"image": "team/tool", "environment": "torch"}, "Leave one of the two empty"),
    ],
)
async def test_an_image_that_may_not_be_is_said_at_its_field(
    browser: Browser, site: FakeSite, about: dict[str, str], said: str
) -> None:
    status, page = await send(browser, **about)
    assert status == 400
    assert said in unescape(page)
    assert "fault-image" in page
    assert "<script>alert" not in page
    assert site.runs.store.runs == {}


async def test_a_dead_registry_keeps_what_was_typed_and_stores_nothing(
    browser: Browser, site: FakeSite
) -> None:
    site.runs.images.refusal = DOWN
    status, page = await send(browser, image="team/tool:1.0", then="show")
    assert status == 200
    status, page = await send(browser, image="team/tool:1.0")
    assert (status, "does not answer" in unescape(page)) == (503, True)
    assert 'value="team/tool:1.0"' in page
    assert site.runs.store.runs == {}


async def test_an_image_over_rest_is_kept_and_can_be_sent_again(
    ask: Client, site: FakeSite
) -> None:
    made = await submit(ask, image="team/tool:1.0")
    assert made.status == 201, made.text
    assert (made.json["image"], made.json["environment"]) == (WHOLE, "")
    copy = (await ask(f"{TRAINING}/{made.json['id']}/copy", "mia")).json
    again = await ask(TRAINING, "mia", "POST", copy)
    assert again.json["choices"]["image"] == WHOLE


@pytest.mark.parametrize(
    "image", ["ghcr.io/a/b", "a b", "x" * 500, 7, None, "../../etc", "a\0"]
)
async def test_no_image_over_rest_stores_nothing(
    ask: Client, site: FakeSite, image: object
) -> None:
    assert (await submit(ask, image=image)).status in (400, 422)
    assert site.runs.store.runs == {}


async def test_a_dead_registry_over_rest_says_so(ask: Client, site: FakeSite) -> None:
    site.runs.images.refusal = DOWN
    answer = await submit(ask, image="team/tool:1.0")
    assert (answer.status, answer.json["code"]) == (503, "registry-unavailable")
    assert site.runs.store.runs == {}


@pytest.mark.parametrize(
    "kind", ["training", "inference", "preprocessing/{preprocessing_id}/run"]
)
def test_the_document_says_what_a_dead_server_does_to_a_submission(kind: str) -> None:
    name = f"POST /api/v1/{kind}"
    [route] = [one for one in all_routes() if one.name == name]
    assert {RegistryUnavailable, GitUnavailable} <= {*errors_of(route)}
