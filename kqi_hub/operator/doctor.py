"""kqi-hub doctor: look at everything that an operator may have got wrong."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import asdict

import click

from kqi_hub.bootstrap.doctor import doctor_sources, doctor_target
from kqi_hub.domain.errors import SettingsError
from kqi_hub.operator.columns import printable
from kqi_hub.operator.invocation import Invocation, pass_invocation, print_json
from kqi_hub.services.checks.examine import examine, exit_code
from kqi_hub.services.checks.finding import Finding, Level, fail, ok
from kqi_hub.services.checks.person_checks import Volunteer
from kqi_hub.services.checks.plan import all_checks
from kqi_hub.settings.model import Settings

SETTINGS = "settings"
_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


@click.command()
@click.option(
    "--person",
    metavar="NAME",
    help="Act as this person too: make their scratch folder, run a tiny job.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
@pass_invocation
def doctor(
    invocation: Invocation, ctx: click.Context, person: str | None, as_json: bool
) -> None:
    """Check the whole site, one line a check, with what to do about it.

    Run it as the service user. The exit code is 1 when something fails; warnings do
    not count. Nothing is changed; --person makes that person's scratch folder and
    runs a job in their name for a moment.
    """
    findings = _examine(invocation, person)
    if as_json:
        code = exit_code(findings)
        print_json({"ok": code == 0, "checks": list(map(asdict, findings))})
    else:
        _print(findings)
    ctx.exit(exit_code(findings))


def _examine(invocation: Invocation, person: str | None) -> Sequence[Finding]:
    try:
        settings = invocation.settings
    except SettingsError as error:
        return [fail(SETTINGS, error.message, error.hint.strip())]
    found = ok(SETTINGS, f"{invocation.source} is right")
    return [found, *asyncio.run(_ask(settings, person))]


async def _ask(settings: Settings, person: str | None) -> Sequence[Finding]:
    target, sources = doctor_target(settings), doctor_sources(settings)
    volunteer = Volunteer(person, secrets.token_hex(8)) if person else None
    return await examine(all_checks(target, sources, volunteer))


def _print(findings: Sequence[Finding]) -> None:
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        level = click.style(f"{finding.level:4}", fg=_COLOURS.get(finding.level))
        todo = f" → {finding.todo}" if finding.todo else ""
        text = printable(f"{finding.name:{width}}  {finding.seen}{todo}")
        click.echo(f"{level}  {text}")
    counts = [
        f"{sum(finding.level is level for finding in findings)} {level}"
        for level in Level
    ]
    click.echo(f"\n{', '.join(counts)}")
