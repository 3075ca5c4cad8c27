"""Forms of runs with hostile fields, links that fill them in, choices of several."""

from dataclasses import replace
from html import unescape

import pytest

from kqi_hub.domain.data import Placed
from kqi_hub.domain.datasets import NewDataset
from kqi_hub.domain.runs import Run, RunState
from kqi_hub.domain.upload_ports import NewData
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


async def test_what_a_run_has_used_stands_beside_what_it_asked_for(
    browser: Browser, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    await browser.log_in("mia")
    page = (await browser.open("training/1")).main
    for text in ("0.8 of 2 CPU", "0.9 of 8 GB memory", "its processes"):
        assert text in page
    # Its figures over time are the owner's own, as its files are.
    assert "data-run-use" in page
    page = (await browser.open("training/4")).main
    assert "of 2 CPU" not in page
    assert "data-run-use" not in page


async def test_others_of_the_tenant_see_what_was_used_but_no_figures_over_time(
    browser: Browser, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    done = site.runs.store.runs[1]
    site.runs.store.runs[1] = replace(done, spec=replace(done.spec, zip=False))
    await browser.log_in("max")
    page = (await browser.open("training/1")).main
    # Nor a line that fetches what only its owner can read.
    assert "download-files" not in page
    assert "0.8 of 2 CPU" in page
    assert "data-run-use" not in page


@pytest.mark.parametrize(
    ("number", "is_zipped", "state", "is_shown"),
    [
        (1, False, RunState.COMPLETED, True),
        (1, True, RunState.COMPLETED, False),
        # What has failed is not packed, whatever was chosen.
        (3, True, RunState.FAILED, True),
        (5, False, RunState.PREPARED, False),
    ],
)
async def test_results_that_are_not_packed_have_the_line_that_fetches_them(
    browser: Browser, site: FakeSite, number: int, is_zipped: bool,
    state: RunState, is_shown: bool,
) -> None:  # fmt: skip
    site.runs.furnish("mia")
    run = site.runs.store.runs[number]
    site.runs.store.runs[number] = replace(
        run, state=state, spec=replace(run.spec, zip=is_zipped)
    )
    await browser.log_in("mia")
    line = f"kqi training download-files {number} --destination training-{number}"
    page = (await browser.open(f"training/{number}")).main
    assert (line in page) is is_shown


async def test_an_inference_has_no_tensorboard(
    browser: Browser, site: FakeSite
) -> None:
    site.runs.furnish("mia")
    await browser.log_in("mia")
    for path, has_board in (("training/1", True), ("inference/6", False)):
        page = (await browser.open(path)).main
        assert 'id="places"' in page
        assert ("data-run-tensorboard" in page) is has_board
        assert ("Start TensorBoard" in page) is has_board


async def test_the_form_shows_the_paths_of_the_dataset_and_whose_they_are(
    browser: Browser, site: FakeSite
) -> None:
    await site.data.furnish("mia")
    await site.data.make("mia", NewData("vision", "<b>photo's"))
    entries = (Placed("training", 1), Placed("testing", 3))
    new = NewDataset("vision", "both", "", False, entries)
    made = site.data.datasets.create(new, "mia", 1)
    await browser.log_in("mia")
    for kind in ("training", "inference"):
        way = f"{kind}/new?tenant=vision&dataset={made.id}"
        _, _, seen = (await browser.open(way)).main.partition("data-seen=")
        assert "hidden" not in seen.partition(">")[0]
        for number, name in ((1, "street signs"), (3, "&lt;b&gt;photo&#39;s")):
            folder = "training" if number == 1 else "testing"
            assert f"/kqi/input/{folder}/{number}/" in seen
            assert f">{name}</span>" in seen
        assert f"datasets/{made.id}/paths?tenant=vision" in seen
    for typed in ("", "999", "-1", "x", "9" * 18, "9" * 20):
        page = (await browser.open(f"training/new?tenant=vision&dataset={typed}")).main
        assert "hidden" in page.partition("data-seen=")[2].partition(">")[0], typed
        assert "/kqi/input/t" not in page
