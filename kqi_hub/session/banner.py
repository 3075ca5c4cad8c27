"""Put the banner's script into the pages of Jupyter, and into nothing else."""

from html import escape
from typing import Final

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import Application, OutputTransform

# The pages that people work in; what they keep in files is served below others.
_PAGES: Final = (
    "lab",
    "doc",
    "tree",
    "notebooks",
    "edit",
    "consoles",
    "terminals",
)
_END_OF_HEAD: Final = b"</head>"


def add_banner(application: Application, base_url: str) -> None:
    """Add it to the pages of a server."""
    tag = _tag(base_url)
    starts = tuple(f"{base_url.rstrip('/')}/{page}" for page in _PAGES)

    class Banner(OutputTransform):
        def __init__(self, request: HTTPServerRequest) -> None:
            self._is_page = is_page(request.path, starts)

        def transform_first_chunk(
            self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
        ) -> tuple[int, HTTPHeaders, bytes]:
            kind = headers.get("Content-Type", "")
            if self._is_page and finishing and kind.startswith("text/html"):
                chunk = with_tag(chunk, tag)
                if "Content-Length" in headers:
                    headers["Content-Length"] = str(len(chunk))
            return status_code, headers, chunk

    # Before the one that compresses.
    application.transforms.insert(0, Banner)


def is_page(path: str, starts: tuple[str, ...]) -> bool:
    """Tell whether a path is one of the pages or below it."""
    return any(path == start or path.startswith(f"{start}/") for start in starts)


def with_tag(page: bytes, tag: bytes) -> bytes:
    """Return a page with the tag at the end of its head, or as it is without a head."""
    before, end, after = page.partition(_END_OF_HEAD)
    return before + tag + end + after if end else page


def _tag(base_url: str) -> bytes:
    base = escape(f"{base_url.rstrip('/')}/kqi/session", quote=True)
    return (
        f'<link rel="stylesheet" href="{base}/banner.css">'
        f'<script type="module" src="{base}/banner.js"></script>'
    ).encode()
