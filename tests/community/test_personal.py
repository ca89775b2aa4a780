"""Personal data: all of it is handed over, and after it was erased nothing leads to the card."""

from citycard.ids import new_id
from citycard.store import reading, writing
from citycard_community.billing import pay_from_account
from citycard_community.passes import sell_pass
from citycard_community.personal import personal_data
from citycard_community.visits import invite


def test_it_is_handed_over_and_erased(estate):
    (kind,) = personal_data()
    owner, guest = estate.town.card(), estate.town.card()
    estate.town.account(owner, 100_000)
    estate.home(owner)
    estate.city.plugins.run_job("community.bill")
    pay_from_account(estate.city, estate.settings, new_id(), owner.asn, 1)
    sell_pass(estate.city, estate.settings, new_id(), owner.asn, "sunrise", 1, 1, estate.today, 1)
    invite(estate.city, estate.settings, new_id(), owner.asn, 1, estate.today, guest.asn)
    estate.gate("in").enter(guest.reader, estate.now, plate="京A1")
    estate.kiosk().collect(owner.reader, estate.now)
    assert estate.opens("east", owner) == "owner"

    with reading(estate.city.engine) as conn:
        told = list(kind.export(conn, owner.asn))
        guests = {one["what"] for one in kind.export(conn, guest.asn)}
    assert {one["what"] for one in told} == {
        "unit owned",
        "right",
        "visitor invited",
        "parking pass",
        "property fee paid",
    }
    assert guests == {"right", "visit made", "parked"}

    with writing(estate.city.engine) as conn:
        assert kind.erase(conn, owner.asn) == len(told)
        assert kind.erase(conn, guest.asn) == 3
        assert kind.erase(conn, owner.asn) == 0
        assert list(kind.export(conn, owner.asn)) == []
        text = str([conn.execute(table.select()).all() for table in _tables()])
    assert owner.asn not in text
    assert guest.asn not in text
    assert estate.opens("east", owner) == "revoked"


def _tables():
    from citycard_community.tables import SCHEMA

    return SCHEMA.metadata.sorted_tables
