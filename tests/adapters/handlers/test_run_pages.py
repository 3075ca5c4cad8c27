"""Forms of runs with hostile fields, links that fill them in, choices of several."""

from html import unescape

import pytest

from kqi_hub.domain.runs import Run
from tests.adapters.handlers.browser import Browser
from tests.fakes.site import FakeSite

FORM = {
    "name": "trial",
    "tenant": "vision",
    "queue": "cpu",
    "cpus": "2",
    "memory_gb": "8",
    "gpus": "0",
    "lifetime_h": "4",
    "staging": "link",
    "command": "true",
    "zip": "yes",
    "keeps_refused": "yes",
    "then": "start",
}
TEXTS = (
    "echo 'it''s' \"$(id)\" `id` ${HOME}",
    "--uid=root",
    "#SBATCH --uid=root\ntrue",
    "\n\n  leading and trailing  \n",
    "</textarea><script>alert(1)</script>",
    "多い 👩🏽‍🔬 \u202e rtl \u200b",
    "x" * 65_536,
)


async def send(browser: Browser, **about: str) -> tuple[int, str]:
    """Send the form as mia; return the status and the page."""
    xsrf = (await browser.log_in("mia")).xsrf
    shown = await browser.send("training/new", {**FORM, "_xsrf": xsrf, **about})
    return shown.status, shown.main


def only_run(site: FakeSite) -> Run:
    [run] = site.runs.store.runs.values()
    return run


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
async def test_a_command_is_kept_exactly_as_it_was_typed(
    browser: Browser, site: FakeSite, text: str
) -> None:
    status, page = await send(browser, command=text.replace("\n", "\r\n"))
    assert status == 200
    assert only_run(site).spec.command == text
    assert "<script>alert" not in page


@pytest.mark.parametrize("text", TEXTS[:-1], ids=range(len(TEXTS) - 1))
async def test_a_memo_is_text_wherever_it_is_shown(
    browser: Browser, site: FakeSite, text: str
) -> None:
    await send(browser, memo=text)
    for path in ("training/1", "training?tenant=vision", "training/new?copy_of=1"):
        shown = await browser.open(path)
        assert shown.status == 200
        assert "<script>alert" not in shown.text
        assert text.split()[0] in unescape(shown.main)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "Not allowed", "a-z, 0-9"),
        ("name", "--uid=root", ""),
        ("name", "a" * 31, "1 to 30"),
        ("command", "", "nothing to run"),
        ("command", "a\0b", "no shell can read"),
        ("command", "x" * 65_537, "longer than 64 KB"),
        ("command", "x" * 300_000, ""),
        ("variables", "1A=2", ""),
        ("variables", "nonsense", "Line 1 is not NAME=value"),
        ("ports", "70000", ""),
        ("ports", "6006, 6006x", "numbers of ports"),
        ("parents", "twelve", "numbers of runs"),
        ("parents", "999", "no training 999"),
        ("dataset", "999", "no dataset 999"),
        ("dataset", "-1", "number of a dataset"),
        ("lifetime_h", "1e9", "must be a number"),
        ("lifetime_h", "99999", ""),
        ("cpus", "٣", "whole number"),
        ("memory_gb", "nan", "must be a number"),
        ("queue", "cpu\n#SBATCH --uid=0", ""),
        ("queue", "of-nobody", ""),
        ("staging", "teleport", "one of: link, copy"),
        ("environment", "../../etc", ""),
        ("repository", "--upload-pack=touch /tmp/x", ""),
        ("ref", "main", ""),
        ("commit", "not hex", ""),
        ("tags", ", ".join(f"t{number}" for number in range(60)), "more than 50"),
    ],
)
async def test_what_may_not_be_is_refused_and_shown_again(
    browser: Browser, site: FakeSite, field: str, value: str, said: str
) -> None:
    status, page = await send(browser, **{field: value})
    assert 400 <= status < 500
    assert site.runs.store.runs == {}
    assert said in unescape(page)
    if len(value) < 100_000 and field != "staging":
        assert value.strip("\0")[:20].split("\n")[0] in unescape(page)


async def test_a_link_fills_in_the_form_and_starts_nothing(
    browser: Browser, site: FakeSite
) -> None:
    await browser.log_in("mia")
    way = "training/new?tenant=vision&name=linked&command=rm&then=start"
    shown = await browser.open(way)
    assert shown.status == 200
    assert "Filled in by a link" in shown.main
    assert site.runs.store.runs == {}


@pytest.mark.parametrize(
    "way",
    [
        "training/new?copy_of=999",
        "training/new?copy_of=x",
        "training/new?parent=999",
        "inference/1",
        "training/6",
        "training/0",
        "training/" + "9" * 30,
        "training/1/delete?tenant=vision",
    ],
)
async def test_what_is_not_there_is_not_found(
    browser: Browser, site: FakeSite, way: str
) -> None:
    site.runs.furnish("mia")
    await browser.log_in("mallory")
    if "inference/1" in way or "training/6" in way:
        await browser.log_in("mia")
    assert (await browser.open(way)).status == 404


@pytest.mark.parametrize(
    ("ids", "status"),
    [("", 400), ("x", 400), ("1,,2", 200), ("-1", 400), ("1 OR 1=1", 400),
     (",".join(str(n) for n in range(101)), 400), ("999", 200)],
)  # fmt: skip
async def test_a_choice_of_several_is_read_strictly(
    browser: Browser, site: FakeSite, ids: str, status: int
) -> None:
    site.runs.furnish("mia")
    xsrf = (await browser.log_in("mia")).xsrf
    sent = {"_xsrf": xsrf, "ids": ids, "then": "delete"}
    before = dict(site.runs.store.runs)
    shown = await browser.send("training/bulk?tenant=vision", sent)
    assert shown.status == status
    assert site.runs.store.runs == before


async def test_nobody_changes_somebody_elses_runs(
    browser: Browser, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    xsrf = (await browser.log_in("max")).xsrf
    for path, fields in (
        ("training/2/stop", {"as": "failed"}),
        ("training/3/delete", {}),
        ("training/1/edit", {"name": "mine", "memo": ""}),
        ("training/1/tags", {"tag": "mine", "then": "tag"}),
        ("training/1/favourite", {"favourite": "yes", "back": ""}),
    ):
        before = dict(site.runs.store.runs)
        shown = await browser.send(path, {"_xsrf": xsrf, **fields})
        assert shown.status == 403, path
        assert "belongs to mia" in shown.main
        assert site.runs.store.runs == before
