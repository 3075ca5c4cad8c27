"""The pages of preprocessings: what they show, keep and refuse."""

import html
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import pytest

from kqi_hub.domain.errors import RegistryUnavailable
from kqi_hub.domain.run_use import RunUse
from kqi_hub.domain.runs import RunState
from tests.adapters.handlers.browser import Browser, Shown, browsing
from tests.fakes.images import DIGEST
from tests.fakes.site import FakeSite
from tests.fakes.site_preprocessings import DONE_RUN, WAITING_RUN

SENT = {"name": "edges", "command": "python edges.py", "cpus": "2", "memory_gb": "4"}
BATCH = {"data": "1, #2", "queue": "cpu", "cpus": "1", "memory_gb": "1", "gpus": "0"}
BATCH |= {"lifetime_h": "4"}


@dataclass
class Web:
    """Open pages and send forms as several people, each with a browser of their own."""

    site: FakeSite
    stack: AsyncExitStack
    browsers: dict[str, tuple[Browser, str]] = field(default_factory=dict)

    async def __call__(
        self, path: str, person: str, form: Mapping[str, str] | None = None
    ) -> Shown:
        if person not in self.browsers:
            browser = await self.stack.enter_async_context(browsing(self.site))
            self.browsers[person] = browser, (await browser.log_in(person)).xsrf
        browser, xsrf = self.browsers[person]
        there = f"{path}{'&' if '?' in path else '?'}tenant=vision"
        if form is None:
            return await browser.open(there)
        return await browser.send(there, {"_xsrf": xsrf, **form})


@pytest.fixture
async def ask(site: FakeSite) -> AsyncIterator[Web]:
    async with AsyncExitStack() as stack:
        yield Web(site, stack)


@pytest.fixture
async def known(site: FakeSite) -> FakeSite:
    """Give mia preprocessings 1, which has run, and 2."""
    await site.data.furnish("mia")
    site.runs.furnish("mia")
    site.preprocessings.furnish("mia")
    return site


async def test_without_any_the_list_says_what_they_are(ask: Web) -> None:
    page = (await ask("preprocessing", "mia")).text
    assert "No preprocessings yet" in page
    assert "Define the first preprocessing" in page
    assert "Define the first" not in (await ask("preprocessing", "victor")).text


async def test_the_list_is_filtered(known: FakeSite, ask: Web) -> None:
    page = (await ask("preprocessing", "mia")).text
    assert "resize 224" in page
    assert "crop" in page
    found = (await ask("preprocessing?name=!crop", "mia")).text
    assert "resize 224" in found
    assert ">crop<" not in found
    assert "No preprocessing fits" in (await ask("preprocessing?name=zzz", "mia")).text


async def test_a_page_shows_recipe_and_runs(known: FakeSite, ask: Web) -> None:
    page = (await ask("preprocessing/1", "mia")).text
    assert "python resize.py" in page
    assert "Has run" in page
    assert "Data 1" in page
    assert f"preprocessing-runs/{WAITING_RUN}" in page
    assert (await ask("preprocessing/99", "mia")).status == 404
    assert (await ask("preprocessing/1", "mallory")).status in {403, 404}


async def test_one_is_defined_with_its_name_alone(known: FakeSite, ask: Web) -> None:
    made = await ask("preprocessing/new", "mia", form={"name": "bare"})
    assert made.status in {200, 302, 303}
    assert known.preprocessings.store.known[3].name == "bare"
    page = (await ask("preprocessing/3", "mia")).text
    assert "It has no command yet" in page
    assert "Run on data" not in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "1 to 100 characters"), ({"name": "a,b"}, "no comma"),
        ({"cpus": "1e9"}, "must be a whole number"), ({"memory_gb": "x"}, "a number"),
        ({"repository": "--upload-pack=x"}, "not the address"),
        ({"environment": "../x"}, "environment"), ({"image": "--rm"}, "cannot be the"),
        ({"image": "a/b", "environment": "torch"}, "Leave one of the two empty"),
        ({"command": "a\0b"}, "NUL"),
    ],
)  # fmt: skip
async def test_what_cannot_be_kept_is_told_and_nothing_typed_is_lost(
    known: FakeSite, ask: Web, change: dict[str, str], said: str
) -> None:
    memo = "<b>what it is for</b>"
    answer = await ask("preprocessing/new", "mia", form=SENT | {"memo": memo} | change)
    assert answer.status == 400
    text = html.unescape(answer.text)
    assert said in text
    assert memo in text
    assert memo not in answer.text
    assert len(known.preprocessings.store.known) == 2


