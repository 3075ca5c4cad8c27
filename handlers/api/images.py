"""What can be picked of registries of images: a help for forms, which never waits long.

An answer has what is known and, in `why`, why it is not more: the form goes on.
"""

from typing import Final

from pydantic import Field

from handlers.access import Scope
from handlers.api.offer_words import said
from handlers.ask import Ask
from handlers.route import Model, Routes, Spec
from kqi_hub.domain.credentials import Kind
from kqi_hub.domain.errors import InvalidInput, NotFound, RegistryUnavailable
from kqi_hub.domain.images import LONGEST_IMAGE
from kqi_hub.i18n import N_

routes = Routes("/api/v1/images", tag=N_("Container images"))
_MOST: Final = N_("At most 200 of them.")
_WHY: Final = N_("Why there is not more; empty when this is all.")
_PART: Final = N_("A part of their names.")
_IMAGE: Final = N_("An image: host/group/name, with or without a tag.")
# A form asks before anything is chosen: that is no mistake.
_NO_REGISTRY: Final = N_("Choose a registry.")
_NO_IMAGE: Final = N_("Type the name of an image.")


class ImageRegistry(Model):
    """A registry of the site."""

    name: str = Field(description="Its name here.")
    kind: Kind = Field(description="Whose software it runs.")
    url: str = Field(description="Its address.")
    prefix: str = Field(
        description="What the names of its images begin with, up to a slash."
    )
    is_stored: bool = Field(description="Whether you have stored a password for it.")


class ImageRegistryList(Model):
    """The site's registries of container images."""

    registries: tuple[ImageRegistry, ...] = Field(
        description="Images without a host in their names are of the first one."
    )


class RepositoryQuery(Model):
    """Which images to list."""

    registry: str = Field(
        "", max_length=100, description="The registry's name here; empty: none yet."
    )
    q: str = Field("", max_length=100, description=_PART)


class ImageRepositoryList(Model):
    """Images that the registry lists to you, without their tags."""

    repositories: tuple[str, ...] = Field(description=_MOST)
    why: str = Field(description=_WHY)


class TagQuery(Model):
    """Which tags to list, and of which image."""

    image: str = Field("", max_length=LONGEST_IMAGE, description=_IMAGE)
    q: str = Field("", max_length=128, description=_PART)


class ImageTagList(Model):
    """Tags of an image."""

    tags: tuple[str, ...] = Field(description=_MOST)
    why: str = Field(description=_WHY)


class WantedImage(Model):
    """Which image is meant."""

    image: str = Field(max_length=LONGEST_IMAGE, description=_IMAGE)


class ResolvedImage(Model):
    """The image that a job would get."""

    image: str = Field(description="Its whole name, with the digest.")


@routes.get("/registries", Spec(answer=ImageRegistryList))
async def list_image_registries(ask: Ask) -> ImageRegistryList:
    """List the site's registries, and whether you have stored a password for each."""
    found = await ask.deps.images.registries(ask.me.person)
    return ImageRegistryList(
        registries=tuple(
            ImageRegistry(
                name=one.service.name,
                kind=one.service.kind,
                url=one.service.url,
                prefix=one.prefix,
                is_stored=one.is_stored,
            )
            for one in found
        )
    )


@routes.get(
    "/repositories",
    Spec(query=RepositoryQuery, answer=ImageRepositoryList, errors=(NotFound,)),
)
async def list_image_repositories(ask: Ask) -> ImageRepositoryList:
    """List images that a registry shows you; answers within seconds."""
    wanted = ask.query(RepositoryQuery)
    if not wanted.registry:
        return ImageRepositoryList(repositories=(), why=ask.texts.say(_NO_REGISTRY))
    offer = await ask.deps.images.repositories(ask.me.person, wanted.registry, wanted.q)
    why = said(offer.why, ask.texts)
    return ImageRepositoryList(repositories=tuple(offer.found), why=why)


@routes.get("/tags", Spec(query=TagQuery, answer=ImageTagList, errors=(InvalidInput,)))
async def list_image_tags(ask: Ask) -> ImageTagList:
    """List an image's tags; answers within seconds."""
    wanted = ask.query(TagQuery)
    if not wanted.image:
        return ImageTagList(tags=(), why=ask.texts.say(_NO_IMAGE))
    offer = await ask.deps.images.tags(ask.me.person, wanted.image, wanted.q)
    return ImageTagList(tags=tuple(offer.found), why=said(offer.why, ask.texts))


@routes.post(
    "/digest",
    Spec(
        scope=Scope.READ,
        body=WantedImage,
        answer=ResolvedImage,
        errors=(InvalidInput, RegistryUnavailable),
        example={"image": "team/tool:1.0"},
    ),
)
async def resolve_image(ask: Ask) -> ResolvedImage:
    """Say which image, by its digest, a job submitted now would get."""
    asked = ask.body(WantedImage).image
    return ResolvedImage(image=await ask.deps.images.resolve(ask.me.person, asked))
