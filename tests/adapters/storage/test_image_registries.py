"""What registries answer, in words for people: what is listed, what is not, and why."""

from collections.abc import Iterator

import pytest

from kqi_hub.domain.credentials import Secret
from kqi_hub.domain.errors import InvalidInput, RegistryUnavailable
from kqi_hub.domain.images import ImageName, ImagePlace
from kqi_hub.storage.image_registries import HttpRegistries
from tests.adapters.oci.fake_registry import (
    FakeRegistry,
    file_entry,
    layer_of,
    serving,
)


@pytest.fixture
def fake() -> Iterator[FakeRegistry]:
    with serving(FakeRegistry()) as registry:
        registry.add("team/tool", "1.0", [layer_of([file_entry("x", b"y")])])
        yield registry


def place(fake: FakeRegistry, path: str = "", password: str = "") -> ImagePlace:
    secret = Secret(fake.user, password) if password else None
    return ImagePlace(ImageName("images.example.org", path), fake.url, secret)


@pytest.mark.parametrize("login", ["", "basic", "bearer"])
async def test_images_and_tags_are_listed_to_who_may_see_them(
    fake: FakeRegistry, login: str
) -> None:
    fake.login = login
    registries = HttpRegistries()
    found = await registries.repositories(place(fake, password=fake.password))
    assert found == ("team/tool",)
    tags = await registries.tags(place(fake, "team/tool", fake.password))
    assert tags == ("1.0",)


@pytest.mark.parametrize("login", ["basic", "bearer"])
@pytest.mark.parametrize("password", ["", "not-that-one"])
async def test_a_registry_that_lists_nothing_has_its_names_typed(
    fake: FakeRegistry, login: str, password: str
) -> None:
    fake.login = login
    with pytest.raises(RegistryUnavailable, match="does not list its images") as caught:
        await HttpRegistries().repositories(place(fake, password=password))
    assert "images.example.org/group/name:tag" in caught.value.hint
    assert "not-that-one" not in f"{caught.value} {caught.value.hint}"


async def test_an_image_that_is_not_there_is_said_by_its_name(
    fake: FakeRegistry,
) -> None:
    with pytest.raises(InvalidInput, match=r"has no image images\.example\.org/no"):
        await HttpRegistries().tags(place(fake, "no"))