async def test_what_has_run_keeps_what_it_does(known: FakeSite, ask: Web) -> None:
    form = (await ask("preprocessing/1/edit", "mia")).text
    assert "readonly" in form
    sent = SENT | {"command": "rm -rf /", "name": "renamed"}
    await ask("preprocessing/1/edit", "mia", form=sent)
    found = known.preprocessings.store.known[1]
    assert (found.name, found.command) == ("renamed", "python resize.py")
    assert found.shape.cpus == 2
    await ask("preprocessing/2/edit", "mia", form=sent)
    assert known.preprocessings.store.known[2].command == "rm -rf /"
    assert (await ask("preprocessing/1/edit", "victor")).status == 403


async def test_it_is_run_on_data_of_a_link(known: FakeSite, ask: Web) -> None:
    form = (await ask("preprocessing/2/run?data=1,2", "mia")).text
    assert ">1,2</textarea>" in form
    await ask("preprocessing/2/run", "mia", form=BATCH)
    runs = [one for one in known.runs.store.runs.values() if one.preprocessing == 2]
    assert [one.data for one in runs] == [1, 2]
    assert known.runs.submission.begun == [runs[0].key]


async def test_data_that_were_chosen_lead_to_the_form_of_one(
    known: FakeSite, ask: Web
) -> None:
    assert "preprocessing?of=1&amp;tenant=vision" in (await ask("data/1", "mia")).text
    page = html.unescape((await ask("preprocessing?of=1,2", "mia")).text)
    assert "to be run on data 1,2" in page
    assert "preprocessing/2/run?data=1%2C2&tenant=vision" in page
    shown = (await ask("preprocessing?of=1,2", "victor")).text
    assert "/run?data" not in shown


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"data": ""}, 400, "1 to 1000 data"), ({"data": "1;2"}, 400, "of data"),
        ({"data": "77"}, 400, "there are no data 77"), ({"queue": ""}, 400, "queue"),
        ({"lifetime_h": "never"}, 400, "must be a number"),
    ],
)  # fmt: skip
async def test_a_run_that_cannot_be_is_told(
    known: FakeSite, ask: Web, change: dict[str, str], status: int, said: str
) -> None:
    answer = await ask("preprocessing/2/run", "mia", form=BATCH | change)
    assert answer.status == status
    assert said in html.unescape(answer.text)
    assert len(known.runs.store.runs) == 9


async def test_it_runs_once_on_each_item(known: FakeSite, ask: Web) -> None:
    answer = await ask("preprocessing/1/run", "mia", form=BATCH)
    assert answer.status == 409
    assert "has been run on data 1, by run 8" in answer.text
    skipped = await ask("preprocessing/1/run", "mia", form=BATCH | {"skips_done": "y"})
    assert "has been run on all of these data" in skipped.text


async def test_a_run_shows_what_it_has_used_to_its_owner_alone_over_time(
    known: FakeSite, ask: Web
) -> None:
    runs = known.runs.store.runs
    runs[DONE_RUN] = replace(
        runs[DONE_RUN], use=RunUse("cgroup v2", 60.0, 30.0, 1.0, 300.0, 512.0)
    )
    page = (await ask(f"preprocessing-runs/{DONE_RUN}", "mia")).text
    assert "0.5 of" in page
    assert 'data-kind="preprocessing" data-run="8"' in page
    others = (await ask(f"preprocessing-runs/{DONE_RUN}", "victor")).text
    assert "0.5 of" in others
    assert "data-run-use" not in others


