"""A run of a list, and the lines of the book that its cost is made of, in words."""

from dataclasses import dataclass, replace

from handlers.ask import Ask
from handlers.pages.jobs.words import KINDS, page_of, state_of
from handlers.pages.notebooks.money import in_exact_money, in_money
from handlers.pages.notebooks.words import Status
from handlers.pages.usage.figures import hours
from kqi_hub.domain.amounts import GPU
from kqi_hub.domain.charges import Priced, price
from kqi_hub.domain.job_records import JobRecord, gpus_of
from kqi_hub.domain.ledger import Entry, EntryKind
from kqi_hub.domain.money import MB_PER_GB, Rule, divided
from kqi_hub.domain.objections import in_words
from kqi_hub.domain.own_jobs import JobKind
from kqi_hub.domain.phrase import Phrase
from kqi_hub.domain.usage import UsedRun
from kqi_hub.domain.usage_periods import said_day, said_period
from kqi_hub.face.formats import Formats
from kqi_hub.i18n import N_


@dataclass(frozen=True, slots=True)
class Row:
    """A run as lists show it."""

    id: int
    run: UsedRun
    record: JobRecord
    name: str
    page: str
    status: Status
    size: str
    cost: str
    is_provisional: bool
    gpu_hours: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the book: what it is for, and how it came about, in words."""

    day: str
    period: str
    title: str
    words: str
    amount: str
    late: bool


def row_of(ask: Ask, run: UsedRun) -> Row:
    """Return a run as lists show it."""
    record = run.record
    kind = JobKind(run.kind) if run.kind in set(JobKind) else JobKind.OTHER
    word = f"{ask.texts.say(KINDS[kind])} {run.thing}"
    status = state_of(record.state.partition(" ")[0])
    return Row(
        id=run.id,
        run=run,
        record=record,
        name=record.name if run.thing is None else word,
        page=page_of(kind, run.thing),
        status=replace(status, word=ask.texts.say(status.word)),
        size=size_of(record),
        cost=in_money(ask, run.amount),
        is_provisional=bool(run.amount) and not record.is_final,
        gpu_hours=hours(ask, run.gpu_s),
    )


def size_of(record: JobRecord) -> str:
    """Return what a run had, in short."""
    gpus = [
        f"{count} GPU {kind}".rstrip() for kind, count in gpus_of(record.gpus).items()
    ]
    memory = f"{divided(record.memory_mb, MB_PER_GB)} GB"
    return " · ".join([f"{record.cpus} CPU", memory, *gpus])


def line_of(ask: Ask, run: UsedRun, entry: Entry) -> Line:
    """Return a line of the book, explained."""
    say = ask.texts.say
    titles = {
        EntryKind.CHARGE: say(N_("Charge")),
        EntryKind.CORRECTION: say(N_("Correction")),
        EntryKind.CREDIT: say(N_("Credit")),
    }
    month = said_period(entry.period)
    return Line(
        day=said_day(entry.day),
        period=month,
        title=titles[entry.kind],
        words=ask.texts.phrase(_words(ask, entry)),
        amount=in_exact_money(ask, entry.amount),
        late=not said_day(entry.day).startswith(month),
    )


def prices_of(ask: Ask, run: UsedRun, entries: tuple[Entry, ...]) -> list[str]:
    """Return what an hour cost under each card of rates, and why that much."""
    pricing = ask.deps.queues.pricing
    cards = {card.version: card for card in pricing.tariff.cards}
    versions = sorted({one.version for one in entries if one.version is not None})
    found = []
    for version in versions:
        card = cards.get(version)
        if card is None:
            continue
        priced = price(run.record, pricing.tariff, card, pricing.shapes)
        terms = card.tenants.get(run.record.account)
        factor = card.qos.get(run.record.qos)
        found.append(_price_words(ask, version, priced))
        if factor is not None:
            text = N_("QOS {qos}: {factor} times the price.")
            found.append(
                ask.texts.say(
                    text,
                    {"qos": run.record.qos, "factor": f"{factor / 1_000_000:g}"},
                )
            )
        if terms is not None and terms.discount:
            text = N_("Tenant {tenant} pays {percent} % less.")
            percent = f"{terms.discount / 10_000:g}"
            values = {"tenant": run.record.account, "percent": percent}
            found.append(ask.texts.say(text, values))
    return found


def _words(ask: Ask, entry: Entry) -> Phrase:
    time = Formats(ask.texts.language, ask.deps.site.timezone).span(entry.seconds)
    if entry.kind is not EntryKind.CHARGE:
        return Phrase(
            N_("{reason} (by {author})"), reason=entry.reason, author=entry.author
        )
    if entry.per_hour is None:
        return Phrase(N_("{time} without a price"), time=time)
    if not entry.per_hour:
        return Phrase(N_("{time}, free"), time=time)
    return Phrase(
        N_("{time} at {price} an hour, card {card}"),
        time=time,
        price=in_exact_money(ask, entry.per_hour),
        card=entry.version,
    )


def _price_words(ask: Ask, version: int, priced: Priced) -> str:
    say = ask.texts.say
    line, takes = priced.line, priced.takes
    if line is None:
        return say(N_("Card {card} has no price for it."), {"card": str(version)})
    if line.is_free:
        return say(N_("Card {card}: this queue is free."), {"card": str(version)})
    parts = (
        (line.cpu, "cpu", takes.cpus),
        (line.memory_gb, "mem", takes.memory_mb),
        (line.gpu, GPU, takes.gpu_total),
        (line.node, "node", takes.nodes),
    )
    told = [
        f"{ask.texts.phrase(in_words(resource, amount))} x {in_exact_money(ask, each)}"
        for each, resource, amount in parts
        if each
    ]
    joined = (" + " if line.rule is Rule.SUM else " | ").join(told)
    text = (
        N_("Card {card}, an hour: {parts}")
        if line.rule is Rule.SUM
        else N_("Card {card}, an hour: the largest of {parts}")
    )
    said = say(text, {"card": str(version), "parts": joined})
    whole = say(N_("The whole node is paid for, whatever was asked of it."))
    return f"{said}. {whole}" if line.whole_node else said
