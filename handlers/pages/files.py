"""The page of a person's files; what it shows comes from their agent."""

from dataclasses import dataclass

from handlers.ask import Ask, Page
from handlers.route import Routes, Spec
from kqi_hub.i18n import N_

routes = Routes(tag=N_("Files"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where browsing may begin: a root as the agent names it, and a folder there."""

    root: str
    path: str
    label: str
    icon: str


@routes.get("/files", Spec())
async def show_files(ask: Ask) -> Page:
    """Show your files: browse, view, upload, download, tidy up."""
    return Page("pages/files/browser.html", {"places": _places(ask)})


def _places(ask: Ask) -> tuple[Place, ...]:
    """Return scratch with the folders that everybody has, and the tenants' data."""
    say = ask.texts.say
    own = (
        Place("scratch", "workspace", say(N_("Workspace")), "journal-code"),
        Place("scratch", "kqi", say(N_("Runs")), "clock-history"),
        Place("scratch", "log", say(N_("Logs")), "file-earmark-text"),
        Place("scratch", "", say(N_("All of scratch")), "folder-fill"),
    )
    shared = tuple(
        Place(
            f"data:{name}",
            "",
            say(N_("Data of {tenant}"), {"tenant": name}),
            "database",
        )
        for name in sorted(one.tenant for one in ask.me.memberships)
    )
    return own + shared
