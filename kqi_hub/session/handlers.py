"""What the session serves beside Jupyter: what is known of it, and files for pages."""

import asyncio
import json
import os
import time
from importlib.resources import files
from typing import Any, ClassVar, Final

from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from kqi_hub.session.resources import Meter, given, told
from kqi_hub.session.texts import catalogue, language_for
from kqi_hub.session.watch import Watch

_ASSETS: Final = {
    "banner.js": "text/javascript; charset=utf-8",
    "banner.css": "text/css; charset=utf-8",
    "tools.js": "text/javascript; charset=utf-8",
    "tools.css": "text/css; charset=utf-8",
}


class _SessionHandler(APIHandler):
    """Has the watch; asking it is not a use of the notebook."""

    _track_activity = False
    auth_resource = "api"
    watch: Watch

    def initialize(self, watch: Watch) -> None:
        """Take the watch."""
        self.watch = watch

    def answer(self) -> None:
        """Answer with all that is known, in the language of the browser."""
        language = language_for(self.request.headers.get("Accept-Language", ""))
        self.set_header("Vary", "Accept-Language")
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(state_of(self.watch, language), ensure_ascii=True))


class StateHandler(_SessionHandler):
    """GET kqi/session."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer what is known of the session."""
        self.answer()


class ResourcesHandler(APIHandler):
    """GET kqi/session/resources."""

    _track_activity = False
    auth_resource = "api"

    def initialize(self, meter: Meter) -> None:
        """Take what measures."""
        self.meter = meter

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer what the job uses of what it was given."""
        language = language_for(self.request.headers.get("Accept-Language", ""))
        use = await asyncio.to_thread(self.meter.measure)
        found = told(use, given(os.environ), catalogue("tools.json")[language])
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(found))


class HereHandler(_SessionHandler):
    """POST kqi/session/here: somebody is here; Jupyter checks the XSRF cookie."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Note it and answer what is known."""
        self.watch.here()
        self.answer()


class AssetHandler(JupyterHandler):
    """Scripts and looks of the session's own; there is nothing of anybody's in them."""

    SUPPORTED_METHODS: ClassVar[tuple[str, ...]] = ("GET", "HEAD")  # type: ignore[misc]  # Tornado means to have it narrowed

    @allow_unauthenticated
    async def get(self, name: str) -> None:
        """Answer one of the files; Tornado adds the tag that lets it be kept."""
        self.set_header("Content-Type", _ASSETS[name])
        self.set_header("Cache-Control", "no-cache")
        self.finish((files("kqi_hub.session") / "static" / name).read_bytes())

    @allow_unauthenticated
    async def head(self, name: str) -> None:
        """Answer as for GET, without the file."""
        await self.get(name)


def state_of(watch: Watch, language: str) -> dict[str, Any]:
    """Return what pages and scripts may know of the session."""
    texts, idleness = catalogue()[language], watch.idleness
    stop_s = watch.rule.stop_s
    rule = texts["rule"] if stop_s > 0 else texts["rule_never"]
    return {
        "now": time.time(),
        "ends_at": watch.ends_at,
        "idle_since": idleness.idle_since(),
        "stops_at": idleness.stops_at(watch.rule),
        "seen": dict(watch.seen),
        "rule": rule.replace("{minutes}", str(max(1, round(stop_s / 60)))),
        "idle_stop_s": stop_s,
        "idle_warn_s": watch.rule.warn_s,
        "end_warn_s": watch.order["end_warn_s"],
        "node": watch.order["node"],
        "notebook": watch.order["notebook"],
        "notices": watch.order["notices"],
        "language": language,
        "texts": texts,
    }


def routes(base_url: str, watch: Watch) -> list[tuple[Any, ...]]:
    """Return the routes below a server's address."""
    names = "|".join(name.replace(".", r"\.") for name in _ASSETS)
    return [
        (url_path_join(base_url, "kqi/session"), StateHandler, {"watch": watch}),
        (url_path_join(base_url, "kqi/session/here"), HereHandler, {"watch": watch}),
        (
            url_path_join(base_url, "kqi/session/resources"),
            ResourcesHandler,
            {"meter": Meter(os.getppid())},
        ),
        (url_path_join(base_url, f"kqi/session/({names})"), AssetHandler),
    ]
