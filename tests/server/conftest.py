"""One server for all tests that leave it as it was."""

from collections.abc import Iterator

import pytest

from tests.server.client import Server, serving


@pytest.fixture(scope="package")
def server() -> Iterator[Server]:
    """Serve with short deadlines and the limits of the service."""
    with serving(header_deadline=0.5, body_deadline=0.5, keep_alive=1.0, linger=0.5, write_stall=0.5) as running:
        yield running
