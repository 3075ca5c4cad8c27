"""Git servers: what one can take code from, and which commit a job would get."""

import click

from kqi_hub.cli.options import json_option
from kqi_hub.cli.output import moment, say, show_json, show_table
from kqi_hub.sdk.client import Client

url_argument = click.argument("url")


@click.group()
def git() -> None:
    """Git servers: repositories, branches, and which commit a job would get."""


@git.command("servers")
@json_option
def list_servers(as_json: bool) -> None:
    """List the site's Git services, and where you have stored a token."""
    with Client.from_config() as portal:
        found = portal.git_servers()
    if as_json:
        show_json(found)
        return
    rows = [(x.name, x.kind, x.url, "yes" if x.is_stored else "no") for x in found]
    show_table(("Name", "Kind", "Address", "Token"), rows, "The site names none.")


@git.command("repositories")
@click.argument("server")
@click.option("--text", default="", help="With this in their names.")
@json_option
def list_repositories(server: str, text: str, as_json: bool) -> None:
    """List repositories that a service of the site shows you."""
    with Client.from_config() as portal:
        found, why = portal.git_repositories(server, text)
    if as_json:
        show_json(found)
    else:
        rows = [(one.name, one.url, one.default_branch) for one in found]
        show_table(("Name", "Address", "Default"), rows, "There is none.")
    if why:
        say(why)


@git.command("branches")
@url_argument
@json_option
def list_branches(url: str, as_json: bool) -> None:
    """List the branches and tags of a repository."""
    with Client.from_config() as portal:
        found = portal.git_branches(url)
    if as_json:
        show_json(found)
        return
    rows = [
        (
            one.name,
            one.commit[:12],
            "default" if one.name == found.default_branch else "",
        )
        for one in found.branches
    ]
    rows += [(one.name, one.commit[:12], "tag") for one in found.tags]
    show_table(("Name", "Commit", ""), rows, "There is none.")
    if found.why:
        say(found.why)


@git.command("commits")
@url_argument
@click.option("--ref", default="", help="Branch; the default one when left out.")
@json_option
def list_commits(url: str, ref: str, as_json: bool) -> None:
    """List the newest commits of a branch."""
    with Client.from_config() as portal:
        found, why = portal.git_commits(url, ref)
    if as_json:
        show_json(found)
    else:
        rows = [
            (one.commit[:12], one.title, one.author, moment(one.at, "-"))
            for one in found
        ]
        show_table(("Commit", "Title", "By", "At"), rows, "There is none.")
    if why:
        say(why)


@git.command("resolve")
@url_argument
@click.option("--ref", default="", help="Branch or tag.")
@click.option("--commit", default="", help="Commit; it wins over a branch.")
@json_option
def resolve_commit(url: str, ref: str, commit: str, as_json: bool) -> None:
    """Print the commit that a job submitted now would get."""
    with Client.from_config() as portal:
        found = portal.git_commit(url, ref, commit)
    if as_json:
        show_json({"commit": found})
    else:
        click.echo(found)
