"""Pages of the hub about servers: each leads to where the portal does the same."""

from jupyterhub.handlers import BaseHandler
from tornado import web

from spawners.profiles import notebook_of


class ToPortal(BaseHandler):
    """A page that only leads on; no request to it ever starts anything."""

    def lead(self, server: str = "") -> None:
        """Redirect to the notebook's page, or to the list of notebooks."""
        number = notebook_of(server)
        page = "notebooks" if number is None else f"notebooks/{number}"
        self.redirect(f"{self.base_url}services/portal/{page}")


class HomePage(ToPortal):
    """/hub/home, where a notebook's `Hub Control Panel` leads: Stop is on that list."""

    @web.authenticated
    async def get(self) -> None:
        """Lead to the list of notebooks."""
        self.lead()


class SpawnPage(ToPortal):
    """/hub/spawn…: neither a link nor a form starts anything."""

    @web.authenticated
    async def get(self, user_name: str = "", server_name: str = "") -> None:
        """Lead to the notebook's page, where it is started."""
        self.lead(server_name)

    @web.authenticated
    async def post(self, user_name: str = "", server_name: str = "") -> None:
        """Lead there too."""
        self.lead(server_name)


class PendingPage(ToPortal):
    """/hub/spawn-pending…: the notebook's page tells how far it is."""

    @web.authenticated
    async def get(self, user_name: str = "", server_name: str = "") -> None:
        """Lead into a server that is ready, else to the notebook's page."""
        user = self.current_user
        is_own = user_name == user.name and server_name in user.orm_spawners
        if is_own and user.spawners[server_name].ready:
            self.redirect(self.get_next_url(default=user.server_url(server_name)))
            return
        if is_own and notebook_of(server_name) is None:
            self.finish(await self.render_template("spawn_pending.html", user=user))
            return
        self.lead(server_name)
