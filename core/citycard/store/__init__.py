"""Where the city keeps its state: engine, tables, migrations, outbox.

- ``metadata``: the one MetaData of the core with its naming convention, and the column types;
- ``engine``: ``open_store``, and ``reading`` and ``writing`` transactions;
- ``bulk``: many rows at once, the same on both databases; ``copying`` and ``arrays`` write PostgreSQL's;
- ``streaming``: one statement again and again, sent before the ones before it are answered;
- ``guarding``: triggers that refuse to change what was written once;
- ``outbox``: events, written with what caused them and read after the commit;
- ``migrate``: bring the core's tables, or a plugin's, up to date; ``draft`` writes the next revision.

Alembic is imported only by ``migrate`` and ``draft``: import those two by their own names.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from citycard.store.engine import open_store, reading, writing
from citycard.store.metadata import NAMING_CONVENTION, Fen, LocalTime, SerialNumber, UtcTime, metadata

if TYPE_CHECKING:
    from citycard.store.outbox import Message, mark_delivered, publish, undelivered

__all__ = [
    "NAMING_CONVENTION",
    "Fen",
    "LocalTime",
    "Message",
    "SerialNumber",
    "UtcTime",
    "mark_delivered",
    "metadata",
    "open_store",
    "publish",
    "reading",
    "undelivered",
    "writing",
]

_OUTBOX = frozenset({"Message", "mark_delivered", "publish", "undelivered"})


def __getattr__(name: str) -> Any:
    # A table whose index has a condition makes SQLAlchemy import every dialect that the condition is for.
    if name not in _OUTBOX:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module("citycard.store.outbox"), name)
