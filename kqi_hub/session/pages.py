"""What the session's own pages have in common: look, language, and what is allowed."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from tornado.template import Loader

from kqi_hub.session.texts import catalogue, language_for

_THEMES = ("light", "dark")


@cache
def _loader() -> Loader:
    return Loader(str(files("kqi_hub.session") / "templates"))


class ToolPage(JupyterHandler):
    """A page, rendered here; nothing on it comes from elsewhere."""

    _track_activity = False
    auth_resource = "contents"

    @property
    def content_security_policy(self) -> str:
        """Return what the page may do: be shown, and send forms to this server."""
        return (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; "
            "frame-ancestors 'self'"
        )

    @property
    def texts(self) -> tuple[str, Mapping[str, str]]:
        """Return the language of the browser, and the texts in it."""
        language = language_for(self.request.headers.get("Accept-Language", ""))
        return language, catalogue("tools.json")[language]

    def show(self, name: str, status: int = 200, **values: Any) -> None:
        """Answer with a page."""
        language, texts = self.texts
        theme = self.get_query_argument("theme", "")
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(
            _loader()
            .load(f"{name}.html")
            .generate(
                t=texts,
                language=language,
                theme=theme if theme in _THEMES else "",
                base=self.base_url,
                xsrf=self.xsrf_form_html(),
                **values,
            )
        )

    def form(self) -> dict[str, str]:
        """Return what a form holds."""
        return {name: self.get_body_argument(name) for name in self.request.arguments}
