"""The one MetaData of the core, and the column types that everybody uses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, MetaData
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

__all__ = ["NAMING_CONVENTION", "Fen", "LocalTime", "SerialNumber", "UtcTime", "metadata"]

#: Every constraint has a name that follows from its table and columns, so that migrations can find it
#: again on both databases. Plugins give the same convention to their own MetaData.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

#: The tables of every core package stand in this one MetaData; plugins bring their own.
metadata = MetaData(naming_convention=NAMING_CONVENTION)

#: An amount of money, in fen.
Fen = BigInteger

#: Local time of the city, as cards and terminals write it: a naive datetime.
LocalTime = DateTime

#: A number the database gives to each new row.
SerialNumber = BigInteger().with_variant(Integer(), "sqlite")


class UtcTime(TypeDecorator[datetime]):
    """A moment, as an aware datetime in UTC; a naive datetime is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"expected an aware datetime, got the naive {value.isoformat()}"
            raise ValueError(msg)
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
