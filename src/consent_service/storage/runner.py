"""How SQL that is not on the hot paths reaches a database: a function of a connection, run where it may block."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

Result = TypeVar("Result")


class SqlRunner(Protocol):
    """Runs plain SQLAlchemy code on either database; driver errors come out as StoreUnavailable."""

    async def read(self, work: Callable[[Connection], Result]) -> Result:
        """Run a function that only reads."""

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run a function in one transaction, durable when this returns."""
