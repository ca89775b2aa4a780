"""A card that the office replaces: rights, flats, passes and leases go on, and the old card opens nothing."""

import datetime as dt

from citycard.city.office import Office
from citycard.ids import new_id
from citycard.store import reading
from citycard_community.leases import begin_lease, end_lease, find_lease
from citycard_community.passes import passes_of_card, sell_pass
from citycard_community.replacing import follow_replacements
from citycard_community.units import units_of_owner


def replaced(estate, card):
    new = estate.stocked()
    office = Office(estate.city, "desk")
    office.lost(card.asn)
    office.replace(card.asn, new.asn, reason="lost")
    assert follow_replacements(estate.city, estate.settings) == 1
    assert follow_replacements(estate.city, estate.settings) == 0
    estate.kiosk().collect(new.reader, estate.now)
    return new


def test_an_owner_goes_on_with_the_new_card(estate):
    owner = estate.town.card()
    flat = estate.home(owner)
    estate.town.account(owner, 50_000)
    sell_pass(estate.city, estate.settings, new_id(), owner.asn, "sunrise", 1, 2, estate.today, 1)

    new = replaced(estate, owner)

    assert estate.opens("east", new) == "owner"
    assert estate.gate("in").enter(new.reader, estate.now).space == 2
    with reading(estate.city.engine) as conn:
        assert [one.id for one in units_of_owner(conn, new.asn)] == [flat]
        assert [one.space for one in passes_of_card(conn, new.asn, estate.today)] == [2]
        assert units_of_owner(conn, owner.asn) == passes_of_card(conn, owner.asn, estate.today) == []


def test_a_tenants_right_still_ends_with_the_lease(estate):
    owner, tenant = estate.town.card(), estate.town.card()
    flat = estate.home(owner)
    last = estate.today + dt.timedelta(days=90)
    lease = begin_lease(estate.city, estate.settings, new_id(), flat, [tenant.asn], estate.today, last)
    end_lease(estate.city, lease.id, estate.today)

    new = replaced(estate, tenant)

    assert find_lease(estate.city, lease.id).tenants == (new.asn,)
    assert estate.opens("east", new) == "tenant"
    estate.town.pass_time(dt.timedelta(days=1))
    assert estate.opens("east", new) == "revoked"
