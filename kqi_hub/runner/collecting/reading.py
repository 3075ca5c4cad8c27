"""Read what a run has left behind: its result, its value, what is in its output."""

import json
import os
from contextlib import suppress
from typing import Any, Final

from kqi_hub.runner.collecting.cleaning import (
    cleaned,
    figures,
    lines,
    moment,
    moments,
    whole_number,
)
from kqi_hub.runner.collecting.counting import Count, counted
from kqi_hub.runner.collecting.held import (
    Unfit,
    beginning,
    folder_below,
    own_folder,
    whole,
)
from kqi_hub.runner.runs.use_lines import (
    FILE as USE_FILE,
    MOST_BYTES as USE_BYTES,
    samples_of,
    sums_of,
)

_VERSION: Final = 1
_MOST_FIGURES: Final = 20
_RESULT_BYTES: Final = 64 * 1024
_STATE_BYTES: Final = 64 * 1024
_LONGEST_VALUE: Final = 255
_LONGEST_LINE: Final = 300
_MOST_NOTES: Final = 20
_MOST_PHASES: Final = 12
_HUGE: Final = 2**62

Found = dict[str, Any]


def collected(place: str, folder: str, until: float) -> Found:
    """Return what a run's folder tells; nothing that lies in it makes this fail."""
    answer: Found = {"found": "none", "why": "", "value": "", "phase": ""}
    answer |= _told(Count())
    answer |= {"result": None, "use": None}
    try:
        with folder_below(place, folder.split("/")) as held:
            _read_result(held, answer)
            answer["phase"] = _phase(held)
            answer["use"] = _use(held, answer["result"])
            with suppress(FileNotFoundError):
                _read_output(held, answer, until)
    except FileNotFoundError:
        return answer
    except Unfit as unfit:
        _complain(answer, unfit)
    return answer


def _read_result(folder: int, answer: Found) -> None:
    try:
        answer["result"] = _result(whole(folder, "result.json", _RESULT_BYTES))
        answer |= {"found": "result", "value": answer["result"]["value"]}
    except FileNotFoundError:
        return
    except Unfit as unfit:
        _complain(answer, unfit)


def _complain(answer: Found, unfit: Unfit) -> None:
    # A result that was read stays one, whatever is wrong with the output.
    if answer["found"] != "result":
        answer["found"] = "unfit"
    answer["why"] = answer["why"] or cleaned(str(unfit), _LONGEST_LINE)


def _result(raw: bytes) -> Found:
    said = _object(raw, "result.json")
    if type(said.get("version")) is not int or said["version"] != _VERSION:
        raise Unfit("result.json is of another version")
    return {
        "exit_code": whole_number(said.get("exit_code"), -255, 255),
        "why": cleaned(said.get("why"), _LONGEST_LINE),
        "value": cleaned(said.get("value"), _LONGEST_VALUE),
        "files": whole_number(said.get("files"), 0, _HUGE),
        "bytes": whole_number(said.get("bytes"), 0, _HUGE),
        "zip": cleaned(said.get("zip"), _LONGEST_VALUE),
        "mounts": cleaned(said.get("mounts"), 30),
        "began_at": moment(said.get("began_at")),
        "ended_at": moment(said.get("ended_at")),
        "phases": moments(said.get("phases"), _MOST_PHASES),
        "notes": lines(said.get("notes"), _MOST_NOTES, _LONGEST_LINE),
        "use": figures(said.get("use"), _MOST_FIGURES),
    }


def _object(raw: bytes, name: str) -> Found:
    try:
        said = json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise Unfit(f"{name} is no JSON") from error
    if type(said) is not dict:
        raise Unfit(f"{name} is no JSON object")
    return said


def _phase(folder: int) -> str:
    """Return how far the run came, where its runner could still write that down."""
    with suppress(FileNotFoundError, Unfit):
        said = _object(whole(folder, "state.json", _STATE_BYTES), "state.json")
        return cleaned(said.get("phase"), 30)
    return ""


def _use(folder: int, result: Found | None) -> Found | None:
    """Return what it has used: its own sum, or that of the lines that it has left."""
    if result is not None and result["use"] is not None:
        said: Found = result["use"]
        return said
    with suppress(FileNotFoundError, Unfit):
        return sums_of(samples_of(beginning(folder, USE_FILE, USE_BYTES)))
    return None


def _read_output(folder: int, answer: Found, until: float) -> None:
    output = own_folder(folder, "output")
    try:
        answer["value"] = _value(output) or answer["value"]
        answer |= _told(counted(output, until))
    finally:
        os.close(output)
    result = answer["result"]
    known = result is not None and None not in (result["files"], result["bytes"])
    if answer["counted"] == "partly" and known:
        answer |= {"files": result["files"], "bytes": result["bytes"]}
        answer["counted"] = "noted"


def _value(output: int) -> str:
    """Return the first line of value.txt; nothing where it is none to be read."""
    with suppress(FileNotFoundError, Unfit):
        raw = beginning(output, "value.txt", 4 * _LONGEST_VALUE)
        line = raw.lstrip().partition(b"\n")[0]
        return cleaned(line.decode(errors="replace"), _LONGEST_VALUE)
    return ""


def _told(count: Count) -> Found:
    return {
        "files": count.files,
        "bytes": count.bytes,
        "counted": "all" if count.is_whole else "partly",
        "outputs": count.folders,
        "more_outputs": count.has_more_folders,
        "unfit_outputs": count.unfit_folders,
    }
