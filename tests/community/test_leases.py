"""Leases: what they refuse, and that each act done again changes nothing."""

import datetime as dt

import pytest

from citycard.city.office import Office
from citycard.errors import RegistryMissing
from citycard.ids import new_id
from citycard.store import reading
from citycard_community.errors import LeaseRefused, LeaseUnknown, UnitUnknown
from citycard_community.granting import rights_of_card
from citycard_community.leases import begin_lease, end_lease, extend_lease, find_lease

DAY = dt.timedelta(days=1)
JUNE, JULY, DECEMBER = dt.date(2026, 6, 30), dt.date(2026, 7, 1), dt.date(2026, 12, 31)


@pytest.fixture
def let(estate):
    """Begin a lease of the landlord's flat."""
    landlord = estate.town.card()
    flat = estate.home(landlord)

    def begin(*tenants, identity=None, unit=flat, starts_on=estate.today, ends_on=JUNE):
        numbers = [card if isinstance(card, str) else card.asn for card in tenants]
        return begin_lease(
            estate.city, estate.settings, identity or new_id(), unit, numbers, starts_on, ends_on
        )

    begin.landlord = landlord
    return begin


def rights(estate, card):
    with reading(estate.city.engine) as conn:
        return [(one.id, one.last_day) for one in rights_of_card(conn, card.asn, estate.today)]


def test_the_same_lease_again_is_the_same_lease(estate, let):
    tenant, identity = estate.town.card(), new_id()
    first = let(tenant, identity=identity)
    assert let(tenant, identity=identity) == first == find_lease(estate.city, identity)
    assert len(rights(estate, tenant)) == 1
    with pytest.raises(LeaseRefused, match="given to another lease"):
        let(estate.town.card(), identity=identity)


def test_what_is_no_lease_is_refused(estate, let):
    tenant, lost = estate.town.card(), estate.town.card()
    Office(estate.city, "desk").lost(lost.asn)
    with pytest.raises(UnitUnknown):
        let(tenant, unit=99)
    with pytest.raises(RegistryMissing):
        let("9" * 20)
    for refused, said in (
        (let, "it has 0 tenants"),
        (lambda: let(tenant, tenant), "each once"),
        (lambda: let(*[str(n) * 20 for n in range(7)]), "it has 7 tenants"),
        (lambda: let(let.landlord), "cannot be its tenant"),
        (lambda: let(lost), "is lost, not in use"),
        (lambda: let(tenant, starts_on=JUNE, ends_on=estate.today), "it would run from"),
        (
            lambda: let(tenant, starts_on=estate.today - 9 * DAY, ends_on=estate.today - DAY),
            "ends today or later",
        ),
        (lambda: let(tenant, ends_on=dt.date(2099, 1, 1)), "within 20 years"),
    ):
        with pytest.raises(LeaseRefused, match=said):
            refused()
    assert rights(estate, tenant) == []


def test_leases_of_a_flat_follow_each_other_and_never_overlap(estate, let):
    tenant, other = estate.town.card(), estate.town.card()
    first = let(tenant)
    let(other, starts_on=JULY, ends_on=DECEMBER)
    with pytest.raises(LeaseRefused, match="runs from 2026-07-01"):
        extend_lease(estate.city, first.id, JULY)
    with pytest.raises(LeaseRefused, match="runs from"):
        let(other, starts_on=DECEMBER, ends_on=DECEMBER + DAY)
    let(tenant, starts_on=DECEMBER + DAY, ends_on=DECEMBER + 9 * DAY)


def test_extending_moves_the_same_rights_on(estate, let):
    tenant = estate.town.card()
    lease = let(tenant)
    before = rights(estate, tenant)
    for _ in range(2):
        assert extend_lease(estate.city, lease.id, DECEMBER).last_day == DECEMBER
    assert rights(estate, tenant) == [(before[0][0], DECEMBER)]
    with pytest.raises(LeaseRefused, match="to shorten it, end it"):
        extend_lease(estate.city, lease.id, JUNE)
    with pytest.raises(LeaseUnknown):
        extend_lease(estate.city, new_id(), DECEMBER)


def test_an_early_end_is_final_and_frees_the_flat(estate, let):
    tenant, other = estate.town.card(), estate.town.card()
    lease = let(tenant)
    for wrong in (estate.today - 2 * DAY, JULY):
        with pytest.raises(LeaseRefused, match="expected a day from"):
            end_lease(estate.city, lease.id, wrong)
    for _ in range(2):
        assert end_lease(estate.city, lease.id, estate.today + DAY).last_day == estate.today + DAY
    assert rights(estate, tenant) == [(2, estate.today + DAY)]
    assert end_lease(estate.city, lease.id, estate.today - DAY).last_day == estate.today - DAY
    assert rights(estate, tenant) == []
    with pytest.raises(LeaseRefused, match="begin another one"):
        extend_lease(estate.city, lease.id, DECEMBER)
    let(other)


def test_a_lease_that_is_over_can_be_neither_extended_nor_ended(estate, let):
    lease = let(estate.town.card(), ends_on=estate.today)
    estate.town.pass_time(3 * DAY)
    with pytest.raises(LeaseRefused, match="it ended on 2026-03-02"):
        extend_lease(estate.city, lease.id, DECEMBER)
    with pytest.raises(LeaseRefused, match="it ended on 2026-03-02"):
        end_lease(estate.city, lease.id, estate.today)


def test_an_event_tells_of_each_change_and_of_no_card(estate, let):
    from citycard.store import undelivered

    tenant = estate.town.card()
    lease = let(tenant)
    extend_lease(estate.city, lease.id, DECEMBER)
    end_lease(estate.city, lease.id, estate.today)
    with reading(estate.city.engine) as conn:
        told = [message.body for message in undelivered(conn, topics={"community.lease-changed"})]
    assert [(body["what"], body["last_day"]) for body in told] == [
        ("begun", "2026-06-30"),
        ("extended", "2026-12-31"),
        ("ended", "2026-03-02"),
    ]
    assert tenant.asn not in str(told)
    assert estate.city.deliver() == 3
