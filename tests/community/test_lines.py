"""What a holder reads of the community on the card's page, and what the city vouches for about residents."""

import datetime as dt

from citycard.ids import new_id
from citycard_community.billing import pay_from_account
from citycard_community.leases import begin_lease, end_lease

DAY = dt.timedelta(days=1)


def test_what_happened_is_told_newest_first(estate):
    owner = estate.town.card()
    estate.town.account(owner, 100_000)
    estate.town.load(owner, 10_000)
    estate.home(owner)
    estate.city.plugins.run_job("community.bill")
    pay_from_account(estate.city, estate.settings, new_id(), owner.asn, 1)
    estate.gate("in").enter(owner.reader, estate.now)
    estate.town.pass_time(dt.timedelta(hours=1))
    estate.gate("out").leave(owner.reader, estate.now)

    told = [one.record for one in estate.city.plugins.citizen_lines(owner.asn)]

    assert [(one.title, one.title_zh, one.amount_fen) for one in told] == [
        ("Left space 1", "驶离 1 号车位", -400),
        ("Property fee of 2026-03", "2026-03 物业费", -22_375),
        ("You own a home in Sunrise Court", "您在朝阳苑有住房", None),
    ]
    assert {one.path for one in told} == {"/community/mine"}
    assert estate.city.plugins.citizen_lines("9" * 20) == []


def test_the_city_vouches_for_residents_until_their_last_day(estate):
    owner, tenant = estate.town.card(), estate.town.card()
    flat = estate.home(owner)
    last = estate.today + 30 * DAY
    lease = begin_lease(estate.city, estate.settings, new_id(), flat, [tenant.asn], estate.today, last)

    def rights(card, at=estate.now):
        found = estate.city.entitlements(card.asn, at)
        return [(one.name, one.until) for one in found if one.source == "plugin community"]

    assert rights(tenant) == [("community-resident", last)]
    assert rights(tenant, estate.now + 31 * DAY) == []
    assert len(rights(owner)) == 1
    end_lease(estate.city, lease.id, estate.today + DAY)
    assert rights(tenant) == [("community-resident", estate.today + DAY)]
