"""Runs as years of use leave them behind, and what people ask of their lists."""

import random
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Engine, insert, update

from kqi_hub.db.datasets import SqlDatasetStore
from kqi_hub.db.engine import writing
from kqi_hub.db.run_asking import add_runs
from kqi_hub.db.run_rows import PARENTS, RUNS, put_parents
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.filters import Part, Span, TagRule
from kqi_hub.domain.notebooks import Shape
from kqi_hub.domain.run_list import RunColumn, RunFilter
from kqi_hub.domain.run_ports import NewRun
from kqi_hub.domain.runs import LIVE, RunKind, RunSpec, RunState, Source

_CHUNK: Final = 5000
_TENANTS: Final = ("vision", "nlp", "speech")
_NOW: Final = 1_795_000_000.0
_WORDS: Final = [
    "resnet",
    "bert",
    "whisper",
    "vit",
    "unet",
    "yolo",
    "t5",
    "llama",
    "moco",
    "clip",
]


@dataclass(frozen=True)
class Question:
    """A list that somebody looks at."""

    name: str
    wanted: RunFilter


def questions() -> tuple[Question, ...]:
    """Return what people ask of a list: from its first page to a search in vain."""
    ours = RunFilter(RunKind.TRAINING, ("vision",))
    everybodys = RunFilter(RunKind.TRAINING, None)
    return (
        Question("first page", ours),
        Question("first page of an operator", everybodys),
        Question("page 300", replace(ours, offset=29_900)),
        Question("last page", replace(everybodys, offset=89_900)),
        Question("by name", replace(ours, sort=RunColumn.NAME)),
        Question(
            "page 300 by name", replace(everybodys, sort=RunColumn.NAME, offset=29_900)
        ),
        Question("by value", replace(ours, sort=RunColumn.VALUE)),
        Question(
            "by value, upwards",
            replace(ours, sort=RunColumn.VALUE, is_descending=False),
        ),
        Question("by end", replace(everybodys, sort=RunColumn.ENDED_AT)),
        Question("live", replace(ours, states=LIVE)),
        Question("a number", replace(ours, id=Span(77_777, 77_778))),
        Question("a word of names", replace(ours, name=Part("llama"))),
        Question("a word no name has", replace(everybodys, name=Part("nothing"))),
        Question(
            "not a word", replace(everybodys, name=Part("llama", is_refused=True))
        ),
        Question("a word of memos", replace(everybodys, memo=Part("seed 99"))),
        Question(
            "a word of commands", replace(everybodys, command=Part("--lr 0.0077"))
        ),
        Question(
            "a word no command has",
            replace(everybodys, command=Part("nothing of that kind")),
        ),
        Question("every command's word", replace(everybodys, command=Part("train"))),
        Question(
            "every command's word by name",
            replace(everybodys, command=Part("train"), sort=RunColumn.NAME),
        ),
        Question("a letter of commands", replace(everybodys, command=Part("a"))),
        Question("two letters of commands", replace(everybodys, command=Part("lr"))),
        Question("two digits of memos", replace(everybodys, memo=Part("99"))),
        Question("an É in memos", replace(everybodys, memo=Part("É"))),
        Question("école in memos", replace(everybodys, memo=Part("École"))),
        Question("one person's", replace(ours, owner=Part("user07"))),
        Question("a dataset's", replace(everybodys, dataset=Part("signs 3"))),
        Question("every dataset's", replace(everybodys, dataset=Part("signs"))),
        Question("a letter of parents", replace(everybodys, parent_name=Part("e"))),
        Question("a parent's", replace(everybodys, parent_name=Part("whisper"))),
        Question("two tags", replace(ours, tags=TagRule(("tag-1", "tag-2")))),
        Question("without a tag", replace(everybodys, tags=TagRule((), ("tag-1",)))),
        Question(
            "all at once",
            replace(ours, name=Part("vit"), memo=Part("seed 9"), states=LIVE),
        ),
    )


def fill(engine: Engine, count: int) -> None:
    """Store runs as years of use leave them behind; nine of ten are trainings."""
    dice = random.Random(7)  # noqa: S311 - the same runs each time, no secret
    sets = SqlDatasetStore(engine)
    datasets = [
        sets.create(NewDataset(tenant, f"signs {at}", "", False, ()), "u", _NOW).id
        for at in range(20)
        for tenant in _TENANTS
    ]
    for start in range(0, count, _CHUNK):
        with writing(engine) as connection:
            new = [_new(dice, at) for at in range(start, start + _CHUNK)]
            numbers = add_runs(connection, new, _NOW + start)
            parents = [
                {"run": number, "parent": dice.choice(numbers)}
                for number, one in zip(numbers, new, strict=True)
                if one.kind is RunKind.INFERENCE or number % 5 == 0
            ]
            connection.execute(insert(PARENTS), parents)
            put_parents(connection, [one["run"] for one in parents])
    with writing(engine) as connection:
        c = RUNS.c
        connection.execute(
            update(RUNS).values(
                dataset=datasets[0] + c.number % len(datasets),
                began_at=c.asked_at + 60,
                asked_at=c.asked_at + c.number % _CHUNK,
            )
        )
        is_over = c.number <= count - 500
        ended = update(RUNS).where(is_over)
        for at, state in enumerate((RunState.COMPLETED, RunState.FAILED)):
            connection.execute(
                ended.where(c.number % 2 == at).values(
                    state=state.value,
                    ended_at=c.asked_at + 3600,
                    settled_at=c.asked_at + 3601,
                    value_number=c.number * 7919 % 1000,
                )
            )


def _new(dice: random.Random, at: int) -> NewRun:
    kind = RunKind.INFERENCE if at % 10 == 0 else RunKind.TRAINING
    spec = RunSpec(
        name=f"{dice.choice(_WORDS)}-{dice.choice(_WORDS)}-{at}",
        tenant=_TENANTS[0] if dice.random() < 0.7 else dice.choice(_TENANTS),
        queue="a100",
        command=f"python train.py --data /kqi/input --out /kqi/output "
        f"--lr {dice.random():.4f} --epochs {dice.randrange(200)}",
        shape=Shape(8, 65_536, 1, "a100"),
        environment="torch",
        source=Source("https://git.example.org/vision/model.git", "main", "1" * 40),
        variables=(("SEED", str(at)),),
        memo=f"What happens with seed {dice.randrange(1000)}, and more of the same",
        tags=tuple({f"tag-{dice.randrange(40)}" for _ in range(3)}),
    )
    return NewRun(kind, f"user{at % 40:02}", f"key{at}", spec)
