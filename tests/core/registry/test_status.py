from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from citycard.errors import RegistryMissing, StatusRefused
from citycard.registry import (
    CardStatus,
    CardStatusChange,
    TerminalStatus,
    card_history,
    find_card,
    find_terminal,
    set_card_status,
    set_terminal_status,
)
from citycard.registry.status import TRANSITIONS

ASN = f"{1:020d}"
AT = datetime(2018, 9, 1, tzinfo=UTC)


def test_a_card_is_lost_and_found_and_every_step_is_written_down(conn):
    set_card_status(conn, ASN, CardStatus.LOST, reason="reported by phone", at=AT)
    set_card_status(conn, ASN, CardStatus.LOST, reason="reported again", at=AT)
    assert set_card_status(conn, ASN, CardStatus.ISSUED, reason="found", at=AT).status is CardStatus.ISSUED
    assert card_history(conn, ASN) == [
        CardStatusChange(
            asn=ASN, before=CardStatus.ISSUED, after=CardStatus.LOST, reason="reported by phone", at=AT
        ),
        CardStatusChange(asn=ASN, before=CardStatus.LOST, after=CardStatus.ISSUED, reason="found", at=AT),
    ]


@pytest.mark.parametrize("last", [CardStatus.REPLACED, CardStatus.RETURNED])
@pytest.mark.parametrize("wanted", list(CardStatus))
def test_a_card_that_is_gone_does_not_come_back(conn, last, wanted):
    set_card_status(conn, ASN, last, reason="done")
    if wanted is last:
        return
    with pytest.raises(StatusRefused, match=f"card {ASN} is {last}: it cannot become {wanted}"):
        set_card_status(conn, ASN, wanted, reason="again")
    assert find_card(conn, ASN).status is last


def test_every_status_says_what_may_follow():
    assert set(TRANSITIONS) == set(CardStatus)


def test_an_unknown_card_is_named(conn):
    with pytest.raises(RegistryMissing, match="card '7'"):
        set_card_status(conn, "7", CardStatus.LOST, reason="")


def test_history_cannot_be_rewritten(conn):
    set_card_status(conn, ASN, CardStatus.LOST, reason="reported")
    with pytest.raises(DBAPIError, match="append-only"), conn.begin_nested():
        conn.execute(text("UPDATE card_status_change SET reason = 'never'"))


def test_a_terminal_is_revoked(conn):
    set_terminal_status(conn, "344000000001", TerminalStatus.REVOKED)
    assert find_terminal(conn, "344000000001").status is TerminalStatus.REVOKED
    with pytest.raises(RegistryMissing, match="terminal '5'"):
        set_terminal_status(conn, "5", TerminalStatus.REVOKED)
