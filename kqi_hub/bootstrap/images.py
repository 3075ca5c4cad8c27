"""The registries that runs get their container images from, joined."""

from sqlalchemy import Engine

from kqi_hub.bootstrap.account import services_of
from kqi_hub.bootstrap.keys import open_box
from kqi_hub.db.credentials import SqlCredentialStore
from kqi_hub.services.images import Images
from kqi_hub.settings.model import Settings
from kqi_hub.storage.image_registries import HttpRegistries


def open_images(settings: Settings, engine: Engine) -> Images:
    """Return what answers for registries in this process; nothing is asked yet."""
    return Images(
        HttpRegistries(),
        # The key file is needed by whoever asks, and by nobody else.
        lambda: SqlCredentialStore(engine, open_box(settings)),
        services_of(settings),
        {one.name: str(one.ca_file) for one in settings.registry if one.ca_file},
    )
