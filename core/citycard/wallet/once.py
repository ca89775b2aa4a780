"""Post what has a client's id once, whenever the client sends it again."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from citycard.errors import PostingFailed
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import Transfer

__all__ = ["post_once"]

_COMPARED = ("debit_address", "credit_address", "amount_fen", "code", "ref")


def post_once(conn: Connection, ledger: Ledger, transfers: Sequence[Transfer]) -> bool:
    """Post transfers unless they are in the ledger; say whether they are new.

    Sent again later they happen at another time: that does not count. Raise PostingFailed for another
    content under the same id.
    """
    known = ledger.find(conn, [one.id for one in transfers])
    for one in transfers:
        if one.id not in known:
            continue
        before = known[one.id].transfer
        for field in _COMPARED:
            if getattr(before, field) != getattr(one, field):
                result = f"exists_with_different_{field}"
                raise PostingFailed(failed=1, total=len(transfers), first=str(one.id), result=result)
    fresh = [one for one in transfers if one.id not in known]
    if fresh:
        ledger.post_all(conn, fresh)
    return bool(fresh)
