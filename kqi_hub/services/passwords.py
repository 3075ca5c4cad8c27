"""Change a password: one's own when logged in, or because the directory wants it."""

from kqi_hub.domain.errors import InvalidInput, NotPermitted, WrongPassword
from kqi_hub.domain.login import EnrolFirst, FactorMode, Granted
from kqi_hub.services.desk import Desk
from kqi_hub.services.factor import bare_code
from kqi_hub.services.login import CHANGE_PASSWORD, LONGEST_PASSWORD
from kqi_hub.services.proving import Who, count_failure, note, throttled
from kqi_hub.services.settling import Caller, let_in


async def change(desk: Desk, who: Who, old: str, new: str, code: str = "") -> None:
    """Change the password of somebody who is logged in.

    `code` is needed in mode `directory` only. Raises WrongPassword, InvalidInput with
    the directory's own words, TooManyAttempts, DirectoryUnavailable.
    """
    _judge(old, new)
    appended = bare_code(code) if desk.rules.mode is FactorMode.DIRECTORY else ""
    async with throttled(desk, who) as caller:
        try:
            await desk.directory.change_password(who.person, old, new, appended)
        except WrongPassword:
            await count_failure(desk, caller)
            await desk.off_loop(lambda: note(desk, who, _ACTION, "wrong-password"))
            raise
        except InvalidInput as error:
            reason = str(error)
            await desk.off_loop(
                lambda: note(desk, who, _ACTION, "refused", reason=reason)
            )
            raise
        await desk.off_loop(lambda: note(desk, who, _ACTION))


async def forced_change(
    desk: Desk, ticket: str, old: str, new: str, address: str, code: str = ""
) -> Granted | EnrolFirst:
    """Change the password that the directory no longer takes, and go on logging in.

    Raises NotPermitted for a bad or old ticket, otherwise as `change`.
    """
    proven = desk.tickets.read(ticket, CHANGE_PASSWORD)
    if proven is None:
        raise NotPermitted("This page is no longer valid.", "Log in again.")
    who = Who(proven.person, address)
    await change(desk, who, old, new, code)
    person = await desk.directory.lookup(who.person)
    if person is None:
        raise NotPermitted("The directory no longer lets {name} in.", name=who.person)
    if not proven.factor:
        return EnrolFirst(person)
    caller = Caller.known(who.person, address)
    return await desk.off_loop(lambda: let_in(desk, caller, person, proven.factor))


_ACTION = "password-change"


def _judge(old: str, new: str) -> None:
    if not _fits(old):
        raise WrongPassword("The present password is wrong.")
    if not _fits(new):
        raise InvalidInput(
            "The new password must have 1 to {most} characters.", most=LONGEST_PASSWORD
        )
    if old == new:
        raise InvalidInput("The new password is the old one.", "Choose another one.")


def _fits(password: str) -> bool:
    return 0 < len(password) <= LONGEST_PASSWORD and "\0" not in password
