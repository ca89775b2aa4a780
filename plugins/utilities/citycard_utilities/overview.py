"""Where bills stand for the city's people: by biller, with files, money that waits, and direct debits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import func, select

from citycard.store import reading
from citycard_utilities.bills import BillTotal, bill_totals
from citycard_utilities.importing import FileReport, files_of
from citycard_utilities.mandates import Collection, collections_of
from citycard_utilities.paying import ReceiptView
from citycard_utilities.receipts import PENDING, UNMATCHED
from citycard_utilities.returning import Return, returns_of
from citycard_utilities.tables import mandate, receipt, run

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["Overview", "overview"]

_SHOWN = 50


@attrs.frozen(kw_only=True)
class Overview:
    """Where bills stand: sums of bills, newest files, receipts that wait for a person, and what failed.

    ``matched_run`` is the newest clearing run whose records were matched, 0 for none.
    """

    totals: tuple[BillTotal, ...]
    files: tuple[FileReport, ...]
    unmatched: tuple[ReceiptView, ...]
    pending: int
    returns: tuple[Return, ...]
    mandates: int
    given_up: tuple[Collection, ...]
    matched_run: int


def overview(city: City) -> Overview:
    """Read where bills stand."""
    waiting = select(receipt).where(receipt.c.state == UNMATCHED).order_by(receipt.c.at).limit(_SHOWN)
    pending = select(func.count()).select_from(receipt).where(receipt.c.state == PENDING)
    active = select(func.count()).select_from(mandate).where(mandate.c.active == 1)
    with reading(city.engine) as conn:
        return Overview(
            totals=tuple(bill_totals(conn)),
            files=tuple(files_of(conn, limit=10)),
            unmatched=tuple(ReceiptView.of(row) for row in conn.execute(waiting)),
            pending=conn.scalar(pending) or 0,
            returns=tuple(returns_of(conn, pending=True))[:_SHOWN],
            mandates=conn.scalar(active) or 0,
            given_up=tuple(collections_of(conn, state="given-up"))[-_SHOWN:],
            matched_run=conn.scalar(select(func.max(run.c.number))) or 0,
        )
