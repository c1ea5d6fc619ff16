"""Two banks of phones that call each other over loopback, without an Asterisk."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from callflow.lab.phone.phone import Phone, PhoneBank

NOWHERE = ("127.0.0.1", 9)


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Phone, Phone]]:
    """Phones 1001 (sends 550 Hz) and 2001 (sends 650 Hz), each other's proxy."""
    async with AsyncExitStack() as stack:
        near, far = [await stack.enter_async_context(PhoneBank(NOWHERE)) for _ in range(2)]
        near.proxy, far.proxy = far.address, near.address
        yield near.phone("1001", 550), far.phone("2001", 650)
        assert near.failures == far.failures == []
