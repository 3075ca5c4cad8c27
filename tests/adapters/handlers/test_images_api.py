"""What is offered of registries over REST; one that hangs blocks no form."""

import time
from urllib.parse import quote

import pytest

from kqi_hub.domain.errors import RegistryUnavailable
from tests.adapters.handlers.conftest import Client
from tests.fakes.images import DIGEST
from tests.fakes.site import FakeSite

IMAGES = "api/v1/images"
SECRET = "nvapi-1-do-not-tell"
LISTS = ("repositories?registry=site", "tags?image=team/tool")


async def test_registries_are_listed_with_whether_a_password_is_stored(
    ask: Client,
) -> None:
    await ask("api/v1/me/credentials/ngc", "mia", "PUT", {"value": SECRET})
    for person, stored in (("mia", True), ("max", False)):
        found = (await ask(f"{IMAGES}/registries", person)).json["registries"]
        assert [one["name"] for one in found] == ["site", "ngc", "hub", "lab"]
        assert [one["prefix"] for one in found][2:] == [
            *("docker.io", "lab.example.org/vision"),
        ]
        assert [one["is_stored"] for one in found] == [False, stored, False, False]


async def test_ones_own_password_is_used_for_oneself_and_never_shown(
    site: FakeSite, ask: Client
) -> None:
    await ask("api/v1/me/credentials/ngc", "mia", "PUT", {"value": SECRET})
    said = ""
    for person in ("mia", "max"):
        for path in ("registries", "repositories?registry=ngc", "tags?image=nvcr.io/a"):
            said += (await ask(f"{IMAGES}/{path}", person)).text
    assert SECRET not in said
    used = [one.secret and one.secret.value for one in site.registries.asked]
    assert used == [SECRET, SECRET, None, None]


async def test_what_one_person_sees_is_not_shown_to_another(
    site: FakeSite, ask: Client
) -> None:
    for person in ("mia", "mia", "max"):
        await ask(f"{IMAGES}/tags?image=team/tool", person)
    assert len(site.registries.asked) == 2, "kept for a moment, for each alone"


async def test_images_and_tags_are_found_by_a_part(ask: Client) -> None:
    found = (await ask(f"{IMAGES}/repositories?registry=site&q=TOO", "mia")).json
    assert found == {"repositories": ["images.example.org/team/tool"], "why": ""}
    found = (await ask(f"{IMAGES}/tags?image=team/tool&q=late", "mia")).json
    assert found == {"tags": ["latest"], "why": ""}


async def test_of_ten_thousand_tags_some_are_shown_and_any_is_found(
    site: FakeSite, ask: Client
) -> None:
    site.registries.images["team/big"] = {f"v{n}": DIGEST for n in range(10_000)}
    found = (await ask(f"{IMAGES}/tags?image=team/big", "mia")).json
    assert len(found["tags"]) == 200
    assert "first 200 of 10000" in found["why"]
    found = (await ask(f"{IMAGES}/tags?image=team/big&q=9876", "mia")).json
    assert found == {"tags": ["v9876"], "why": ""}


async def test_odd_and_very_long_names_are_left_out(
    site: FakeSite, ask: Client
) -> None:
    odd = ("<script>", "a b", "../x", "A/B", "a\n", "", "\u202ex", "x" * 256, "-x")
    site.registries.images |= {name: {} for name in odd}
    found = (await ask(f"{IMAGES}/repositories?registry=site", "mia")).json
    assert found["repositories"] == ["images.example.org/team/tool"]
    site.registries.images["team/tool"] |= {
        name: DIGEST for name in odd if name != "A/B"
    }
    site.registries.images["team/tool"]["x" * 129] = DIGEST
    found = (await ask(f"{IMAGES}/tags?image=team/tool", "mia")).json
    assert found["tags"] == ["1.0", "latest"]


async def test_of_a_folder_only_what_is_in_it_is_offered(
    site: FakeSite, ask: Client
) -> None:
    site.registries.images |= {"vision/a": {}, "visionary/b": {}}
    found = (await ask(f"{IMAGES}/repositories?registry=lab", "mia")).json
    assert found["repositories"] == ["lab.example.org/vision/a"]


@pytest.mark.parametrize("path", ["repositories", "tags"])
async def test_a_form_in_which_nothing_is_chosen_is_told_what_to_choose(
    ask: Client, path: str
) -> None:
    answer = await ask(f"{IMAGES}/{path}", "mia")
    assert (answer.status, bool(answer.json["why"])) == (200, True)


@pytest.mark.parametrize(
    "path",
    [
        *("tags?image=--privileged", "tags?image=%00", "tags?image=ghcr.io/a/b"),
        *(f"tags?image={'x' * 401}", "tags?image=a%0Ab", "tags?image=../../etc"),
        f"tags?image=team/tool&q={'x' * 129}",
        f"repositories?registry=site&q={'x' * 101}",
        f"repositories?registry={'x' * 101}",
        f"tags?image={quote('画像')}",
    ],
)
async def test_what_makes_no_sense_is_refused(ask: Client, path: str) -> None:
    assert (await ask(f"{IMAGES}/{path}", "mia")).status == 400


@pytest.mark.parametrize("name", ["github", "nothing", "..%2Fx", "%00"])
async def test_a_registry_that_the_site_has_not_is_not_there(
    ask: Client, name: str
) -> None:
    answer = await ask(f"{IMAGES}/repositories?registry={name}", "mia")
    assert answer.status == 404


@pytest.mark.parametrize("path", LISTS)
async def test_a_registry_that_hangs_is_answered_for_in_time(
    site: FakeSite, ask: Client, path: str
) -> None:
    site.registries.hangs = True
    began = time.monotonic()
    answer = await ask(f"{IMAGES}/{path}", "mia")
    assert time.monotonic() - began < 5
    assert (answer.status, "did not answer" in answer.json["why"]) == (200, True)


@pytest.mark.parametrize("path", LISTS)
async def test_a_registry_that_refuses_is_told_of_and_asked_again(
    site: FakeSite, ask: Client, path: str
) -> None:
    site.registries.refusal = RegistryUnavailable("It is down.", "Type the name.")
    answer = await ask(f"{IMAGES}/{path}", "mia")
    assert (answer.status, answer.json["why"]) == (200, "It is down. Type the name.")
    site.registries.refusal = None
    assert (await ask(f"{IMAGES}/{path}", "mia")).json["why"] == ""


async def test_the_digest_of_a_job_submitted_now_is_told(ask: Client) -> None:
    answer = await ask(f"{IMAGES}/digest", "mia", "POST", {"image": "team/tool:1.0"})
    assert answer.json == {"image": f"images.example.org/team/tool:1.0@{DIGEST}"}


@pytest.mark.parametrize(
    "body",
    [
        {}, {"image": ""}, {"image": "team/tool:none"}, {"image": 1}, {"image": ["a"]},
        {"image": "ghcr.io/a/b"}, {"image": "x" * 401}, {"image": "a", "more": "x"},
    ],
)  # fmt: skip
async def test_an_image_that_cannot_be_meant_is_refused(
    ask: Client, body: dict[str, object]
) -> None:
    assert (await ask(f"{IMAGES}/digest", "mia", "POST", body)).status == 400
