"""A run as the command tells of it."""

from collections.abc import Callable, Iterator

from kqi_hub.cli.amounts import files, size
from kqi_hub.cli.notebook_figures import span, spent
from kqi_hub.cli.output import moment, say
from kqi_hub.sdk.run_models import Run


def told(run: Run) -> Iterator[str]:
    """Tell what a run is like now, line by line."""
    owner = f"{run.owner}, {run.owner_name}" if run.owner_name else run.owner
    yield f"{run.kind} {run.id}: {run.name} (tenant {run.tenant}, of {owner})"
    for label, text in _facts(run):
        if text:
            # Lines of a text stand below each other.
            yield f"{label + ':':<13}" + text.replace("\n", f"\n{'':13}")


def ended(run: Run) -> str:
    """Tell how a run ended, in a sentence."""
    code = "" if run.exit_code is None else f", exit code {run.exit_code}"
    why = f" ({run.detail})" if run.detail else ""
    value = f", value {run.value}" if run.value else ""
    return f"{run.kind.capitalize()} {run.id} is {run.state}{why}{code}{value}."


def teller() -> Callable[[Run], None]:
    """Return what tells each new state and each new reason to wait, once."""
    heard: set[str] = set()

    def tell(run: Run) -> None:
        if run.is_live:
            node = f" on {run.node}" if run.node else ""
            job = f" (job {run.job_id})" if run.job_id else ""
            for text in (f"{run.status}{node}{job}", _why(run)):
                if text and text not in heard:
                    heard.add(text)
                    say(text)

    return tell


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    kept = "" if run.files is None else f"{files(run.files)}, {size(run.bytes)}"
    gpus = f", {run.gpus} GPU {run.gpu_type}".rstrip() if run.gpus else ""
    asked = run.choices or {}
    source = asked.get("source") or {}
    yield "state", " ".join(filter(None, (run.status, run.detail)))
    yield "waits", _why(run)
    yield "job", "" if run.job_id is None else f"{run.job_id} {run.node}".strip()
    yield "queue", f"{run.queue}: {run.cpus} CPU, {run.memory_mb} MB{gpus}"
    yield "asked", moment(int(run.asked_at))
    for label, at in (("began", run.began_at), ("ended", run.ended_at)):
        yield label, "" if at is None else moment(int(at))
    yield "ran", span(run.ran_s)
    yield "exit code", "" if run.exit_code is None else str(run.exit_code)
    yield "value", run.value
    is_open = not run.is_live and not run.is_billed
    yield "cost", spent(run.cost_micro, run.price, is_open=is_open)
    yield "dataset", str(run.dataset or "")
    yield "reads", ", ".join(f"{one['kind']} {one['id']}" for one in run.parents)
    yield "read by", ", ".join(f"{one['kind']} {one['id']}" for one in run.children)
    yield "environment", run.environment
    yield "image", run.image
    yield "code", " ".join(source[n] for n in ("url", "ref", "commit") if n in source)
    yield "command", str(asked.get("command", "")).strip()
    yield "tags", ", ".join(run.tags)
    yield "memo", run.memo
    yield "folder", run.folder
    yield "output", kept
    yield "used", "" if run.use is None else str(run.use["text"])


def _why(run: Run) -> str:
    if run.waiting is None:
        return ""
    starts_at = run.waiting.get("starts_at")
    when = f"Expected start: {moment(starts_at)}." if starts_at else ""
    words = (run.waiting["text"], run.waiting.get("hint", ""), when)
    return " ".join(filter(None, words))
