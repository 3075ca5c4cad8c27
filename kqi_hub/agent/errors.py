"""What the agent refuses, as its answers name it."""

from tornado.web import HTTPError


class Problem(HTTPError):
    """An error with a code for programs and a sentence for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status)
        self.code = code
        self.message = message
