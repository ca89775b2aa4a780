"""What plugins declare about data: their tables, the personal data in them, and the events they tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs

from citycard.ids import new_id
from citycard.kernel.check import called, matching, one_of_pattern, words

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData

__all__ = ["EVENT_NAME", "Event", "EventType", "PersonalData", "Schema"]

EVENT_NAME = re.compile(r"[a-z][a-z0-9]*\.[a-z][a-z0-9-]*")

_folder = matching(lambda value: isinstance(value, Path), "the folder of your migrations as a path")
_tables = matching(lambda value: hasattr(value, "sorted_tables"), "an SQLAlchemy MetaData")
_body = matching(lambda value: isinstance(value, type) and attrs.has(value), "an attrs class")


@attrs.frozen(kw_only=True)
class Schema:
    """Declare your tables, all named ``<your name>_…``, and the folder of your Alembic revisions.

    ``core_schema`` names the revision of the core's tables that yours build on, when they do.
    """

    metadata: MetaData = attrs.field(validator=_tables)
    migrations: Path = attrs.field(converter=Path, validator=_folder)
    core_schema: str | None = None


@attrs.frozen(kw_only=True)
class PersonalData:
    """Declare one kind of personal data you keep: how to hand it over and how to erase it.

    ``export(conn, asn)`` yields one mapping per fact about the holder of a card; ``erase(conn, asn)`` removes
    them and returns how many there were. Both run in the caller's transaction.
    """

    name: str = attrs.field(validator=words)
    title: str = attrs.field(validator=words)
    export: Callable[[Connection, str], Iterable[Mapping[str, Any]]] = attrs.field(validator=called)
    erase: Callable[[Connection, str], int] = attrs.field(validator=called)


@attrs.frozen(kw_only=True)
class EventType:
    """Declare an event you tell, named ``<your name>.<what-happened>``, with the attrs class of its body."""

    name: str = attrs.field(validator=one_of_pattern(EVENT_NAME, "<plugin>.<what-happened>"))
    title: str = attrs.field(validator=words)
    body: type[Any] = attrs.field(validator=_body)


@attrs.frozen(kw_only=True)
class Event:
    """Something that happened and was committed. ``at`` is an aware UTC moment."""

    name: str = attrs.field(validator=one_of_pattern(EVENT_NAME, "<plugin>.<what-happened>"))
    body: Any
    id: UUID = attrs.field(factory=new_id)
    at: datetime = attrs.field(factory=lambda: datetime.now(UTC))
