"""Starting servers over JupyterHub's REST interface: the options are checked first."""

from jupyterhub.apihandlers.users import UserServerAPIHandler
from jupyterhub.scopes import needs_scope
from tornado import web

from spawners.profiles import known_profiles, profile_for

_NOT_HERE = "Servers are only started and stopped here; the portal does the rest."


class ServerApi(UserServerAPIHandler):
    """JupyterHub's own, for servers of the portal's names and profiles only."""

    @needs_scope("start:servers")
    async def post(self, user_name: str, server_name: str = "") -> None:
        """Start a server; anything but a known profile is refused before."""
        asked = self.get_server_json_body()
        if set(asked) != {"display_name", "user_options"} or asked["display_name"]:
            raise web.HTTPError(400, 'A start takes {"profile": "..."} and no more.')
        known = known_profiles(self.authenticator.site)
        sessions = self.authenticator.notebooks.sessions
        options = asked["user_options"]
        await profile_for(sessions, user_name, server_name, options, known)
        await super().post(user_name, server_name)

    @needs_scope("start:servers")
    async def put(self, user_name: str, server_name: str = "") -> None:
        """Refuse: a server that is not started is nothing here."""
        raise web.HTTPError(405, _NOT_HERE)

    @needs_scope("start:servers")
    async def patch(self, user_name: str, server_name: str = "") -> None:
        """Refuse: names and options of servers do not change."""
        raise web.HTTPError(405, _NOT_HERE)
