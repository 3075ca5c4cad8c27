"""Which pages get the banner."""

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application

from kqi_hub.session.banner import add_banner, with_tag

BASE = "/user/alice/nb-12/"
PAGE = b"<!doctype html><html><head><title>x</title></head><body></body></html>"


class FakeConnection:
    """Enough of a connection for a request to be made."""

    context = None


def transformed(path: str, kind: str = "text/html; charset=UTF-8") -> bytes:
    application = Application()
    add_banner(application, BASE)
    headers = HTTPHeaders({"Content-Type": kind, "Content-Length": str(len(PAGE))})
    line = RequestStartLine("GET", path, "HTTP/1.1")
    request = HTTPServerRequest(
        start_line=line,
        headers=HTTPHeaders({"Host": "x"}),
        connection=FakeConnection(),  # type: ignore[arg-type]  # a fake
    )
    transform = application.transforms[0](request)
    _, headers, body = transform.transform_first_chunk(200, headers, PAGE, True)
    assert int(headers["Content-Length"]) == len(body)
    return body


@pytest.mark.parametrize(
    "path", ["lab", "lab/tree/a.ipynb", "tree", "tree/x", "notebooks/a", "edit/a.py"]
)
def test_pages_that_people_work_in_get_it_once(path: str) -> None:
    body = transformed(BASE + path)
    assert body.count(b'src="/user/alice/nb-12/kqi/session/banner.js"') == 1
    assert body.index(b"banner.js") < body.index(b"</head>")


@pytest.mark.parametrize(
    "path",
    ["files/a.html", "nbconvert/html/a", "treehouse", "labs", "api", "", "view/lab"],
)
def test_peoples_own_files_and_all_the_rest_stay_as_they_are(path: str) -> None:
    assert transformed(BASE + path) == PAGE


def test_what_is_no_page_stays_as_it_is() -> None:
    assert transformed(BASE + "lab/api/x", "application/json") == PAGE


def test_page_without_a_head_stays_as_it_is() -> None:
    assert with_tag(b"<p>", b"<script>") == b"<p>"


def test_tag_goes_into_the_first_head_only() -> None:
    assert with_tag(b"</head></head>", b"X") == b"X</head></head>"
