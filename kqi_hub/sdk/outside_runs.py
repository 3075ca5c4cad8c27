"""Preprocessings that were run elsewhere: their results, uploaded by folder."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from kqi_hub.sdk.data import DataItem
from kqi_hub.sdk.local_files import Counted, Source, count
from kqi_hub.sdk.models import Answer
from kqi_hub.sdk.run_models import PreprocessingRun
from kqi_hub.sdk.uploads import Sending, Upload, UploadCalls


@dataclass(frozen=True, slots=True)
class Results(Answer):
    """A folder of results: the data that it becomes, and its upload until then."""

    data: DataItem
    upload: Upload | None = None

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Self:
        """Make it from JSON."""
        sent = said["upload"]
        return cls(DataItem.read(said["data"]), sent and Upload.read(sent))


class OutsideCalls(UploadCalls):
    """The part of `Client` for what was run elsewhere.

    Every call may be repeated: what is there already is not sent again.
    """

    def open_outside_run(
        self, preprocessing_id: int, data_id: int, *, memo: str = ""
    ) -> PreprocessingRun:
        """Open a run that was done elsewhere, for its results; once on each item."""
        body = {"preprocessing": preprocessing_id, "data": data_id, "memo": memo}
        return PreprocessingRun.read(self._api("POST", PreprocessingRun.path, body))

    def begin_results(
        self,
        run_id: int,
        name: str,
        counted: Counted,
        *,
        memo: str = "",
        tags: Sequence[str] = (),
    ) -> Results:
        """Begin to upload a folder of an open run, or go on; nothing is sent yet."""
        body = {
            "name": name,
            "files": counted.files,
            "bytes": counted.bytes,
            "memo": memo,
            "tags": list(tags),
        }
        path = f"{PreprocessingRun.path}/{run_id}/data"
        return Results.read(self._api("POST", path, body))

    def send_results(
        self,
        run_id: int,
        folder: Source,
        *,
        memo: str = "",
        tags: Sequence[str] = (),
        sending: Sending | None = None,
        begun: Callable[[Results], None] | None = None,
    ) -> DataItem:
        """Make data of a folder here, which have its name; return them when whole.

        `begun` is told before anything is sent. What was sent before a cut stays.
        """
        place = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay as named
        # The slash: what is in it, without its name.
        sources = [f"{place}/"]
        found = self.begin_results(
            run_id, place.name, count(sources), memo=memo, tags=tags
        )
        if begun is not None:
            begun(found)
        if found.upload is None:
            return found.data
        return self.resume_upload(found.upload.key, sources, sending=sending)

    def complete_outside_run(self, run_id: int) -> PreprocessingRun:
        """End an open run: its results are all there."""
        path = f"{PreprocessingRun.path}/{run_id}/complete"
        return PreprocessingRun.read(self._api("POST", path))
