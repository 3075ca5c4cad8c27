"""Routes that look: roots, list, stat, view."""

import os
import pwd
from dataclasses import asdict
from typing import Any, Final

from kqi_hub.agent.errors import Problem
from kqi_hub.agent.files import listing, sniffing, viewing
from kqi_hub.agent.files.handler import FileHandler, fields_of
from kqi_hub.agent.files.names import travelling
from kqi_hub.agent.files.places import Place, Root, Roots, found
from kqi_hub.agent.files.sending import Sender

_LARGEST_OFFSET: Final = 10**15


class RootList(FileHandler):
    """GET api/files/roots: where paths may begin, and the room there."""

    async def get(self) -> None:
        """Answer."""
        self.answer({"roots": await self.work(_roots, self.workers.roots)})


def _roots(roots: Roots) -> list[dict[str, Any]]:
    return [_root(one) for one in roots.all()]


def _root(root: Root) -> dict[str, Any]:
    room = os.statvfs(root.folder)
    return {
        "root": root.name,
        "absolute": travelling(str(root.folder)),
        "may_change": root.may_change,
        "free_bytes": room.f_bavail * room.f_frsize,
        "free_files": room.f_favail,
    }


class List(FileHandler):
    """GET api/files/list?root&path: a page of a folder."""

    async def get(self) -> None:
        """Answer."""
        place = self.place()
        page = await self.work(listing.page_of, place, self._wanted(), self.leaving)
        self.answer(fields_of(place, **asdict(page)))

    def _wanted(self) -> listing.Wanted:
        sort = self.choice("sort", listing.SORTS)
        after = self.said("after", "")
        kinds = frozenset(self.said("kinds", ",".join(listing.KINDS)).split(","))
        if not kinds <= set(listing.KINDS):
            raise Problem(
                400, "invalid-input",
                f"`kinds` are some of {','.join(listing.KINDS)}.",
            )  # fmt: skip
        return listing.Wanted(
            sort=sort,
            descending=self.choice("order", ("up", "down")) == "down",
            match=self.said("filter", ""),
            kinds=kinds,
            hidden=self.choice("hidden", ("1", "0")) == "1",
            after=listing.read_cursor(after, sort) if after else None,
            limit=self.number("limit", 500, 1, listing.MOST),
        )


class Stat(FileHandler):
    """GET api/files/stat?root&path: what lies there; a link is followed, and told."""

    async def get(self) -> None:
        """Answer."""
        place = self.place()
        self.answer(fields_of(place, **await self.work(_stat, place)))


def _stat(place: Place) -> dict[str, Any]:
    with found(place) as held:
        return {
            **listing.about(held.info),
            "absolute": travelling(held.real),
            "is_link": _is_link(place),
            "owner": _owner(held.info.st_uid),
            "version": held.version,
            "may_change": place.root.may_change and _may_change(held.place),
        }


def _is_link(place: Place) -> bool:
    return place.root.folder.joinpath(*place.names).is_symlink()


def _may_change(descriptor: int) -> bool:
    return os.access(f"/proc/self/fd/{descriptor}", os.W_OK)


def _owner(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


class View(Sender):
    """GET api/files/view?root&path&as: a piece as people read it, or an image."""

    async def get(self) -> None:
        """Answer with JSON, except an image that is asked for as such."""
        place = self.place()
        way = self.choice("as", (*viewing.WAYS, "image"))
        if way == "image":
            return await self.send_image(place)
        asked = viewing.Asked(
            way,
            self.choice("encoding", ("", *sniffing.ENCODINGS)),
            self.number("from", 0, -_LARGEST_OFFSET, _LARGEST_OFFSET),
            self._end(),
        )
        shown = await self.work(viewing.view, place, asked)
        return self.answer(fields_of(place, **shown))

    def _end(self) -> int | None:
        if not self.said("to", ""):
            return None
        return self.number("to", None, 0, _LARGEST_OFFSET)
