"""Each deduction is told at once: an event, and a line on the citizen's page."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import select

from citycard.store import reading
from citycard.store.outbox import outbox
from citycard_utilities.importing import take_file
from citycard_utilities.kiosk import Slip, pay_slip
from citycard_utilities.paying import pay_bill

WATER = "water-works"


def test_a_citizen_sees_what_was_deducted_and_what_came_back(town, settings, bill_file, due):
    card, kiosk = town.card(), town.till(town.terminal(town.partner("kiosk-street")))
    town.load(card, 5_000)
    account = town.account(card, 5_000)
    take_file(town.city, settings, "power-grid", bill_file(("E1", "H1", 500, due)), file="1.csv")
    pay_bill(town.city, settings, uuid4(), account, "power-grid", "E1")
    with reading(town.city.engine) as conn:
        told = conn.execute(select(outbox.c.topic, outbox.c.body)).all()
    assert told[-1].topic == "utilities.bill-paid"
    assert (told[-1].body["asn"], told[-1].body["amount_fen"]) == (card.asn, 500)

    slip = Slip(biller=2, bill="E1", household="H1", amount_fen=500, due=due)
    kiosk.serve(card.reader, town.now, pay_slip(slip))
    town.clear(kiosk)
    lines = [owned.record for owned in town.city.plugins.citizen_lines(card.asn)]
    assert sorted((line.title, line.amount_fen) for line in lines) == [
        ("Given back: bill E1", 500),
        ("Haibin Power, bill E1", -500),
        ("Haibin Power, bill E1 (paid twice)", -500),
    ]
    assert all(line.title_zh for line in lines)
    with town.client("citizen", card.asn) as client:
        page = client.get(f"/cards/{card.asn}", headers={"accept": "text/html"})
    assert "paid twice" in page.text
