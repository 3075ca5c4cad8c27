"""What the agent refuses, as its answers name it."""

from tornado.web import HTTPError


class Problem(HTTPError):
    """An error with a code for programs and a sentence for people.

    `more` is what programs are told beside it, such as the task that is in the way.
    """

    def __init__(self, status: int, code: str, message: str, **more: object) -> None:
        super().__init__(status)
        self.code = code
        self.message = message
        self.more = more
