"""The routes of files of people's agents, as the document tells them."""

from collections.abc import Mapping
from typing import Final

from handlers import agent_file_models as shown
from handlers.agent_route import reads

_BYTES: Final = "application/octet-stream"
_PLACE: Final = ("root", "path")
_AT_PLACE: Final[Mapping[int, str]] = {
    400: "invalid-input", 403: "outside", 404: "not-there", 504: "disk-hangs",
}  # fmt: skip

FILE_ROUTES: Final = (
    reads("/api/files/roots", "List where files may be browsed, and the room there.",
          answer=shown.FileRoots, codes={504: "disk-hangs"}),
    reads("/api/files/list", "List a page of a folder.", answer=shown.FileList,
          query=(*_PLACE, "sort", "order", "filter", "kinds", "hidden", "limit",
                 "after"), codes=_AT_PLACE),
    reads("/api/files/stat", "Tell what lies at a place.", answer=shown.FileStat,
          query=_PLACE, codes=_AT_PLACE),
    reads("/api/files/view", "Show a piece of a file as people read it.",
          answer=shown.FileView,
          query=(*_PLACE, "as", "from", "to", "encoding"), codes=_AT_PLACE),
    reads("/api/files/content", "Fetch a file; Range and If-Range are understood.",
          query=_PLACE, kind=_BYTES, codes={**_AT_PLACE, 416: "range"}),
)  # fmt: skip
