"""A person with a home and a folder on scratch, who calls the command."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conda_bootstrap.places import Places


@dataclass(frozen=True)
class Answer:
    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def last(self) -> dict[str, Any]:
        return self.events[-1]


@dataclass(frozen=True)
class Person:
    home: Path
    places: Places
    site: Path

    def argv(self, *words: str) -> list[str]:
        return [
            sys.executable,
            "-I",
            "-m",
            "conda_bootstrap",
            "--scratch",
            str(self.places.scratch),
            "--site",
            str(self.site),
            *words,
        ]

    def variables(self, **more: str) -> dict[str, str]:
        # No index of pip's: these tests must not depend on a network.
        return {
            "HOME": str(self.home),
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PIP_NO_INDEX": "1",
            "PIP_CONFIG_FILE": os.devnull,
            **more,
        }

    def run(self, *words: str, **more: str) -> Answer:
        done = subprocess.run(
            self.argv(*words),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self.variables(**more),
            cwd="/",
            timeout=300,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def json(self, *words: str, **more: str) -> Answer:
        return self.run("--json", *words, **more)

    def listed(self, *options: str) -> dict[str, dict[str, Any]]:
        answer = self.json("list", *options)
        assert answer.code == 0, answer.err
        return {one["name"]: one for one in answer.last["environments"]}

    def prefix(self, name: str) -> Path:
        return self.places.envs / name

    def python(self, name: str, code: str) -> str:
        argv = [str(self.prefix(name) / "bin/python"), "-I", "-c", code]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        return done.stdout.strip()


def make_person(folder: Path, site: Path) -> Person:
    """Return a person whose folders hold blanks and letters beyond ASCII."""
    home, scratch = folder / "home", folder / "scratch é"
    home.mkdir(parents=True)
    scratch.mkdir()
    return Person(home, Places(scratch), site)


def leftovers(places: Places) -> list[str]:
    """Return what operations have not cleaned away."""
    folders = (places.stage, places.old)
    twins = [one.name for one in places.conda.glob("~*")]
    return twins + [one.name for place in folders for one in place.glob("*")]
