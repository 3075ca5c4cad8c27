"""The errors that a person or a program may have to act on.

KqiError
├── InvalidInput            what was typed breaks a rule                    400  2
│   └── WrongPassword       the present password, typed to change it        400  2
├── NotPermitted            known person, not allowed                       403  3
├── NotFound                no such thing, or not theirs to see             404  4
├── Conflict                changed or taken meanwhile                      409  5
│   └── Incomplete          files of an upload are missing or cut off       409  5
├── TooManyAttempts         wrong too often, wait                           429  16
├── SettingsError           the settings file is wrong                      500  6
├── SecretUnreadable        sealed with a key that is not there any more    500  17
├── DatabaseNotReady        no answer, or not the code's schema             503  7
├── ClusterError            Slurm answered, or did not
│   ├── ClusterUnreachable  nothing was sent                                503  10
│   ├── ClusterTimedOut     sent, no answer: the thing may exist            504  11
│   ├── ClusterRefused      Slurm said no, in its own words                 422  12
│   ├── NoSuchJob           no job of that number                           404  13
│   └── NotYourJob          somebody else's job                             403  14
├── DirectoryUnavailable    no directory server answers                     503  8
├── HubUnavailable          JupyterHub does not answer                      503  23
├── GitUnavailable          a Git server does not answer, or refuses        503  27
├── RegistryUnavailable     a registry of images does not answer            503  28
├── StoreError              the data store failed                           502  24
│   ├── StoreUnavailable    no answer: part of it may have happened         503  25
│   └── StoreFull           no room left on its disk                        507  26
└── DoorError               the privileged door
    ├── DoorUnreachable     no helper behind the socket                     503  20
    ├── DoorRefused         the helper said no                              403  21
    └── DoorBroken          cut off half way: the thing may have happened   502  22

The last two columns are the HTTP status and the exit code.
"""

from typing import ClassVar


class KqiError(Exception):
    """What happened, to what, and (hint) what to do next.

    A text that people read in their own language is a template with `{names}`, its
    values given apart, so that the template can be looked up in a catalogue. Without
    values the text is taken as it is.
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "error"

    def __init__(self, message: str, hint: str = "", **values: object) -> None:
        super().__init__(message)
        self.template = message
        self.hint_template = hint
        self.values = values

    @property
    def message(self) -> str:
        """Return what happened, in English."""
        return self.said(self.template)

    @property
    def hint(self) -> str:
        """Return what to do next, in English."""
        return self.said(self.hint_template)

    def said(self, template: str) -> str:
        """Fill a (translated) template with this error's values."""
        return template.format_map(self.values) if self.values else template

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class InvalidInput(KqiError):
    """What was typed breaks a rule; the message names the field and the rule."""

    status, exit_code, code = 400, 2, "invalid-input"


class WrongPassword(InvalidInput):
    """The present password, asked for before a change, is wrong."""

    code = "wrong-password"


class NotPermitted(KqiError):
    """The person is known and may not do this."""

    status, exit_code, code = 403, 3, "not-permitted"


class NotFound(KqiError):
    """There is no such thing, or it is not theirs to see."""

    status, exit_code, code = 404, 4, "not-found"


class Conflict(KqiError):
    """Somebody or something changed it meanwhile."""

    status, exit_code, code = 409, 5, "conflict"


class Incomplete(Conflict):
    """Files that were announced have not come, or not to their end.

    `cut` names some that came in part.
    """

    code = "incomplete"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        cut: tuple[str, ...] = (),
        **values: object,
    ) -> None:
        super().__init__(message, hint, **values)
        self.cut = cut


class TooManyAttempts(KqiError):
    """Something was wrong too often; `wait_s` says when to try again."""

    status, exit_code, code = 429, 16, "too-many-attempts"

    def __init__(
        self, message: str, hint: str = "", wait_s: int = 1, **values: object
    ) -> None:
        super().__init__(message, hint, wait_s=wait_s, **values)
        self.wait_s = wait_s


class SettingsError(KqiError):
    """The settings file is wrong; the message names file, key and expectation."""

    status, exit_code, code = 500, 6, "settings"


class SecretUnreadable(KqiError):
    """What is stored was sealed with a key that the key file no longer holds."""

    status, exit_code, code = 500, 17, "secret-unreadable"


class DatabaseNotReady(KqiError):
    """The database does not answer, or has not the schema that this version needs."""

    status, exit_code, code = 503, 7, "database-not-ready"


class DirectoryUnavailable(KqiError):
    """No directory server answers in time."""

    status, exit_code, code = 503, 8, "directory-unavailable"


class ClusterError(KqiError):
    """Slurm answered with an error, or did not answer."""

    status, exit_code, code = 502, 9, "cluster"


class ClusterUnreachable(ClusterError):
    """The controller or the accounting daemon cannot be reached: nothing happened."""

    status, exit_code, code = 503, 10, "cluster-unreachable"


class ClusterTimedOut(ClusterError):
    """No answer in time: what was asked for may have happened all the same."""

    status, exit_code, code = 504, 11, "cluster-timed-out"


class ClusterRefused(ClusterError):
    """Slurm said no; `reason` keeps its own words."""

    status, exit_code, code = 422, 12, "cluster-refused"

    def __init__(
        self, message: str, hint: str = "", reason: str = "", **values: object
    ) -> None:
        super().__init__(message, hint, **values)
        self.reason = reason


class NoSuchJob(ClusterError):
    """Slurm knows no job of that number."""

    status, exit_code, code = 404, 13, "no-such-job"


class NotYourJob(ClusterError):
    """The job belongs to somebody else."""

    status, exit_code, code = 403, 14, "not-your-job"


class HubUnavailable(KqiError):
    """JupyterHub does not answer; `may_have_happened`: the question was sent."""

    status, exit_code, code = 503, 23, "hub-unavailable"

    def __init__(
        self, message: str, hint: str = "", *, may_have_happened: bool = False
    ) -> None:
        super().__init__(message, hint)
        self.may_have_happened = may_have_happened


class GitUnavailable(KqiError):
    """A Git server does not answer in time, or refuses; nothing was changed."""

    status, exit_code, code = 503, 27, "git-unavailable"


class RegistryUnavailable(KqiError):
    """A registry of images does not answer in time, or refuses; nothing was changed."""

    status, exit_code, code = 503, 28, "registry-unavailable"


class StoreError(KqiError):
    """The data store failed, or answered what cannot be read."""

    status, exit_code, code = 502, 24, "store"


class StoreUnavailable(StoreError):
    """The data store does not answer: what was asked for may have happened."""

    status, exit_code, code = 503, 25, "store-unavailable"


class StoreFull(StoreError):
    """The data store's disk has no room left."""

    status, exit_code, code = 507, 26, "disk-full"


class DoorError(KqiError):
    """The privileged door failed."""

    status, exit_code, code = 502, 19, "door"


class DoorUnreachable(DoorError):
    """No helper answers: nothing happened."""

    status, exit_code, code = 503, 20, "door-unreachable"


class DoorRefused(DoorError):
    """The helper refused: nothing happened."""

    status, exit_code, code = 403, 21, "door-refused"


class DoorBroken(DoorError):
    """The helper was cut off half way: what was asked for may have happened."""

    status, exit_code, code = 502, 22, "door-broken"
