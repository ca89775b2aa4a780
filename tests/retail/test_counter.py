"""A counter sells and voids offline; a void is done once, by the card that paid, in the batch of its sale."""

import pytest

from citycard.errors import CardRemoved, CitycardError
from citycard.store import reading
from citycard.testing.readers import TakenAway
from citycard_retail.closing import close_runs
from citycard_retail.counter import Counter
from citycard_retail.errors import MerchantUnknown, NothingToVoid, SaleFinished
from citycard_retail.merchants import merchants
from citycard_retail.sectors import SaleState


@pytest.fixture
def counter(shops):
    shops.open("corner-kiosk", "kiosk")
    with reading(shops.town.city.engine) as conn:
        (kiosk,) = merchants(shops.market, conn)
    return shops.counter(kiosk.terminals[0])


@pytest.fixture
def card(shops):
    card = shops.town.card()
    shops.town.load(card, 10_000)
    return card


def last_sale(counter, card, at):
    """Return what the card says of its last sale."""
    found = []

    class LookedError(CitycardError):
        sentence = "looked"

    def look(visit):
        found.append(visit.read("retail"))
        raise LookedError

    with pytest.raises(LookedError):
        counter.till.serve(card.reader, at, look)
    return found[0]


def test_a_sale_is_on_the_card_and_a_void_too(shops, counter, card):
    at = shops.day()
    counter.sell(card.reader, at, 1_250)
    sold = last_sale(counter, card, at)
    assert (sold.state, sold.terminal, sold.receipt, sold.amount_fen, sold.sold_at) == (
        SaleState.SOLD, counter.number, 1, 1_250, at,
    )  # fmt: skip
    done = counter.void(card.reader, shops.day())
    assert (done.amount_fen, last_sale(counter, card, shops.day()).state) == (0, SaleState.VOIDED)
    with pytest.raises(NothingToVoid, match="no sale before"):
        counter.void(card.reader, shops.day())


def test_only_the_card_that_paid_voids_and_only_its_last_sale_in_the_open_batch(shops, counter, card):
    other = shops.town.card()
    shops.town.load(other, 5_000)
    with pytest.raises(NothingToVoid, match="no sale before"):
        counter.void(card.reader, shops.day())
    counter.sell(card.reader, shops.day(), 500)
    with pytest.raises(NothingToVoid, match="another card"):
        counter.void(other.reader, shops.day())
    counter.sell(other.reader, shops.day(), 700)
    with pytest.raises(NothingToVoid, match="another card"):
        counter.void(card.reader, shops.day())
    counter.close(shops.town.now.date(), shops.town.now)
    with pytest.raises(NothingToVoid, match="refund it instead"):
        counter.void(other.reader, shops.day())


def test_a_sale_elsewhere_in_between_keeps_the_card_from_voiding(shops, counter, card):
    shops.open("other-kiosk", "kiosk")
    with reading(shops.town.city.engine) as conn:
        other = merchants(shops.market, conn)[1]
    counter.till.refresh()
    counter.sell(card.reader, shops.day(), 500)
    shops.counter(other.terminals[0]).sell(card.reader, shops.day(), 300)
    with pytest.raises(NothingToVoid, match="not its last sale"):
        counter.void(card.reader, shops.day())


def test_a_till_that_retail_does_not_know_sells_nothing(shops):
    number = shops.town.terminal(shops.town.partner("somebody"))
    with pytest.raises(MerchantUnknown, match=number):
        Counter(shops.town.till(number))


class TearsAway:
    """A reader from which the card is taken before or after the answer of one of its commands, once."""

    def __init__(self, reader, at, *, done):
        self._reader, self._left, self._done = reader, at, done

    def __getattr__(self, name):
        return getattr(self._reader, name)

    def transmit(self, command):
        self._left -= 1
        if self._left == 0:
            if self._done:
                self._reader.transmit(command)
            raise CardRemoved(during="a command")
        return self._reader.transmit(command)


def test_a_sale_that_is_asked_for_again_by_its_receipt_is_not_charged_twice(shops, counter, card):
    with pytest.raises(CardRemoved):
        counter.sell(TakenAway(card.reader), shops.day(), 300)
    done = counter.sell(card.reader, shops.day(), 300, receipt=counter.last_receipt)
    assert (done.recovered, done.amount_fen) == (True, 300)
    assert (counter.next_receipt, shops.town.balance_fen(card)) == (2, 9_700)
    counter.void(card.reader, shops.day())
    assert last_sale(counter, card, shops.day()).receipt == 1


def test_another_sum_with_the_receipt_of_a_torn_sale_is_told_that_it_is_paid(shops, counter, card):
    """It is voided then, and the right sum is sold."""
    with pytest.raises(CardRemoved):
        counter.sell(TakenAway(card.reader), shops.day(), 100)
    with pytest.raises(SaleFinished, match="receipt 1 of 100 fen is paid"):
        counter.sell(card.reader, shops.day(), 500, receipt=counter.last_receipt)
    assert shops.town.balance_fen(card) == 9_900
    counter.void(card.reader, shops.day())
    assert counter.sell(card.reader, shops.day(), 500).amount_fen == 500
    report = shops.town.clear(counter)
    assert [(one.code, one.records) for one in report.totals] == [("OK", 3)]
    assert (close_runs(shops.market).voids, counter.last_receipt) == (1, 2)
    shops.town.check_books()


def test_a_torn_sale_is_no_answer_to_another_one(shops, counter, card):
    with pytest.raises(CardRemoved):
        counter.sell(TakenAway(card.reader), shops.day(), 300)
    other = counter.sell(card.reader, shops.day(), 500)
    assert (other.recovered, other.amount_fen, counter.last_receipt) == (False, 500, 2)
    with pytest.raises(CardRemoved):
        counter.sell(TakenAway(card.reader), shops.day(), 500)
    with pytest.raises(SaleFinished, match="receipt 3 of 500 fen is paid"):
        counter.sell(card.reader, shops.day(), 500)
    counter.sell(card.reader, shops.day(), 500)
    assert shops.town.balance_fen(card) == 10_000 - 300 - 500 - 500 - 500
    report = shops.town.clear(counter)
    assert [(one.code, one.records) for one in report.totals] == [("OK", 4)]
    shops.town.check_books()


def test_a_torn_sale_or_void_is_finished_and_never_done_twice(shops, counter, card):
    """Wherever the card is taken away, the purse lost what the records say, and a void counts once."""
    spent_fen = sales = voids = 0
    for at in range(1, 16):
        for done in (False, True):
            counter.sell(TearsAway(card.reader, at, done=done), shops.day(), 11)
            spent_fen, sales = spent_fen + 11, sales + 1
            if sales % 3 == 0:
                counter.void(TearsAway(card.reader, at, done=done), shops.day())
                voids += 1
    assert shops.town.balance_fen(card) == 10_000 - spent_fen
    report = shops.town.clear(counter)
    assert report.records == sales + voids
    assert [(one.code, one.records) for one in report.totals] == [("OK", sales + voids)]
    assert close_runs(shops.market).voids == voids
    shops.town.check_books()
