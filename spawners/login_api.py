"""Log in without a browser: name, password and code in, a token out."""

import json
import time
from collections.abc import Mapping
from typing import Any

from jupyterhub import orm
from jupyterhub.apihandlers import APIHandler

from kqi_hub.domain.errors import InvalidInput, KqiError
from kqi_hub.domain.login import AuditEvent, Granted
from kqi_hub.i18n import N_
from spawners.address import address_of
from spawners.login_request import LoginRequest, read_login
from spawners.refusals import error_of


class LoginApi(APIHandler):
    """POST /hub/api/kqi/login: takes no cookie and sets none."""

    def check_xsrf_cookie(self) -> None:
        """Let it pass: the request carries its own proof."""

    async def post(self) -> None:
        """Answer with a token, or with why there is none."""
        self.set_header("Cache-Control", "no-store")
        try:
            kind = self.request.headers.get("Content-Type", "")
            asked = read_login(kind, self.request.body)
            granted = await self._granted(asked)
            self._answer(201, await self._token(asked, granted))
        except KqiError as error:
            self._refuse(error)

    async def _granted(self, asked: LoginRequest) -> Granted:
        data = {"username": asked.name, "password": asked.password, "code": asked.code}
        outcome = await self.authenticator.judge(self, data)
        if isinstance(outcome, Granted):
            return outcome
        raise error_of(outcome)

    async def _token(self, asked: LoginRequest, granted: Granted) -> dict[str, Any]:
        model = await self.authenticator.get_authenticated_user(
            self, {"username": granted.person.name, "granted": granted}
        )
        user = await self.auth_to_user(model)
        longest = self.settings["token_expires_in_max_seconds"] or asked.lifetime_s
        lifetime = min(asked.lifetime_s, longest)
        try:
            token = user.new_api_token(
                note=asked.note.strip(),
                expires_in=lifetime,
                scopes=asked.wanted_scopes,
            )
        except ValueError as error:
            raise InvalidInput(
                "You may not have a token with these scopes.",
                "Ask for fewer: only operators can have custom:kqi:operate.",
            ) from error
        await self._write_down(user.name, token, asked)
        return {
            "name": user.name,
            "token": token,
            "scopes": asked.wanted_scopes,
            "expires_at": int(time.time()) + lifetime,
            "password_expires_in_s": granted.expires_in_s,
            "recovery_codes_left": granted.recovery_codes_left,
        }

    async def _write_down(self, person: str, token: str, asked: LoginRequest) -> None:
        """Audit the token without its word, as the portal does those that it makes."""
        desk = self.authenticator.desk
        scopes = " ".join(asked.wanted_scopes)
        event = AuditEvent(
            at=desk.clock.now(),
            actor=person,
            action="token-made",
            target=orm.APIToken.find(self.db, token).api_id,
            address=address_of(self, self.authenticator.site),
            detail={"scopes": scopes, "note": asked.note.strip()},
        )
        await desk.off_loop(lambda: desk.audit.append(event))

    def _refuse(self, error: KqiError) -> None:
        said = self.authenticator.face.texts(self)
        wait = error.values.get("seconds")
        if wait is not None:
            self.set_header("Retry-After", str(wait))
        problem = {
            "type": "about:blank",
            "title": said.say(N_("Not logged in")),
            "status": error.status,
            "detail": said.message(error),
            "code": error.code,
            "hint": said.hint(error),
        }
        self._answer(error.status, problem, "application/problem+json")

    def _answer(
        self, status: int, body: Mapping[str, Any], kind: str = "application/json"
    ) -> None:
        self.set_status(status)
        self.set_header("Content-Type", kind)
        self.finish(json.dumps(body, ensure_ascii=False))
