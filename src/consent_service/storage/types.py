"""Column types that keep what SQLite would lose."""

from datetime import datetime

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator

from consent_service.domain.moments import from_micros, to_micros


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, kept as microseconds since 1970: the same on every database, and it sorts."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Store a moment."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Read a moment back."""
        return None if value is None else from_micros(value)
