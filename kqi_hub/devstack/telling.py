"""What the person at the terminal reads: steps on stderr, results on stdout."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from kqi_hub.devstack.layout import Folder

_TAIL_LINES = 25


def say(text: str = "") -> None:
    """Tell how it goes."""
    click.echo(text, err=True)


def step(name: str, seconds: float) -> None:
    """Tell of a step that is done."""
    say(f"  {name:<20} ok {seconds:6.1f} s")


def waiting() -> None:
    """Tell that somebody else is starting it just now."""
    say("Another ./demo is starting it just now; waiting for that.")


def failure(folder: Folder, event: Mapping[str, Any]) -> str:
    """Return what went wrong, the end of the log that says why, and what to do."""
    log = folder.logs / (event["log"] or "supervisor.log")
    return (
        f"{event['name']} failed: {event['reason']}\n{tail(log)}"
        "Everything was stopped again; nothing is left running.\n"
        f"The whole log: {log}\n"
        "When it is put right: ./demo up. To begin from nothing: ./demo reset"
    )


def tail(log: Path) -> str:
    """Return the last lines of a log, set off from our own."""
    if not log.exists() or not log.stat().st_size:
        return ""
    lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
    return f"The end of {log}:\n" + "".join(f"  | {line}\n" for line in lines)


def overview(known: Mapping[str, Any]) -> str:
    """Return the status as a page of text."""
    lines = [f"The demo cluster is {known['state']}. Its folder: {known['folder']}"]
    if known["services"]:
        lines += ["", *map(_service_line, known["services"])]
    if known["people"]:
        lines += ["", *map(_person_line, known["people"])]
    if known["state"] == "ready":
        lines += ["", *_next_steps(known["url"])]
    return "\n".join(lines)


def _service_line(one: Mapping[str, Any]) -> str:
    pid = one["pid"] or "-"
    port = one["port"] or "-"
    died = f"  died {one['deaths']} times" if one["deaths"] else ""
    return f"  {one['name']:<15} {one['state']:<11} pid {pid:<7} port {port:<6}{died}"


def _person_line(one: Mapping[str, Any]) -> str:
    code = "no code yet"
    if one["code"]:
        code = f"code {one['code']} ({one['code_valid_s']} s), then {one['next_code']}"
    return f"  {one['name']:<6} {one['password']:<17} {code:<32} {one['about']}"


def _next_steps(url: str) -> list[str]:
    return [
        f"Open {url}",
        "Try: ./demo run sinfo",
        "     ./demo run -u alice sbatch --wrap hostname",
        "     ./demo run -u alice kqi --help",
        "     ./demo run kqi-hub --help",
        "     ./demo logs slurmctld -f",
        "Stop it with ./demo stop; the data stay.",
    ]
