"""Registries of container images: what one can run in, and which digest it would be."""

import click

from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import say, show_json, show_table
from kqi_hub.sdk.client import Client

image_argument = click.argument("name", metavar="IMAGE")
text_option = click.option("--text", default="", help="With this in their names.")


@click.group()
def image() -> None:
    """Container images: registries, tags, and which image a job would get."""


@image.command("registries")
@json_option
def list_registries(as_json: bool) -> None:
    """List the site's registries, and where you have stored a password."""
    with Client.from_config() as portal:
        found = portal.image_registries()
    if as_json:
        show_json(found)
        return
    rows = [(x.name, x.kind, x.prefix, "yes" if x.is_stored else "no") for x in found]
    show_table(("Name", "Kind", "Images", "Password"), rows, "The site names none.")


@image.command("repositories")
@click.argument("registry")
@text_option
@json_option
def list_repositories(registry: str, text: str, as_json: bool) -> None:
    """List images that a registry of the site lists to you."""
    with Client.from_config() as portal:
        found, why = portal.image_repositories(registry, text)
    _show(found, why, as_json)


@image.command("tags")
@image_argument
@text_option
@json_option
def list_tags(name: str, text: str, as_json: bool) -> None:
    """List the tags of an image."""
    with Client.from_config() as portal:
        found, why = portal.image_tags(name, text)
    _show(found, why, as_json)


@image.command("resolve")
@image_argument
@json_option
def resolve_image(name: str, as_json: bool) -> None:
    """Print the image, with its digest, that a job submitted now would get."""
    with Client.from_config() as portal:
        found = portal.image_digest(name)
    if as_json:
        show_json({"image": found})
    else:
        click.echo(found)


def _show(found: tuple[str, ...], why: str, as_json: bool) -> None:
    if as_json:
        show_json(found)
    else:
        show_table(("Name",), [(one,) for one in found], "There is none.")
    if why:
        say(why)