async def test_a_run_is_shown_with_what_it_made(known: FakeSite, ask: Web) -> None:
    page = (await ask(f"preprocessing-runs/{DONE_RUN}", "mia")).text
    assert "Data that it has made" in page
    assert 'id="delete"' in page
    assert "log/120_0.log" in page
    assert re.search(r'data-save-log="preproc_stdout_stderr_\d+_\d+\.log"', page)
    others = (await ask(f"preprocessing-runs/{DONE_RUN}", "victor")).text
    assert "log/120_0.log" not in others
    assert 'id="delete"' not in others
    assert (await ask("preprocessing-runs/1", "mia")).status == 404


async def test_who_started_a_run_is_shown_with_their_name(
    known: FakeSite, ask: Web
) -> None:
    pages = (f"preprocessing-runs/{DONE_RUN}", "preprocessing/1", "training/1")
    for page in (*pages, "training"):
        assert "Mia &lt;b&gt;" not in (await ask(page, "max")).main
    known.runs.store.people["mia"] = "Mia <b>"
    for page in (*pages, "training"):
        shown = (await ask(page, "max")).main
        assert "Mia &lt;b&gt;" in shown, page
        assert "Mia <b>" not in shown, page


async def test_a_start_leads_to_the_history_or_back_and_that_is_remembered(
    known: FakeSite, ask: Web
) -> None:
    page = (await ask("preprocessing?of=1", "mia")).text
    assert "back=data%2F1%3Ftenant%3Dvision" in page
    at = "preprocessing/2/run?back=data%2F1"
    checked = 'name="opens_history" value="yes" aria-describedby="hint-opens_history" c'
    form = (await ask(at, "mia")).text
    assert checked in form
    assert 'name="back" value="data/1"' in form
    off = BATCH | {"back": "data/1", "data": "1"}
    assert (await ask("preprocessing/2/run", "mia", form=off)).url.endswith("/data/1")
    assert checked not in (await ask(at, "mia")).text
    assert checked in (await ask(at, "max")).text
    on = off | {"opens_history": "yes", "data": "2"}
    shown = await ask("preprocessing/2/run", "mia", form=on)
    assert shown.url.endswith("/preprocessing/2?tenant=vision")
    assert checked in (await ask(at, "mia")).text


@pytest.mark.parametrize(
    "back",
    ["", "//evil.example", "https://evil.example/", "../../hub", "a\nb", "javascript:1",
     "\\evil", "data/1#é", "a" * 900],
)  # fmt: skip
async def test_nobody_is_led_away_by_a_start(
    known: FakeSite, ask: Web, back: str
) -> None:
    form = await ask(f"preprocessing/2/run?{urlencode({'back': back})}", "mia")
    assert 'name="back" value="preprocessing/2?tenant=vision"' in form.text
    sent = BATCH | {"back": back[:1000]}
    shown = await ask("preprocessing/2/run", "mia", form=sent)
    assert shown.url.endswith("/preprocessing/2?tenant=vision")


async def test_a_run_is_stopped_and_deleted(known: FakeSite, ask: Web) -> None:
    at = f"preprocessing-runs/{WAITING_RUN}"
    await ask(f"{at}/stop", "mia", form={})
    assert known.runs.store.runs[WAITING_RUN].stopping is RunState.USER_CANCELED
    assert "End its job and delete it" in (await ask(f"{at}/delete", "mia")).text
    await ask(f"{at}/delete", "mia", form={})
    assert known.runs.store.runs[WAITING_RUN].going_at is not None
    assert "It is being deleted already" in (await ask(f"{at}/delete", "mia")).text
    assert "Being deleted" in (await ask(at, "mia")).text
    sure = (await ask(f"preprocessing-runs/{DONE_RUN}/delete", "mia")).text
    assert "Delete it" in sure
    await ask(f"preprocessing-runs/{DONE_RUN}/delete", "mia", form={})
    assert DONE_RUN not in known.runs.store.runs
    assert (await ask("preprocessing/1/delete", "mia", form={})).status == 409
    await ask("preprocessing/2/delete", "mia", form={})
    assert list(known.preprocessings.store.known) == [1]


