"""Cards that are given up: one closing each, looked up from either card."""

from datetime import UTC, date, datetime

from citycard.registry import (
    CardClosing,
    ClosingState,
    add_closing,
    closing_for,
    closing_of,
    closings,
    find_closing,
    set_closing,
)

OLD, NEW, OTHER = (f"{number:020d}" for number in (1, 2, 3))
AT = datetime(2018, 9, 1, tzinfo=UTC)


def test_a_closing_waits_is_owed_and_is_settled(conn):
    first = CardClosing(asn=OLD, successor=NEW, opened_at=AT, due_on=date(2018, 9, 9))
    add_closing(conn, first)
    add_closing(conn, CardClosing(asn=OTHER, opened_at=AT, due_on=date(2018, 9, 20)))

    assert find_closing(conn, OLD) == closing_of(conn, OLD) == closing_for(conn, NEW) == first
    assert closing_of(conn, NEW) is closing_for(conn, OLD) is None
    assert closings(conn, ClosingState.WAITING, due_by=date(2018, 9, 9)) == [first]
    set_closing(conn, OLD, ClosingState.OWED, 4620)
    assert closings(conn, ClosingState.OWED)[0].owed_fen == 4620
    assert [each.asn for each in closings(conn)] == [OLD, OTHER]
