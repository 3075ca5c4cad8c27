"""Log in without a browser: name, password and code in, a token out."""

import json
import time
from collections.abc import Mapping
from typing import Any, Final

from jupyterhub.apihandlers import APIHandler
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kqi_hub.domain.errors import InvalidInput, KqiError
from kqi_hub.domain.login import (
    Granted,
)
from kqi_hub.i18n import N_
from spawners.refusals import error_of

SCOPES: Final = frozenset({"custom:kqi:read", "custom:kqi:write", "custom:kqi:operate"})


class LoginRequest(BaseModel):
    """What a program sends to log in."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=1024)
    password: str = Field(max_length=4096, repr=False)
    code: str = Field(default="", max_length=256, repr=False)
    note: str = Field(default="kqi login", min_length=1, max_length=200)
    scopes: list[str] = Field(default=["custom:kqi:write"], min_length=1, max_length=10)
    lifetime_s: int = Field(default=30 * 86400, ge=60)


class LoginApi(APIHandler):
    """POST /hub/api/kqi/login: takes no cookie and sets none."""

    def check_xsrf_cookie(self) -> None:
        """Let it pass: the request carries its own proof."""

    async def post(self) -> None:
        """Answer with a token, or with why there is none."""
        self.set_header("Cache-Control", "no-store")
        try:
            asked = self._asked()
            granted = await self._granted(asked)
            self._answer(201, await self._token(asked, granted))
        except KqiError as error:
            self._refuse(error)

    def _asked(self) -> LoginRequest:
        if len(self.request.body) > 16 * 1024:
            raise InvalidInput("More was sent than a login needs.")
        try:
            asked = LoginRequest.model_validate_json(self.request.body)
        except ValidationError as error:
            fields = ", ".join(
                ".".join(map(str, e["loc"])) or "body" for e in error.errors()
            )
            raise InvalidInput(
                "These fields of the login are not right: {fields}.",
                "Send name, password, code, and optionally note, scopes, lifetime_s.",
                fields=fields,
            ) from error
        unknown = set(asked.scopes) - SCOPES
        if unknown:
            raise InvalidInput(
                "There is no scope {scope}.",
                "Possible: {scopes}.",
                scope=sorted(unknown)[0],
                scopes=", ".join(sorted(SCOPES)),
            )
        return asked

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
                note=asked.note, expires_in=lifetime, scopes=asked.scopes
            )
        except ValueError as error:
            raise InvalidInput(
                "You may not have a token with these scopes.",
                "Ask for fewer: only operators can have custom:kqi:operate.",
            ) from error
        return {
            "name": user.name,
            "token": token,
            "scopes": asked.scopes,
            "expires_at": int(time.time()) + lifetime,
            "password_expires_in_s": granted.expires_in_s,
            "recovery_codes_left": granted.recovery_codes_left,
        }

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
