"""Visitors: whom a resident may invite, for when, and how many."""

import datetime as dt

import pytest

from citycard.city.office import Office
from citycard.ids import new_id
from citycard.store import reading
from citycard_community.errors import DayCodeRefused, NotTheirs, VisitRefused, VisitUnknown
from citycard_community.leases import begin_lease
from citycard_community.tables import visit
from citycard_community.visits import end_visit, invite, use_code

DAY = dt.timedelta(days=1)


@pytest.fixture
def host(estate):
    card = estate.town.card()
    estate.home(card)
    return card


@pytest.fixture
def asks(estate, host):
    def ask(day=estate.today, identity=None, visitor="", card=host, unit=1):
        return invite(estate.city, estate.settings, identity or new_id(), card.asn, unit, day, visitor)

    return ask


def test_the_same_invitation_again_tells_the_same_code_which_is_kept_nowhere(estate, asks):
    identity = new_id()
    first = asks(identity=identity)
    assert asks(identity=identity) == first
    assert asks().code != first.code
    with reading(estate.city.engine) as conn:
        assert first.code not in str(conn.execute(visit.select()).all())
    with pytest.raises(VisitRefused, match="given to another visit"):
        asks(identity=identity, day=estate.today + DAY)


def test_the_visitors_of_a_day_are_counted(estate, asks, host):
    first = asks()
    asks()
    with pytest.raises(VisitRefused, match="has its 2 visitors of the day"):
        asks()
    asks(day=estate.today + DAY)
    end_visit(estate.city, first.id, host.asn)
    asks()


def test_days_that_are_over_or_far_and_cards_that_are_lost_are_refused(estate, asks):
    lost = estate.town.card()
    Office(estate.city, "desk").lost(lost.asn)
    for more, said in (
        ({"day": estate.today - DAY}, "from today to 31 days on"),
        ({"day": estate.today + 32 * DAY}, "from today to 31 days on"),
        ({"visitor": lost.asn}, "is lost, not in use"),
    ):
        with pytest.raises(VisitRefused, match=said):
            asks(**more)


def test_only_who_opens_the_door_on_that_day_invites_to_it(estate, asks):
    tenant, stranger = estate.town.card(), estate.town.card()
    begin_lease(estate.city, estate.settings, new_id(), 1, [tenant.asn], estate.today, estate.today + 2 * DAY)
    asks(card=tenant, day=estate.today + 2 * DAY)
    for card, day in ((tenant, 3), (stranger, 0)):
        with pytest.raises(NotTheirs):
            asks(card=card, day=estate.today + day * DAY)
    guest = asks(visitor=stranger.asn)
    with pytest.raises(NotTheirs):  # a visitor invites nobody
        asks(card=stranger)
    with pytest.raises(NotTheirs):
        end_visit(estate.city, guest.id, tenant.asn)
    with pytest.raises(VisitUnknown):
        end_visit(estate.city, new_id(), tenant.asn)


def test_a_code_is_for_one_card_on_its_day(estate, asks, host):
    today, tomorrow = asks(), asks(day=estate.today + DAY)
    use_code(estate.city, estate.settings, today.code, "1" * 20)
    use_code(estate.city, estate.settings, today.code, "1" * 20)
    for code, card in ((today.code, "2" * 20), (tomorrow.code, "1" * 20), ("", "1" * 20)):
        with pytest.raises(DayCodeRefused):
            use_code(estate.city, estate.settings, code, card)
    end_visit(estate.city, tomorrow.id, host.asn)
    estate.town.pass_time(DAY)
    with pytest.raises(DayCodeRefused):
        use_code(estate.city, estate.settings, tomorrow.code, "1" * 20)
