"""Where the hub's login leads a browser back to."""

from tornado.web import RequestHandler

from kqi_hub.agent.access import HubSilent
from kqi_hub.agent.base import COOKIE, LOGIN_COOKIE, Handler
from kqi_hub.agent.errors import Problem

_AGAIN = "Open the page again."


class Callback(Handler):
    """Exchange the hub's code for a token, and go where the browser wanted to."""

    async def get(self) -> None:
        """Finish a login that this browser began."""
        target = self.agent.logins.finish(
            _one(self, "state"), self.get_cookie(LOGIN_COOKIE, "") or ""
        )
        if target is None:
            raise Problem(400, "login", f"This login was not begun here. {_AGAIN}")
        try:
            token = await self._owners_token(_one(self, "code"))
        except HubSilent:
            raise Problem(
                503, "hub-silent", f"The hub does not answer. {_AGAIN}"
            ) from None
        self.agent.use.touch()
        self.keep_cookie(COOKIE, self.agent.logins.keep(token))
        self.redirect(target)

    async def _owners_token(self, code: str) -> str:
        agent = self.agent
        token = await agent.access.token_for(code, f"{agent.told.base}oauth_callback")
        if token is None or not await agent.access.admits(token):
            raise Problem(403, "not-yours", "This agent is somebody else's.")
        return token


def _one(handler: RequestHandler, name: str) -> str:
    given = handler.request.query_arguments.get(name, [])
    text = given[0].decode(errors="replace") if len(given) == 1 else ""
    if not 0 < len(text) <= 512:
        raise Problem(400, "login", f"`{name}` is missing. {_AGAIN}")
    return text
