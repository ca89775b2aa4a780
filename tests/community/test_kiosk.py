"""The kiosk: rights onto cards, bills from the purse once however often a card is taken away, wrong codes."""

import datetime as dt

import pytest

from citycard.errors import CardRefused, CardRemoved
from citycard.ids import new_id
from citycard.store import reading
from citycard.testing.readers import TakenAway
from citycard_community.billing import asked_from_purse, bill_month, pay_from_account
from citycard_community.errors import BillUnknown, DayCodeRefused, PartRefused, PaymentRefused, SlotsFull
from citycard_community.sectors import CardRights
from citycard_community.visits import invite

FEE_FEN = 22_375
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def owner(estate):
    card = estate.town.card()
    estate.town.load(card, 60_000)
    estate.home(card)
    estate.city.plugins.run_job("community.bill")
    return card


def test_a_card_carries_what_the_books_say_and_nothing_else(estate, owner):
    kiosk = estate.kiosk()
    assert [one.kind.name for one in kiosk.collect(owner.reader, estate.now).rights] == ["OWNER"]
    stranger = estate.town.card()
    assert kiosk.collect(stranger.reader, estate.now).rights == ()


def test_five_flats_are_more_than_a_card_carries(estate, owner):
    for room in ("102", "103", "104", "105"):
        estate.home(owner, room=room)
    with pytest.raises(SlotsFull, match="carries 4 rights"):
        estate.kiosk().collect(owner.reader, estate.now)
    assert estate.opens("east", owner) == "no-right"


@pytest.mark.parametrize("done", [False, True])
def test_a_bill_is_paid_once_wherever_the_card_is_torn_away(estate, owner, done, torn_away):
    kiosk, torn = estate.kiosk(), 0
    for commands in range(1, 100):
        try:
            kiosk.pay(torn_away(owner.reader, commands, done=done), 1, estate.now)
        except CardRemoved:
            torn += 1
        except PaymentRefused:
            break  # the tap before had paid
        else:
            break
    assert torn > 5
    assert estate.owed(owner) == [(1, 0)]
    assert estate.town.balance_fen(owner) == 60_000 - FEE_FEN
    assert asked(estate) == []
    assert estate.clear().gross_fen == FEE_FEN


def test_a_torn_payment_is_no_answer_to_that_of_another_bill(estate, owner):
    kiosk = estate.kiosk()
    bill_month(estate.city, estate.settings, dt.date(2026, 4, 3))
    with pytest.raises(CardRemoved):
        kiosk.pay(TakenAway(owner.reader), 1, estate.now)
    assert len(kiosk.collect(owner.reader, estate.now).rights) == 1
    assert estate.owed(owner) == [(1, 0), (2, FEE_FEN)]
    with pytest.raises(CardRemoved):
        kiosk.pay(TakenAway(owner.reader), 2, estate.now)
    assert kiosk.pay(owner.reader, 2, estate.now).receipt.recovered
    assert (estate.owed(owner), estate.town.balance_fen(owner)) == ([(1, 0), (2, 0)], 60_000 - 2 * FEE_FEN)


def test_a_torn_writing_of_rights_is_no_answer_to_a_payment(estate, owner):
    kiosk = estate.kiosk()
    with pytest.raises(CardRemoved):
        kiosk.collect(TakenAway(owner.reader), estate.now)
    paid = kiosk.pay(owner.reader, 1, estate.now)
    assert (paid.receipt.recovered, paid.payment.amount_fen) == (False, FEE_FEN)
    assert (estate.owed(owner), estate.town.balance_fen(owner)) == ([(1, 0)], 60_000 - FEE_FEN)


def test_rights_that_a_torn_tap_wrote_are_written_anew_as_the_books_say_now(estate, owner):
    kiosk = estate.kiosk()
    with pytest.raises(CardRemoved):
        kiosk.collect(TakenAway(owner.reader), estate.now)
    estate.home(owner, room="102")
    estate.town.pass_time(dt.timedelta(days=1))
    done = kiosk.collect(owner.reader, estate.now)
    assert (done.receipt.recovered, [one.kind.name for one in done.rights]) == (False, ["OWNER", "OWNER"])
    estate.clear()


