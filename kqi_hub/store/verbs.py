"""What the portal may ask over the socket, and nobody else."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from kqi_hub.domain.data_ports import Published, Told
from kqi_hub.store.asked import Asked
from kqi_hub.store.errors import WrongBody
from kqi_hub.store.house import MOST_IN_A_PAGE, House
from kqi_hub.store.sweeping import YOUNG_S, Known
from kqi_hub.store.uploads import checked_key

Verb = Callable[[House, Asked, Told], object]


def _received(house: House, asked: Asked, told: Told) -> object:
    del told
    found = house.received(asked.text("tenant"), asked.texts("uploads"))
    return {key: asdict(one) for key, one in found.items()}


def _publish(house: House, asked: Asked, told: Told) -> object:
    announced = Published(asked.number("files"), asked.number("bytes"))
    upload, data = checked_key(asked.text("upload")), asked.number("data")
    return asdict(house.publish(asked.text("tenant"), upload, data, announced, told))


def _uploaded(house: House, asked: Asked, told: Told) -> object:
    del told
    after = asked.text("after", "")
    limit = asked.number("limit", MOST_IN_A_PAGE)
    upload = asked.text("upload")
    files = house.uploaded(asked.text("tenant"), upload, after, limit)
    return [[one.path, one.size, one.sha256] for one in files]


def _drop(house: House, asked: Asked, told: Told) -> object:
    del told
    house.drop(asked.text("tenant"), asked.text("upload"))
    return {}


def _remove(house: House, asked: Asked, told: Told) -> object:
    del told
    house.remove(asked.text("tenant"), asked.number("data"))
    return {}


def _remove_files(house: House, asked: Asked, told: Told) -> object:
    del told
    house.remove_files(asked.text("tenant"), asked.number("data"), asked.paths("paths"))
    return {}


def _tree(house: House, asked: Asked, told: Told) -> object:
    tree = house.tree(
        asked.text("tenant"),
        asked.text("key"),
        asked.placed("entries"),
        asked.mapping("meta"),
        told,
    )
    return asdict(tree)


def _find_tree(house: House, asked: Asked, told: Told) -> object:
    del told
    found = house.find_tree(asked.text("tenant"), asked.text("key"))
    return None if found is None else asdict(found)


def _drop_tree(house: House, asked: Asked, told: Told) -> object:
    del told
    house.drop_tree(asked.text("tenant"), asked.text("key"))
    return {}


def _usage(house: House, asked: Asked, told: Told) -> object:
    del told
    return asdict(house.kept(asked.text("tenant")))


def _sweep(house: House, asked: Asked, told: Told) -> object:
    del told
    known = Known(asked.texts("uploads"), asked.numbers("data"), asked.texts("trees"))
    younger = float(asked.number("older_than_s", int(YOUNG_S)))
    tenant, remove = asked.text("tenant"), asked.flag("remove")
    found = house.sweep(tenant, known, remove, younger)
    return {
        "strays": [asdict(one) for one in found.strays],
        "missing_data": list(found.missing_data),
    }


def _health(house: House, asked: Asked, told: Told) -> object:
    del asked, told
    return house.health()


VERBS: Final[Mapping[str, Verb]] = {
    "drop": _drop,
    "drop_tree": _drop_tree,
    "find_tree": _find_tree,
    "health": _health,
    "publish": _publish,
    "received": _received,
    "remove": _remove,
    "remove_files": _remove_files,
    "sweep": _sweep,
    "tree": _tree,
    "uploaded": _uploaded,
    "usage": _usage,
}


def answered(house: House, fields: Mapping[str, Any], told: Told) -> object:
    """Do what a line asks for and return the answer."""
    verb = VERBS.get(str(fields.get("verb")))
    if verb is None:
        raise WrongBody("There is no such verb.")
    return verb(house, Asked(fields), told)
