"""A partner's statement has everything that moved in its payable: gross, fee, payment, and all else."""

import datetime as dt

import pytest

from citycard.city.statements import Period, partner_statement
from citycard.errors import RegistryMissing
from citycard.ids import new_id
from citycard.ledger import Transfer, TransferCode
from citycard.store import reading, writing
from citycard.wallet import TRUST_BANK, partner_payable

DAY = dt.date(2026, 3, 2)
TODAY = Period(since=DAY, until=DAY)


def test_a_run_is_gross_less_fee_less_payment(played):
    (section,) = partner_statement(played, "harbour-ferry", TODAY).sections
    found = [(line.what.en, line.amount_fen, line.balance_fen) for line in section.lines()]
    assert found == [
        ("Takings cleared", 1825, 1825),
        ("Clearing fee", -18, 1807),
        ("Paid by clearing", -1807, 0),
    ]


def test_lines_name_the_run_its_records_and_the_payment(played):
    (section,) = partner_statement(played, "harbour-ferry", TODAY).sections
    cleared, fee, paid = section.lines()
    assert (cleared.why.en, fee.why.en) == ("clearing run 1, 3 records", "clearing run 1")
    assert paid.why.en.startswith("clearing run 1, to the account ending 0001, reference ")


def test_other_movements_stand_beside_the_runs(played):
    address = partner_payable("park-gates")
    with writing(played.engine) as conn:
        played.ledger.post_all(
            conn,
            [
                Transfer(
                    id=new_id(),
                    debit_address=TRUST_BANK,
                    credit_address=address,
                    amount_fen=77,
                    code=TransferCode.CORRECTION,
                    event_time=dt.datetime(2026, 3, 2, 20),
                    business_date=DAY,
                    ref="letter of 2 March",
                )
            ],
        )
    statement = partner_statement(played, "park-gates", TODAY)
    *_, last = statement.sections[0].lines()
    assert (last.what.en, last.why.en, last.amount_fen) == ("Correction", "letter of 2 March", 77)
    with reading(played.engine) as conn:
        assert last.balance_fen == played.ledger.balance_fen(conn, address)


def test_a_partner_without_an_account_in_the_ledger_has_an_empty_statement(played):
    from citycard import registry

    with writing(played.engine) as conn:
        registry.add_partners(conn, [registry.Partner(id="quiet", name="Quiet")])
    (section,) = partner_statement(played, "quiet", TODAY).sections
    assert (section.opening_fen, section.closing_fen, list(section.lines())) == (0, 0, [])


def test_a_partner_that_is_not_registered_has_none(played):
    with pytest.raises(RegistryMissing):
        partner_statement(played, "nobody", TODAY)
