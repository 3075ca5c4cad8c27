"""The end of a login: the hub sends the browser back with a code."""

import logging

from jupyterhub.services.auth import HubOAuthCallbackHandler
from tornado.web import HTTPError

from handlers.base import PortalHandler
from handlers.failures import LoginUnfinished
from handlers.visit import hub_user
from kqi_hub.domain.errors import KqiError

log = logging.getLogger(__name__)


class CallbackHandler(PortalHandler, HubOAuthCallbackHandler):
    """Exchange the code for a login; JupyterHub's own handler does the work."""

    async def get(self, **_: str) -> None:
        """Finish the login, or say in words why it was not finished."""
        try:
            # JupyterHub's handler asks for the current user, and must not block.
            self.user_model = await hub_user(self, self.hub_auth)
            await HubOAuthCallbackHandler.get(self)
        except HTTPError as error:
            log.warning("%s login not finished: %s", self.request_id, error)
            self.fail(LoginUnfinished())
        except KqiError as error:
            self.fail(error)
