"""Acts on rights that exist: each happens once under the id that its client made, whatever came after it."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from citycard_tourism.errors import ActRepeated
from citycard_tourism.tables import right_act

__all__ = ["forget", "noted_before"]


def noted_before(
    conn: Connection, act: UUID, right: str, serial: int, step: str, to: dt.datetime | None = None
) -> bool:
    """Note an act in the transaction that begins it; say whether it was noted before.

    ``right`` is ``ticket`` or ``pass``. Raise ActRepeated when the id stands for something else.
    """
    row = conn.execute(select(right_act).where(right_act.c.id == act)).one_or_none()
    if row is None:
        wanted = {"id": act, "right": right, "serial": serial, "step": step, "to": to}
        conn.execute(insert(right_act), wanted)
        return False
    if (row.right, row.serial, row.step, row.to) != (right, serial, step, to):
        raise ActRepeated(id=act)
    return True


def forget(conn: Connection, act: UUID | None) -> None:
    """Forget an act that the card refused: asked for again, it is tried again."""
    conn.execute(delete(right_act).where(right_act.c.id == act))
