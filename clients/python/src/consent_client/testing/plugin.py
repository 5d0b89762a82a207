"""A pytest plugin: the fixture `consent_authority`, for shops that test their own pages.

The plugin is found by itself once `consent-client` is installed.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from consent_client.testing.authority import FakeAuthority


@pytest.fixture
def consent_authority() -> "FakeAuthority":
    """Give a fake consent authority that answers as the service does."""
    from consent_client.testing.authority import FakeAuthority  # noqa: PLC0415 - only for tests that use it

    return FakeAuthority()
