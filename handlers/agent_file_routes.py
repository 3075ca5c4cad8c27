"""The routes of files of people's agents, as the document tells them."""

from collections.abc import Mapping
from typing import Final

from handlers import agent_file_models as shown
from handlers.agent_route import reads, sends

_BYTES: Final = "application/octet-stream"
_PLACE: Final = ("root", "path")
_AT_PLACE: Final[Mapping[int, str]] = {
    400: "invalid-input", 403: "outside", 404: "not-there", 504: "disk-hangs",
}  # fmt: skip

_CHANGING: Final = {**_AT_PLACE, 409: "exists", 507: "disk-full"}
_KNOWN: Final = {404: "not-there"}
_OFFERING: Final = {**_AT_PLACE, 409: "no-store", 429: "too-much"}

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
          query=(*_PLACE, "save_as"), kind=_BYTES,
          codes={**_AT_PLACE, 416: "range"}),
    sends("PUT", "/api/files/content", "Send a file, from an offset on.",
          query=(*_PLACE, "size", "offset", "mark", "exists", "parents"),
          takes=_BYTES, needs=("size",), answer=shown.FilePut, status=201,
          codes={**_CHANGING, 413: "too-much"}),
    reads("/api/files/archive", "Fetch files and folders as one zip or tar.",
          query=(*_PLACE, "format"), kind=_BYTES, codes=_AT_PLACE),
    sends("POST", "/api/files/archive", "Fetch many as one; forms are taken too.",
          body=shown.ArchiveOrder, kind=_BYTES,
          codes={**_AT_PLACE, 413: "too-many"}),
    sends("POST", "/api/files/folder", "Make a folder.", body=shown.FolderOrder,
          answer=shown.FilePlace, status=201, codes=_CHANGING),
    sends("POST", "/api/files/move", "Rename one, or move several into a folder.",
          body=shown.MoveOrder, answer=shown.Moved, codes=_CHANGING),
    sends("POST", "/api/files/delete", "Delete; 202 while it is not over.",
          body=shown.DeleteOrder, answer=shown.FileWork,
          codes={**_AT_PLACE, 429: "too-much"}),
    reads("/api/files/text", "Read a small text to edit it.", query=_PLACE,
          answer=shown.FileText, codes={**_AT_PLACE, 409: "not-text"}),
    sends("PUT", "/api/files/text", "Put a text in place of what was read.",
          query=_PLACE, takes="text/plain", answer=shown.FileWritten,
          codes={**_CHANGING, 412: "changed", 413: "too-large",
                 428: "needs-version"}),
    reads("/api/files/use", "Count what is below a folder; also as events.",
          query=_PLACE, answer=shown.FileUse, codes=_AT_PLACE),
    sends("POST", "/api/files/offer", "Give files to the data store by reference.",
          body=shown.OfferOrder, answer=shown.FileWork, codes=_OFFERING),
    reads("/api/files/offer/{work}", "Show how far an offer is.",
          answer=shown.FileWork, codes=_KNOWN),
    reads("/api/files/work", "List what is under way.", answer=shown.FileWorks,
          codes={}),
    reads("/api/files/work/{work}", "Show how a work is.", answer=shown.FileWork,
          codes=_KNOWN),
    sends("POST", "/api/files/work/{work}/cancel", "End a work.",
          answer=shown.FileWork, codes=_KNOWN),
)  # fmt: skip
