"""Leave out what a notebook server imports and never uses, so that it starts sooner.

Together these are more than half of the time of a start (docs/developers/
notebook-session.md has the figures). A version of Jupyter that comes to need one of
them gets the real one: `import_server` tries again without the short cuts.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Final

# jsonschema checks "is it an IRI?" with a grammar that takes 0.7 s to build, and does
# without when the module is not there.
_GRAMMAR: Final = "rfc3987_syntax"
# jupyterhub.log compares handlers with one class of the hub's pages; with these come
# the hub's database layer, SQLAlchemy and Alembic: 0.4 s.
_HANDLERS, _PAGES, _ORM = (
    "jupyterhub.handlers",
    "jupyterhub.handlers.pages",
    "jupyterhub.orm",
)
_YARN: Final = "_yarn_config"
_SHORT_CUTS: Final = (_GRAMMAR, _HANDLERS, _PAGES, _ORM)


def import_server(module: str) -> ModuleType:
    """Import a module that imports Jupyter, in the quick way if that can be done."""
    take_short_cuts()
    try:
        return import_module(module)
    except (ImportError, AttributeError):
        forget_short_cuts()
        return import_module(module)


def take_short_cuts() -> None:
    """Put something in the place of what is not needed, where it is not loaded yet."""
    if _GRAMMAR not in sys.modules:
        sys.modules[_GRAMMAR] = None  # type: ignore[assignment]  # "not installed"
    if _HANDLERS not in sys.modules and _ORM not in sys.modules:
        handlers, pages = ModuleType(_HANDLERS), ModuleType(_PAGES)
        handlers.__path__ = []
        pages.HealthCheckHandler = type("HealthCheckHandler", (), {})  # type: ignore[attr-defined]  # a module made here has what it is given
        sys.modules.update({_HANDLERS: handlers, _PAGES: pages, _ORM: ModuleType(_ORM)})
    _ask_no_yarn()


def forget_short_cuts() -> None:
    """Undo all of it, together with what was imported half."""
    for name in list(sys.modules):
        package = name.partition(".")[0]
        if name in _SHORT_CUTS or package.startswith(("jupyter", "notebook")):
            del sys.modules[name]


def _ask_no_yarn() -> None:
    """Spare JupyterLab a run of node that asks which registry builds would use: 0.3 s.

    Nothing is built here, and JupyterLab has an answer for machines without node.
    """
    try:
        commands = import_module("jupyterlab.commands")
    except ImportError:
        return  # the server says better than we what is missing
    if hasattr(commands, _YARN):
        setattr(commands, _YARN, _no_yarn)


def _no_yarn(_logger: object) -> dict[str, dict[str, str]]:
    return {"yarn config": {}, "npm config": {}}
