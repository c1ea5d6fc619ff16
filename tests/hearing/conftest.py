"""One hearing for all tests of it: the model is loaded once."""

import pytest

from callflow.hearing import Hearing


@pytest.fixture(scope="session")
def hearing() -> Hearing:
    """With the default settings."""
    return Hearing()
