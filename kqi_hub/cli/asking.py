"""Ask a person for something that must not stand in a command line."""

import sys

import click


def ask_hidden(what: str, empty: bool = False) -> str:
    """Return what is typed without showing it; from a pipe, its next line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    default = "" if empty else None
    answer: str = click.prompt(
        what, hide_input=True, err=True, default=default, show_default=False
    )
    return answer


def ask_new(what: str) -> str:
    """Return something new, typed twice; from a pipe, its next line."""
    if not sys.stdin.isatty():
        return ask_hidden(what)
    answer: str = click.prompt(
        what,
        hide_input=True,
        err=True,
        confirmation_prompt=f"{what} again",
    )
    return answer