async def test_what_people_typed_is_text_not_markup(known: FakeSite, ask: Web) -> None:
    evil = '<img src=x onerror="alert(1)">'
    store = known.preprocessings.store
    store.known[1] = replace(store.known[1], name=evil, memo=evil, command=evil)
    run = known.runs.store.runs[DONE_RUN]
    known.runs.store.runs[DONE_RUN] = replace(run, name=evil, detail=evil, node=evil)
    for page in (
        "preprocessing", "preprocessing/1", "preprocessing/1/edit",
        "preprocessing/1/run", "preprocessing/1/delete",
        f"preprocessing-runs/{DONE_RUN}", f"preprocessing-runs/{DONE_RUN}/delete",
    ):  # fmt: skip
        answer = await ask(page, "mia")
        assert answer.status == 200, page
        assert "<img src=x" not in answer.text


async def test_an_image_is_defined_shown_pinned_by_each_array_and_locked(
    known: FakeSite, ask: Web
) -> None:
    await ask("preprocessing/2/edit", "mia", form=SENT | {"image": " team/tool:1.0 "})
    page = (await ask("preprocessing/2", "mia")).text
    assert 'Container image</dt><dd class="anywhere">team/tool:1.0<' in page
    known.runs.images.refusal = RegistryUnavailable("It does not answer.", "Later.")
    answer = await ask("preprocessing/2/run", "mia", form=BATCH)
    assert (answer.status, "It does not answer." in answer.text) == (503, True)
    assert ">1, #2</textarea>" in answer.text
    known.runs.images.refusal = None
    await ask("preprocessing/2/run", "mia", form=BATCH)
    runs = [one for one in known.runs.store.runs.values() if one.preprocessing == 2]
    whole = f"images.example.org/team/tool:1.0@{DIGEST}"
    assert [one.spec.image for one in runs] == [whole, whole]
    assert whole in (await ask(f"preprocessing-runs/{runs[0].id}", "victor")).text
    await ask("preprocessing/2/edit", "mia", form=SENT | {"image": "team/other"})
    assert known.preprocessings.store.known[2].image == "team/tool:1.0"
    form = (await ask("preprocessing/2/edit", "mia")).text
    assert "data-images" not in form, "nothing is offered for what stays"


@pytest.mark.parametrize("image", ["--privileged", "<script>alert(1)</script>"])
async def test_what_is_no_image_is_told_at_its_field(
    known: FakeSite, ask: Web, image: str
) -> None:
    answer = await ask("preprocessing/new", "mia", form=SENT | {"image": image})
    assert (answer.status, "fault-image" in answer.text) == (400, True)
    assert f'value="{html.escape(image)}"' in answer.text


async def test_pages_show_what_the_array_has_used_together(
    ask: Web, known: FakeSite
) -> None:
    for path in ("preprocessing/1", f"preprocessing-runs/{WAITING_RUN}"):
        shown = await ask(path, "max")
        assert "Use of array 120" in shown.text, path
        assert "Of 1 tasks that have ended; tasks in all: 2." in shown.text
        assert "75 % (from 75 to 75)" in shown.text
        assert "without 1 tasks that accounting lacks yet" in shown.text
        assert "largest task: 0.9 of 1 GB memory" in shown.text
    run = known.runs.store.runs[DONE_RUN]
    known.runs.store.runs[DONE_RUN] = replace(run, use=None)
    assert "None of them has measured" in (await ask("preprocessing/1", "mia")).text


async def test_an_array_of_which_no_task_has_ended_says_so(
    ask: Web, known: FakeSite
) -> None:
    run = known.runs.store.runs[DONE_RUN]
    known.runs.store.runs[DONE_RUN] = replace(run, state=RunState.RUNNING, use=None)
    shown = await ask("preprocessing/1", "mia")
    assert "No task has ended yet; tasks: 2." in shown.text
    assert "CPUs busy" not in shown.text
    assert "measured" not in shown.text


async def test_one_task_is_no_array(ask: Web, known: FakeSite) -> None:
    del known.runs.store.runs[DONE_RUN]
    assert "Use of array" not in (await ask("preprocessing/1", "mia")).text
