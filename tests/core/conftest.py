"""A call that most tests of the ladders begin with."""

import pytest

from tests.core.driver import LISTENING, Driver, tapped


@pytest.fixture
def call() -> Driver:
    """A call with a live tap, in its first listening time."""
    return tapped().run_until(LISTENING)