def test_a_torn_code_is_no_answer_to_another_code_and_may_be_used_again(estate, owner):
    first, second = (
        invite(estate.city, estate.settings, new_id(), owner.asn, 1, estate.today).code for _ in range(2)
    )
    guest, kiosk = estate.town.card(), estate.kiosk()
    with pytest.raises(CardRemoved):
        kiosk.use_code(TakenAway(guest.reader), first, estate.now)
    wrong = next(code for code in ("00000000", "11111111", "22222222") if code not in {first, second})
    with pytest.raises(DayCodeRefused):
        kiosk.use_code(guest.reader, wrong, estate.now)
    with pytest.raises(CardRemoved):
        kiosk.use_code(TakenAway(guest.reader), first, estate.now)
    assert len(kiosk.use_code(guest.reader, second, estate.now).rights) == 2
    other = estate.town.card()
    with pytest.raises(DayCodeRefused):
        kiosk.use_code(other.reader, second, estate.now)


def test_a_payment_whose_card_never_came_back_is_finished_by_its_record(estate, owner, torn_away):
    kiosk = estate.kiosk()
    commands = 0
    while estate.town.balance_fen(owner) == 60_000:
        commands += 1
        with pytest.raises(CardRemoved):
            kiosk.pay(torn_away(owner.reader, commands, done=True), 1, estate.now)
    assert [one.state for one in asked(estate)] == ["asked"]
    estate.town.account(owner, 60_000)
    with pytest.raises(PaymentRefused, match="being paid right now"):
        pay_from_account(estate.city, estate.settings, new_id(), owner.asn, 1)

    # The card is next seen for something else; only then does the till know, and hands in the record.
    estate.town.pass_time(5 * MINUTE)
    kiosk.collect(owner.reader, estate.now)
    assert estate.clear().gross_fen == FEE_FEN
    assert asked(estate) == []
    assert estate.owed(owner) == [(1, 0)]


def asked(estate):
    with reading(estate.city.engine) as conn:
        return asked_from_purse(conn)


def test_nothing_is_asked_for_that_is_not_owed(estate, owner):
    kiosk = estate.kiosk()
    with pytest.raises(BillUnknown):
        kiosk.pay(owner.reader, 77, estate.now)
    for amount_fen in (0, -1, FEE_FEN + 1, 100):
        with pytest.raises(PartRefused):
            kiosk.pay(owner.reader, 1, estate.now, amount_fen)
    poor = estate.town.card()
    with pytest.raises(CardRefused, match="balance is too small"):
        kiosk.pay(poor.reader, 1, estate.now)
    assert asked(estate) == []
    kiosk.pay(owner.reader, 1, estate.now)
    with pytest.raises(PaymentRefused, match="nothing is owed"):
        kiosk.pay(owner.reader, 1, estate.now)


def test_five_wrong_codes_close_the_kiosk_for_codes_for_ten_minutes(estate, owner):
    visit = invite(estate.city, estate.settings, new_id(), owner.asn, 1, estate.today)
    guest, kiosk = estate.town.card(), estate.kiosk()
    wrong = [code for code in ("00000000", "", "1", "x" * 500, "99999999") if code != visit.code]
    for code in wrong:
        with pytest.raises(DayCodeRefused):
            kiosk.use_code(guest.reader, code, estate.now)
    with pytest.raises(DayCodeRefused):
        kiosk.use_code(guest.reader, visit.code, estate.now)
    estate.town.pass_time(11 * MINUTE)
    (right,) = kiosk.use_code(guest.reader, visit.code, estate.now).rights
    assert (right.kind.name, right.ends_on) == ("VISITOR", estate.today)
    assert kiosk.use_code(guest.reader, visit.code, estate.now).rights == (right,)
    assert CardRights() != right
