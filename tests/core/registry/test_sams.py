from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from citycard.errors import RegistryMissing, SamNumberInvalid, SamRevoked, SamTaken
from citycard.registry.sams import (
    Sam,
    SamStatus,
    add_sam,
    find_sam,
    note_sam_keys,
    require_open,
    revoke_sam,
    sam_history,
    sam_of_terminal,
    sams,
    use_sam,
)
from citycard.registry.tables import sam_change

AT = datetime(2026, 3, 2, 0, 15, tzinfo=UTC)
NUMBER, TERMINAL = "00009901000000000001", "344000000001"


@pytest.fixture
def sam(conn):
    return add_sam(conn, Sam(number=NUMBER, terminal=TERMINAL, issued_at=AT), actor="li")


def test_a_sam_is_entered_once(conn, sam):
    assert add_sam(conn, Sam(number=NUMBER, terminal=TERMINAL, issued_at=AT + timedelta(days=1))) == sam
    assert (sam.status, sam.issued_at, sam.revoked_at, sam.keys) == (SamStatus.ISSUED, AT, None, {})
    assert sams(conn) == [sam]
    assert sam_of_terminal(conn, TERMINAL) == sam


def test_a_terminal_has_one_sam_for_ever(conn, sam):
    other = Sam(number="00009901000000000009", terminal=TERMINAL, issued_at=AT)
    with pytest.raises(SamTaken, match=f"terminal {TERMINAL} has SAM {NUMBER}, issued"):
        add_sam(conn, other)
    revoke_sam(conn, NUMBER, reason="stolen", at=AT)
    for number in (NUMBER, other.number):
        with pytest.raises(SamRevoked, match="new terminal number with citycard terminal add"):
            add_sam(conn, Sam(number=number, terminal=TERMINAL, issued_at=AT))


def test_a_sam_of_an_unknown_terminal_is_not_entered(conn):
    with pytest.raises(IntegrityError):
        add_sam(conn, Sam(number=NUMBER, terminal="999999999999", issued_at=AT))


@pytest.mark.parametrize("number", ["", "1" * 19, "1" * 21, "1" * 19 + "A"])
def test_a_number_that_is_none_is_refused(number):
    with pytest.raises(SamNumberInvalid):
        Sam(number=number, terminal=TERMINAL, issued_at=AT)


def test_the_keys_of_a_sam_are_noted_with_their_versions(conn, sam):
    note_sam_keys(conn, NUMBER, [("purchase", 1), ("batch", 1)], at=AT)
    for _ in range(2):
        note_sam_keys(conn, NUMBER, [("purchase", 1), ("purchase", 2)], at=AT, actor="li")
    assert find_sam(conn, NUMBER).keys == {"batch": (1,), "purchase": (1, 2)}
    told = [(change.what, change.reason, change.actor) for change in sam_history(conn, NUMBER)]
    assert told == [("issued", "", "li"), ("keys", "purchase 1, batch 1", ""), ("keys", "purchase 2", "li")]


def test_an_issued_sam_comes_into_use_once(conn, sam):
    for _ in range(2):
        use_sam(conn, NUMBER, at=AT)
    assert find_sam(conn, NUMBER).status is SamStatus.IN_USE
    assert [change.what for change in sam_history(conn, NUMBER)] == ["issued", "in use"]


def test_a_revoked_sam_stays_revoked(conn, sam):
    first = revoke_sam(conn, NUMBER, reason="stolen", at=AT + timedelta(hours=1), actor="li")
    assert (first.status, first.revoked_at) == (SamStatus.REVOKED, AT + timedelta(hours=1))
    assert revoke_sam(conn, NUMBER, reason="again", at=AT + timedelta(hours=2)) == first
    use_sam(conn, NUMBER, at=AT)
    assert find_sam(conn, NUMBER) == first
    with pytest.raises(SamRevoked, match=f"SAM {NUMBER} of terminal {TERMINAL} was revoked"):
        require_open(first)
    last = sam_history(conn, NUMBER)[-1]
    assert (last.what, last.reason, last.actor) == ("revoked", "stolen", "li")
    assert last.at == first.revoked_at


def test_sams_are_listed_by_status(conn, sam):
    assert sams(conn, SamStatus.ISSUED) == [sam]
    assert sams(conn, SamStatus.REVOKED) == []


def test_what_is_not_there_is_missing(conn):
    with pytest.raises(RegistryMissing):
        find_sam(conn, NUMBER)
    with pytest.raises(RegistryMissing):
        revoke_sam(conn, NUMBER, reason="", at=AT)
    assert sam_of_terminal(conn, TERMINAL) is None


def test_the_history_of_a_sam_cannot_be_rewritten(conn, sam):
    with pytest.raises(DBAPIError):
        conn.execute(sam_change.delete())
