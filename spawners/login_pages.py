"""The hub's pages on the way in: log in, set up the code device, new password."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from jupyterhub.handlers import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.utils import url_path_join
from tornado.httputil import url_concat

from kqi_hub.domain.errors import KqiError, NotPermitted
from kqi_hub.domain.login import (
    ChangePasswordFirst,
    EnrolFirst,
    FactorMode,
    Granted,
    Outcome,
)
from kqi_hub.domain.names import loggable_name
from kqi_hub.services import enrolment, login, passwords
from spawners.address import address_of
from spawners.refusals import PasswordsDiffer, StaleForm, error_of

TICKET_COOKIE: Final = "kqi-login-step"
TICKET_DAYS: Final = 15 / (24 * 60)


class _StaysHere(BaseHandler):
    """Leads on to addresses that can be sent: JupyterHub checks whose they are."""

    def get_next_url(self, user: Any = None, default: str | None = None) -> str:
        """Return where to go after the login; a broken address is answered with home.

        A line break in it would end the answer with an error, the code used up.
        """
        url: str = super().get_next_url(user, default)
        return url if url.isprintable() else self.default_url


class LoginPage(_StaysHere, LoginHandler):
    """Name, password and code in one form; one answer for every failure."""

    async def post(self) -> None:
        """Log in, or lead to the step that is missing, or say why not."""
        name = self.get_body_argument("username", "", strip=True)
        user = await self.login_user(
            {
                # What JupyterHub logs of a failure: never a password in this field.
                "username": loggable_name(name),
                "typed_name": name,
                "password": self.get_body_argument("password", "", strip=False),
                "code": self.get_body_argument("code", "", strip=True),
            }
        )
        if user is not None:
            self._jupyterhub_user = user
            self.redirect(self.get_next_url(user))
            return
        outcome = self.kqi_outcome
        if isinstance(outcome, (EnrolFirst, ChangePasswordFirst)):
            lead_on(self, outcome)
        else:
            await self._say(outcome)

    async def _say(self, outcome: Outcome) -> None:
        error = error_of(outcome)
        self.set_status(error.status)
        wait = error.values.get("seconds")
        if wait is not None:
            self.set_header("Retry-After", str(wait))
        name = self.get_body_argument("username", "", strip=True)[:64]
        self.finish(
            await self.render_template("login.html", problem=error, username=name)
        )

    def _render(
        self,
        login_error: str | None = None,
        username: str | None = None,
        sync: bool = False,
        **_: object,
    ) -> Any:
        """Render the form; JupyterHub comes here with errors of its own too.

        There is one such error in practice: the form was older than its cookie.
        """
        return self.render_template(
            "login.html",
            sync=sync,
            problem=StaleForm() if login_error else None,
            username=username,
        )


def lead_on(handler: Any, outcome: EnrolFirst | ChangePasswordFirst) -> None:
    """Send the browser to the step that is missing, with the proof it needs there."""
    handler.set_secure_cookie(
        TICKET_COOKIE,
        login.ticket(handler.authenticator.desk, outcome),
        expires_days=TICKET_DAYS,
        path=handler.hub.base_url,
        **handler.settings.get("cookie_options", {}),
    )
    page = "enrol" if isinstance(outcome, EnrolFirst) else "new-password"
    url = url_path_join(handler.hub.base_url, page)
    handler.redirect(url_concat(url, {"next": handler.get_argument("next", "")}))


class StepPage(_StaysHere):
    """A page between password and portal; the sealed ticket says whose."""

    template = ""

    @property
    def ticket(self) -> str:
        """Return the sealed proof of the step before, empty when there is none."""
        sealed = self.get_secure_cookie(TICKET_COOKIE, max_age_days=TICKET_DAYS)
        return sealed.decode() if sealed else ""

    async def show(self, **values: object) -> None:
        """Render the step's page; nothing of it is ever cached."""
        self.set_header("Cache-Control", "no-store")
        values.setdefault("problem", None)
        self.finish(
            await self.render_template(
                self.template, next=self.get_argument("next", ""), **values
            )
        )

    async def let_in(self, granted: Granted) -> Any:
        """Log the person in for good; the ticket has done its work."""
        name = granted.person.name
        user = await self.login_user({"username": name, "granted": granted})
        self._jupyterhub_user = user
        self.clear_cookie(TICKET_COOKIE, path=self.hub.base_url)
        return user

    async def or_start_again(self, act: Callable[[], Awaitable[None]]) -> None:
        """Act; a ticket that is no longer valid leads back to the login."""
        try:
            await act()
        except NotPermitted:
            self.clear_cookie(TICKET_COOKIE, path=self.hub.base_url)
            self.redirect(self.settings["login_url"])


class EnrolPage(StepPage):
    """Show the QR code, take the first code, show the recovery codes once."""

    template = "enrol.html"

    async def get(self) -> None:
        """Show the QR code and the key for typing."""
        await self.or_start_again(self._invite)

    async def post(self) -> None:
        """Take the first code of the new device."""
        await self.or_start_again(self._confirm)

    async def _invite(self, problem: KqiError | None = None) -> None:
        desk = self.authenticator.desk
        invitation = await enrolment.begin(desk, self.ticket)
        await self.show(invitation=invitation, problem=problem)

    async def _confirm(self) -> None:
        code = self.get_body_argument("code", "", strip=True)
        where = address_of(self, self.authenticator.site)
        try:
            done = await enrolment.confirm(
                self.authenticator.desk, self.ticket, code, where
            )
        except NotPermitted:
            raise
        except KqiError as error:
            self.set_status(error.status)
            await self._invite(error)
            return
        user = await self.let_in(done.granted)
        self.template = "recovery_codes.html"
        await self.show(codes=done.recovery_codes, go_on=self.get_next_url(user))


class NewPasswordPage(StepPage):
    """Take the new password that the directory wants before anything else."""

    template = "new_password.html"

    async def get(self) -> None:
        """Show the form."""
        if not self.ticket:
            self.redirect(self.settings["login_url"])
            return
        await self.show(needs_code=self._needs_code)

    @property
    def _needs_code(self) -> bool:
        """Tell whether the directory wants a code beside the present password."""
        mode: FactorMode = self.authenticator.desk.rules.mode
        return mode is FactorMode.DIRECTORY

    async def post(self) -> None:
        """Change the password and go on."""
        await self.or_start_again(self._change)

    async def _change(self) -> None:
        try:
            outcome = await passwords.forced_change(
                self.authenticator.desk,
                self.ticket,
                self.get_body_argument("old", "", strip=False),
                self._new_password(),
                address_of(self, self.authenticator.site),
                self.get_body_argument("code", "", strip=True),
            )
        except NotPermitted:
            raise
        except KqiError as error:
            self.set_status(error.status)
            await self.show(problem=error, needs_code=self._needs_code)
            return
        if isinstance(outcome, EnrolFirst):
            lead_on(self, outcome)
            return
        user = await self.let_in(outcome)
        self.redirect(self.get_next_url(user))

    def _new_password(self) -> str:
        new: str = self.get_body_argument("new", "", strip=False)
        if new != self.get_body_argument("again", "", strip=False):
            raise PasswordsDiffer
        return new
