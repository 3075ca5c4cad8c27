"""The sessions of one hub process, ended after each test."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.sessions import Lab


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    made = Lab()
    yield made
    await made.sessions.close()
