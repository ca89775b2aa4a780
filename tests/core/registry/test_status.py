from datetime import UTC, datetime
from threading import Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from citycard.errors import RegistryMissing, StatusRefused
from citycard.registry import (
    CardStatus,
    CardStatusChange,
    Partner,
    TerminalStatus,
    add_partners,
    card_history,
    change_partner,
    find_card,
    find_partner,
    find_terminal,
    partner_history,
    set_card_status,
    set_terminal_status,
)
from citycard.registry.status import TRANSITIONS
from citycard.store import reading, writing

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


def test_what_two_desks_change_of_a_partner_at_once_is_written_down_one_after_the_other(store):
    with writing(store) as conn:
        add_partners(conn, [Partner(id="tram", name="Tram", account_no="62001")])

    def change(conn, account_no):
        change_partner(conn, "tram", {"account_no": account_no}, reason="a new bank", actor="li")

    def second():
        with writing(store) as conn:
            change(conn, "62003")

    thread = Thread(target=second)
    with writing(store) as conn:
        change(conn, "62002")
        thread.start()
        # Long enough to read, were it not for the lock.
        thread.join(timeout=1)
        assert thread.is_alive()
    thread.join()
    with reading(store) as conn:
        assert find_partner(conn, "tram").account_no == "62003"
        steps = [(one.before, one.after) for one in partner_history(conn, "tram")]
    assert steps == [("62001", "62002"), ("62002", "62003")]
