"""What is offered and resolved of registries: in time or not at all, as the person."""

import asyncio
from collections.abc import Callable

import pytest

from kqi_hub.domain.credentials import Secret
from kqi_hub.domain.errors import InvalidInput, NotFound, RegistryUnavailable
from kqi_hub.services.asking import MOST_OF_ONE
from kqi_hub.services.images import Images
from tests.fakes.images import DIGEST, REGISTRIES, SITE, FakeRegistries

DOWN = RegistryUnavailable("The registry does not answer.", "Try again later.")


class FakeCredentials:
    """Credentials of one person: a CredentialStore, as far as images need one."""

    def __init__(self) -> None:
        self.used: list[tuple[str, str]] = []

    def stored(self, person: str) -> tuple[object, ...]:
        return ()

    def use(self, person: str, service: object, now: float) -> Secret | None:
        name = getattr(service, "name", "")
        self.used.append((person, name))
        return Secret("mia", "hush") if (person, name) == ("mia", "site") else None


@pytest.fixture
def remote() -> FakeRegistries:
    return FakeRegistries()


@pytest.fixture
def images(remote: FakeRegistries) -> Images:
    credentials = FakeCredentials()
    opened: Callable[[], object] = lambda: credentials  # noqa: E731 - as it is given
    return Images(
        remote,
        opened,  # type: ignore[arg-type]  # two of its methods are enough here
        REGISTRIES,
        {"site": "/etc/site-ca.pem"},
        offer_s=60,
        resolve_s=60,
    )


async def test_a_tag_is_resolved_to_its_digest_as_the_person(
    images: Images, remote: FakeRegistries
) -> None:
    found = await images.resolve("mia", "team/tool:1.0")
    assert found == f"images.example.org/team/tool:1.0@{DIGEST}"
    [place] = remote.asked
    assert (place.secret, place.ca_file) == (Secret("mia", "hush"), "/etc/site-ca.pem")


async def test_a_digest_is_taken_at_its_word(
    images: Images, remote: FakeRegistries
) -> None:
    remote.hangs = True
    whole = f"nvcr.io/nvidia/x:1@{DIGEST}"
    assert await images.resolve("mia", whole) == whole
    assert remote.asked == []


async def test_others_passwords_are_not_used(
    images: Images, remote: FakeRegistries
) -> None:
    await images.resolve("max", "team/tool:1.0")
    assert remote.asked[0].secret is None


async def test_a_registry_that_hangs_ends_a_submission_with_a_reason(
    images: Images, remote: FakeRegistries
) -> None:
    remote.hangs, images.resolve_s = True, 0.05
    with pytest.raises(RegistryUnavailable, match=r"within 0\.05 s"):
        await images.resolve("mia", "team/tool:1.0")


@pytest.mark.parametrize("is_slow", [True, False])
async def test_a_dead_registry_never_blocks_a_form(
    images: Images, remote: FakeRegistries, is_slow: bool
) -> None:
    remote.hangs, remote.refusal = is_slow, DOWN
    images.offer_s = 0.05 if is_slow else 60
    for offer in (
        await images.tags("mia", "team/tool"),
        await images.repositories("mia", "site"),
    ):
        assert offer.found == ()
        assert isinstance(offer.why, RegistryUnavailable)


async def test_images_and_tags_are_offered(images: Images) -> None:
    offer = await images.repositories("mia", "site", "too")
    assert offer.found == ("images.example.org/team/tool",)
    assert (await images.repositories("mia", "site", "none")).found == ()
    assert (await images.tags("mia", "team/tool")).found == ("1.0", "latest")


async def test_registries_are_the_sites_own(images: Images) -> None:
    prefixes = [one.prefix for one in await images.registries("mia")]
    assert prefixes == [
        *("images.example.org", "nvcr.io", "docker.io", "lab.example.org/vision"),
    ]
    with pytest.raises(NotFound):
        await images.repositories("mia", "elsewhere")
    with pytest.raises(InvalidInput):
        await images.tags("mia", "ghcr.io/a/b")


def test_a_job_gets_its_image_as_the_person_and_by_its_digest_only(
    images: Images,
) -> None:
    place = images.place("mia", f"team/tool:1.0@{DIGEST}")
    assert (place.name.digest, place.secret) == (DIGEST, Secret("mia", "hush"))
    assert place.url == SITE.url
    with pytest.raises(InvalidInput, match="digest"):
        images.place("mia", "team/tool:1.0")


async def test_what_is_offered_never_takes_the_place_of_what_is_submitted(
    images: Images, remote: FakeRegistries
) -> None:
    remote.hangs = True
    names = [f"team/tool{number}" for number in range(MOST_OF_ONE + 1)]
    asked = [asyncio.create_task(images.tags("mia", name)) for name in names]
    done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
    [refused] = done
    why = refused.result().why
    assert why is not None
    assert "under way" in why.message
    remote.hangs = False
    assert (await images.resolve("mia", "team/tool:1.0")).endswith(DIGEST)
    assert (await images.tags("max", "team/tool")).found == ("1.0", "latest")
    for task in asked:
        task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)


async def test_what_is_offered_is_kept_for_a_moment_what_is_submitted_is_not(
    images: Images, remote: FakeRegistries
) -> None:
    now = [0.0]
    images.wall = lambda: now[0]
    for now[0] in (0.0, 29.0, 31.0):
        await images.tags("mia", "team/tool", "1")
        await images.tags("mia", "team/tool:latest")
    assert len(remote.asked) == 2
    for _ in range(2):
        await images.resolve("mia", "team/tool:1.0")
    assert len(remote.asked) == 4
