import datetime as dt

import pytest
from schooltown import SCHOOL

from citycard.errors import CardRemoved
from citycard.store import reading
from citycard_campus.errors import LoanRefused
from citycard_campus.lending import LibraryDesk
from citycard_campus.loans import loans_of
from citycard_campus.roll import end

FEED = dt.timedelta(minutes=2)


@pytest.fixture
def library(place):
    return LibraryDesk(place.campus, place.town.terminal(SCHOOL), SCHOOL)


def reader_of(place, no="S1"):
    card = place.pupil(no=no)
    place.town.load(card, 2000)
    place.desk().write(card.reader, place.town.now)
    return card


def test_an_item_is_lent_once_and_only_so_many_to_one(place, library):
    card, other = reader_of(place), reader_of(place, "S2")
    for item in ("B-1", "B-2", "B-3"):
        library.lend(card.reader, place.town.pass_time(FEED), item)
    with pytest.raises(LoanRefused, match="has 3 items"):
        library.lend(card.reader, place.town.pass_time(FEED), "B-4")
    with pytest.raises(LoanRefused, match="lent already"):
        library.lend(other.reader, place.town.pass_time(FEED), "B-1")
    with pytest.raises(LoanRefused, match="somebody else"):
        library.take_back(other.reader, place.town.pass_time(FEED), "B-1")
    assert library.take_back(card.reader, place.town.pass_time(FEED), "B-1").amount_fen == 0
    with pytest.raises(LoanRefused, match="not lent"):
        library.take_back(card.reader, place.town.pass_time(FEED), "B-1")
    library.lend(other.reader, place.town.pass_time(FEED), "B-1")
    with reading(place.campus.engine) as conn:
        assert [one.item for one in loans_of(conn)] == ["B-1", "B-3", "B-2", "B-1"]


@pytest.mark.parametrize("item", ["", "x" * 21, "书", "a\nb"])
def test_what_is_no_item_is_refused(place, library, item):
    with pytest.raises(LoanRefused, match="ASCII characters"):
        library.lend(place.town.card().reader, place.town.now, item)


def test_whoever_left_brings_the_book_back_and_pays_for_late_days(place, library):
    card = reader_of(place)
    library.lend(card.reader, place.town.now, "B-1")
    place.town.clear(library.till)
    end(place.campus, 1, "graduated")
    library.refresh()
    place.town.pass_time(dt.timedelta(days=32))
    assert library.take_back(card.reader, place.town.now, "B-1").amount_fen == 20
    run = place.town.clear(library.till)
    assert (run.count("accepted"), run.notes) == (1, ())


def test_a_torn_loan_is_noted_when_the_card_comes_back(place, library):
    card = reader_of(place)

    class Gone(type(card.reader)):
        """Is gone after the debit until it is let back."""

        away = False

        def transmit(self, command):
            if self.away:
                raise CardRemoved(during="test")
            answer = super().transmit(command)
            if command[:2] == bytes.fromhex("8054"):
                self.away = True
                raise CardRemoved(during="test")
            return answer

    at = place.town.pass_time(FEED)
    with pytest.raises(CardRemoved):
        library.lend(Gone(card.chip), at, "B-1")
    with reading(place.campus.engine) as conn:
        assert loans_of(conn) == []
    library.lend(card.reader, place.town.pass_time(dt.timedelta(seconds=20)), "B-2")
    with reading(place.campus.engine) as conn:
        assert sorted(one.item for one in loans_of(conn)) == ["B-1", "B-2"]
