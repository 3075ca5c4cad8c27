"""Given to JupyterHub with -f; every decision is a function of hub_config.hub."""

from hub_config.hub import apply, site_settings

apply(get_config(), site_settings())  # type: ignore[name-defined]  # noqa: F821  JupyterHub puts it there
