"""Files that came too late: they wait, under L02, until somebody says that they may still be cleared."""

from __future__ import annotations

from datetime import date

import attrs
from sqlalchemy import select

from citycard.clearing.codes import FileCode, FileState
from citycard.clearing.context import ClearingContext
from citycard.clearing.reports import IntakeReport
from citycard.clearing.senttables import late_release
from citycard.clearing.tables import batch_file
from citycard.errors import FileNotHeld
from citycard.store.bulk import insert_missing
from citycard.store.engine import reading, writing

__all__ = ["LateFile", "late_files", "release"]


@attrs.frozen(kw_only=True)
class LateFile:
    """A batch that came too late and waits: what it is called, its digest, and what is in it."""

    name: str
    digest: str
    terminal: str
    number: int
    business_date: date
    records: int
    amount_fen: int
    archive: str


def late_files(context: ClearingContext) -> list[LateFile]:
    """List what waits for a release, by terminal and number, each once however often it came."""
    accepted = batch_file.alias("accepted")
    query = (
        select(batch_file)
        .where(batch_file.c.code == FileCode.L02.value)
        .where(
            ~select(accepted.c.digest)
            .where(
                accepted.c.terminal == batch_file.c.terminal,
                accepted.c.number == batch_file.c.number,
                accepted.c.state == FileState.ACCEPTED.value,
            )
            .exists()
        )
        .order_by(batch_file.c.terminal, batch_file.c.number, batch_file.c.intake)
    )
    names = [field.name for field in attrs.fields(LateFile)]
    with reading(context.engine) as conn:
        rows = conn.execute(query).all()
    return list(
        {row.digest: LateFile(**{name: getattr(row, name) for name in names}) for row in rows}.values()
    )


def release(context: ClearingContext, digest: str, *, actor: str, reason: str) -> IntakeReport:
    """Let a late file through: it is taken in again from the archive, and goes to the next run.

    Who did it and why is kept. Safe to call again. Raise FileNotHeld.
    """
    from citycard.clearing.files import read_archived
    from citycard.clearing.intake import receive

    held = {one.digest: one for one in late_files(context)}.get(digest)
    if held is None:
        raise FileNotHeld(digest=digest[:64])
    data = read_archived(context.folder / held.archive, digest)
    with writing(context.engine) as conn:
        made = {"digest": digest, "actor": actor, "reason": reason, "released_at": context.clock.now()}
        insert_missing(conn, late_release, [made])
    return receive(context, [(held.name, data)])
