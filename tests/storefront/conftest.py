"""One running demo for all tests of a file."""

from collections.abc import Iterator

import pytest

from tests.storefront.demo import Browser, Demo, running_demo


@pytest.fixture(scope="package")
def demo() -> Iterator[Demo]:
    """Start the demo as `make run` does."""
    with running_demo() as started:
        yield started


@pytest.fixture
def browser(demo: Demo) -> Browser:
    """Open a new visitor's browser."""
    return demo.browser()
