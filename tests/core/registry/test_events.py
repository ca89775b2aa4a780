"""What was done to a card is written down for good."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from citycard.registry import CardEvent, card_events, note_events

ASN = f"{1:020d}"
AT = datetime(2018, 9, 1, tzinfo=UTC)


def test_events_come_in_order_and_cannot_be_rewritten(conn):
    note_events(conn, [ASN, f"{2:020d}"], "personalised", "job 1", actor="anna", at=AT)
    note_events(conn, [ASN], "activated", actor="bert", at=AT)
    assert card_events(conn, ASN) == [
        CardEvent(asn=ASN, what="personalised", detail="job 1", actor="anna", at=AT),
        CardEvent(asn=ASN, what="activated", detail="", actor="bert", at=AT),
    ]
    with pytest.raises(DBAPIError, match="append-only"), conn.begin_nested():
        conn.execute(text("DELETE FROM card_event"))
