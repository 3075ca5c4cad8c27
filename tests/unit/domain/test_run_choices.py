"""What may be chosen for a run, and what is refused with its field's name."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from kqi_hub.domain.errors import InvalidInput
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.run_choices import (
    LONGEST_COMMAND_BYTES,
    checked_change,
    checked_command,
    checked_spec,
)
from kqi_hub.domain.runs import (
    Parent,
    RunChange,
    RunKind,
    RunRules,
    RunSpec,
    Source,
)

RULES = RunRules()
PLAIN = RunSpec("first", "vision", "cpu", "python train.py")
TRAINING, INFERENCE = RunKind.TRAINING, RunKind.INFERENCE
URL = "https://git.example.org/a/b.git"


def source(url: str = URL, ref: str = "main", commit: str = "") -> Source:
    """Return where the code comes from."""
    return Source(url, ref, commit)


FINE: list[dict[str, Any]] = [
    {},
    {"name": "a"},
    {"name": "resnet-50-lr3"},
    {"name": "-"},
    {"command": "echo \"$(id)\" `id` $'\\n' ; rm -rf /\n#SBATCH --uid=root\n"},
    {"command": "é" * 1000},
    {"command": "x" * LONGEST_COMMAND_BYTES},
    {"shape": Shape(128, 1024, 8, "a100")},
    {"lifetime_s": 60},
    {"lifetime_s": 30 * 24 * 3600},
    {"dataset": 1},
    {"parents": (Parent(TRAINING, 1), Parent(INFERENCE, 1))},
    {"environment": "torch-2.1"},
    {"source": source()},
    {"source": source(ref="feature/x")},
    {"source": source(commit="0a1B" * 10)},
    {"source": source("git@git.example.org:a/b.git", "")},
    {"variables": (("A", "1"), ("_b.c-d", "two\nlines 'é'"))},
    {"ports": (1, 8080, 65_535)},
    {"memo": "several\nlines of é"},
    {"tags": ("a", "良い", "b")},
]


@pytest.mark.parametrize("chosen", FINE)
def test_what_is_fine_stays_as_it_is(chosen: dict[str, Any]) -> None:
    spec = replace(PLAIN, **chosen)
    expected = replace(spec, tags=tuple(sorted(spec.tags)))
    assert checked_spec(TRAINING, spec, RULES) == expected


HOSTILE: list[tuple[str, dict[str, Any]]] = [
    ("name", {"name": ""}),
    ("name", {"name": "a" * 31}),
    ("name", {"name": "First"}),
    ("name", {"name": "first\n"}),
    ("name", {"name": "a b"}),
    ("name", {"name": "\uff11"}),
    ("name", {"name": "--uid=root;"}),
    ("tenant", {"tenant": "vision\n#SBATCH --uid=root"}),
    ("tenant", {"tenant": ""}),
    ("queue", {"queue": "cpu,a100"}),
    ("queue", {"queue": "-pcpu"}),
    ("command", {"command": ""}),
    ("command", {"command": " \n\t"}),
    ("command", {"command": "a\0b"}),
    ("command", {"command": "a\ud800"}),
    ("command", {"command": "é" * (LONGEST_COMMAND_BYTES // 2 + 1)}),
    ("cpus", {"shape": Shape(0, 1024)}),
    ("memory_mb", {"shape": Shape(1, 0)}),
    ("gpus", {"shape": Shape(1, 1, -1)}),
    ("gpu_type", {"shape": Shape(1, 1, 1, "a100:8")}),
    ("gpu_type", {"shape": Shape(1, 1, 0, "a100")}),
    ("lifetime", {"lifetime_s": 59}),
    ("lifetime", {"lifetime_s": -1}),
    ("lifetime", {"lifetime_s": 30 * 24 * 3600 + 1}),
    ("dataset", {"dataset": 0}),
    ("dataset", {"dataset": 2**63}),
    ("parents", {"parents": (Parent(TRAINING, 0),)}),
    ("parents", {"parents": (Parent(RunKind.PREPROCESSING, 1),)}),
    ("parents", {"parents": (Parent(TRAINING, 1),) * 2}),
    ("parents", {"parents": tuple(Parent(TRAINING, at) for at in range(1, 22))}),
    ("environment", {"environment": "../torch"}),
    ("environment", {"environment": "a b"}),
    ("repository", {"source": source("file:///etc/passwd")}),
    ("repository", {"source": source("--upload-pack=/bin/sh")}),
    ("repository", {"source": source("ext::sh -c id")}),
    ("repository", {"source": source("ssh://-oProxyCommand=id/a.git")}),
    ("repository", {"source": source("https://u:secret@git.example.org/a.git")}),
    ("ref", {"source": source(ref="--upload-pack=id")}),
    ("ref", {"source": source(ref="a..b")}),
    ("ref", {"source": source(ref="a b")}),
    ("commit", {"source": source(commit="HEAD")}),
    ("commit", {"source": source(commit="1" * 41)}),
    ("variables", {"variables": (("1A", "x"),)}),
    ("variables", {"variables": (("A=B", "x"),)}),
    ("variables", {"variables": (("A", "x"), ("A", "y"))}),
    ("variables", {"variables": (("KQI_SERVER", "x"),)}),
    ("variables", {"variables": (("SLURM_JOB_ID", "1"),)}),
    ("variables", {"variables": (("A", "\0"),)}),
    ("variables", {"variables": (("A", "x" * 4097),)}),
    ("variables", {"variables": tuple((f"V{at}", "") for at in range(101))}),
    ("ports", {"ports": (0,)}),
    ("ports", {"ports": (65_536,)}),
    ("ports", {"ports": (-1,)}),
    ("ports", {"ports": (80, 80)}),
    ("ports", {"ports": tuple(range(1, 34))}),
    ("memo", {"memo": "\0"}),
    ("memo", {"memo": "x" * 100_000}),
    ("tag", {"tags": ("a,b",)}),
    ("tag", {"tags": ("!a",)}),
    ("tag", {"tags": ("",)}),
    ("tag", {"tags": ("a\nb",)}),
    ("tags", {"tags": tuple(f"t{at}" for at in range(51))}),
]


@pytest.mark.parametrize(("field", "chosen"), HOSTILE)
def test_what_is_hostile_is_refused_by_its_fields_name(
    field: str, chosen: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked_spec(TRAINING, replace(PLAIN, **chosen), RULES)
    assert refused.value.message.startswith(f"{field}: ")
    assert refused.value.hint
    # What was typed is shown shortened and escaped, or not at all.
    assert len(refused.value.message) < 300
    assert refused.value.message.isprintable()


def test_a_preprocessing_has_no_parents() -> None:
    spec = replace(PLAIN, parents=(Parent(TRAINING, 1),))
    with pytest.raises(InvalidInput, match="cannot be a parent"):
        checked_spec(RunKind.PREPROCESSING, spec, RULES)


def test_tags_are_trimmed_and_each_is_there_once() -> None:
    spec = checked_spec(TRAINING, replace(PLAIN, tags=(" b", "a", "b")), RULES)
    assert spec.tags == ("a", "b")


def test_line_ends_of_browsers_become_those_of_unix() -> None:
    assert checked_command("a\r\nb\r\n") == "a\nb\n"


@settings(max_examples=300)
@given(st.text())
def test_a_command_is_kept_as_it_was_typed_or_refused(text: str) -> None:
    plain = text.replace("\r\n", "\n")
    try:
        assert checked_command(text) == plain
    except InvalidInput:
        assert not plain.strip() or "\0" in plain


@pytest.mark.parametrize(
    "change",
    [
        RunChange(name="A B"),
        RunChange(memo="\0"),
        RunChange(tags=("a,b",)),
        RunChange(add_tags=("",)),
    ],
)
def test_a_change_follows_the_same_rules(change: RunChange) -> None:
    with pytest.raises(InvalidInput):
        checked_change(change)


def test_a_change_that_leaves_everything_is_fine() -> None:
    assert checked_change(RunChange()) == RunChange()
