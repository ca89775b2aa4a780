"""What a partner is owed besides its records is paid with them: payments online, and nets of earlier runs."""

from datetime import date, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from citycard import registry
from citycard.clearing.closing import Closing
from citycard.clearing.codes import Code
from citycard.clearing.intake import receive
from citycard.clearing.outcomes import Part
from citycard.clearing.run import clear
from citycard.clearing.sequence import Gap
from citycard.clearing.statements import statement_of
from citycard.clearing.tally import Sum, Tally
from citycard.clearing.work import Done
from citycard.ids import new_id
from citycard.ledger import AccountSpec, Transfer
from citycard.registry.tables import partner as partner_table
from citycard.store import reading, writing
from citycard.wallet import online_account, partner_payable

MORNING = datetime.fromisoformat("2018-09-01T07:00")
ACCOUNT = online_account("3" * 20)


@pytest.fixture
def pay_online(town):
    """Return a function that moves money between an online account and a partner."""

    def pay(partner, amount_fen):
        debit, credit = ACCOUNT, partner_payable(partner)
        if amount_fen < 0:
            debit, credit = credit, debit
        moved = Transfer(
            id=new_id(),
            debit_address=debit,
            credit_address=credit,
            amount_fen=abs(amount_fen),
            code=120,
            event_time=MORNING,
            business_date=date(2018, 9, 1),
        )
        with writing(town.engine) as conn:
            town.ledger.open_accounts(
                conn,
                [
                    AccountSpec(address=ACCOUNT, code=2002),
                    AccountSpec(address=partner_payable(partner), code=2101),
                ],
            )
            town.ledger.post_all(conn, [moved])

    return pay


def tap(town, amount_fen):
    (card,) = town.issue(1)
    town.load(card, 5000)
    town.tap(card, amount_fen, MORNING)
    receive(town, [town.batch()])


def owed(town, partner):
    with reading(town.engine) as conn:
        return town.ledger.balance_fen(conn, partner_payable(partner))


def told_to_the_bank(town, report):
    tree = etree.parse(town.folder / report.bank_file)
    return [node.text for node in tree.iter("{*}InstdAmt")]


def test_what_is_paid_online_is_paid_with_the_next_run(town, pay_online):
    pay_online("metro", 300)
    tap(town, 1000)
    report = clear(town)
    (line,) = report.partners
    assert (line.gross_fen, line.fee_fen, line.carried_fen, line.paid_fen) == (1000, 5, 300, 1295)
    found = statement_of(town, "metro")
    assert (found.net_fen, found.carried_fen) == (995, 300)
    assert (told_to_the_bank(town, report), owed(town, "metro")) == (["12.95"], 0)
    assert not clear(town).changed


def test_a_kind_of_partners_has_a_fee_of_its_own_and_a_partner_its_own_before_that(town):
    town.terms = attrs.evolve(town.terms, fee_bp=50, fees_bp={}, kind_fees_bp={"operator": 100})
    tap(town, 1000)
    (line,) = clear(town).partners
    assert (line.gross_fen, line.fee_fen, line.paid_fen) == (1000, 10, 990)
    assert town.terms.fee_fen("metro", 1000, "shop") == 5
    own = attrs.evolve(town.terms, fees_bp={"metro": 0})
    assert own.fee_fen("metro", 1000, "operator") == 0


def test_a_run_without_any_record_pays_what_is_owed(town, pay_online):
    pay_online("bus", 700)
    report = clear(town)
    assert (report.changed, report.records, report.business_date) == (True, 0, date(2018, 9, 1))
    assert [(one.partner, one.records, one.paid_fen) for one in report.partners] == [("bus", 0, 700)]
    assert (told_to_the_bank(town, report), owed(town, "bus")) == (["7.00"], 0)
    again = clear(town)
    assert (again.changed, again.number) == (False, report.number)


def test_what_a_partner_owes_the_city_is_taken_from_its_next_runs(town, pay_online):
    pay_online("metro", -1200)
    assert not clear(town).changed
    tap(town, 1000)
    (line,) = clear(town).partners
    assert (line.net_fen, line.carried_fen, line.paid_fen) == (995, -1200, 0)
    assert (statement_of(town, "metro").end_to_end, owed(town, "metro")) == ("", -205)
    pay_online("metro", 300)
    (line,) = clear(town).partners
    assert (line.carried_fen, line.paid_fen) == (95, 95)


def test_a_partner_that_cannot_be_paid_keeps_it_until_it_can(town, pay_online):
    pay_online("poor", 700)
    with writing(town.engine) as conn:
        registry.change_partner(conn, "bus", {"status": registry.PartnerStatus.SUSPENDED}, reason="asked")
    pay_online("bus", 100)
    assert not clear(town).changed
    with writing(town.engine) as conn:
        registry.change_partner(conn, "bus", {"status": registry.PartnerStatus.ACTIVE}, reason="asked")
        conn.execute(
            partner_table.update().where(partner_table.c.id == "poor").values(account_no="440010009")
        )
    assert [(one.partner, one.paid_fen) for one in clear(town).partners] == [("bus", 100), ("poor", 700)]


def test_accounts_of_nobody_who_is_registered_are_left_alone(town, pay_online):
    pay_online("stranger", 100)
    assert not clear(town).changed
    assert attrs.asdict(clear(town))["partners"] == ()


def done(bucket):
    asn = f"3104440000{bucket:010d}"
    return Done(
        part=Part(share=bucket, outcomes="o", cards="c", records=bucket, digest=f"{bucket:064d}"),
        total=Tally(
            codes={Code.OK: Sum(bucket, 100 * bucket)},
            earned={("metro", date(2018, 9, 1 + bucket % 2)): Sum(bucket, 100 * bucket)},
            last_at=MORNING + timedelta(minutes=bucket),
        ),
        spent_fen=100 * bucket,
        gaps={asn: ([], [Gap(bucket, bucket, None)])},
    )


@given(order=st.permutations(range(1, 8)))
def test_a_run_comes_to_the_same_in_whatever_order_its_buckets_end(order):
    expected = Closing.of(map(done, range(1, 8)), "local", rules_version="rules-1")
    found = Closing.of(map(done, order), "local", rules_version="rules-1")
    assert found == expected
    # What is posted and written follows these orders too.
    assert found.spent_fen == 2800
    assert found.parts == expected.parts
    assert found.digest() == expected.digest()
    assert found.total.codes == {Code.OK: Sum(28, 2800)}


def test_a_run_pays_a_partner_no_more_than_its_cap_and_the_rest_with_later_runs(town):
    town.terms = attrs.evolve(town.terms, net_caps_fen={"metro": 600})
    tap(town, 1000)
    report = clear(town)
    (line,) = report.partners
    assert (line.net_fen, line.paid_fen, line.held_fen, dict(report.notes)["N01"]) == (995, 600, 395, 1)
    assert (told_to_the_bank(town, report), owed(town, "metro")) == (["6.00"], 395)
    assert statement_of(town, "metro").held_fen == 395
    # What the cap holds back opens no run by itself: a cap that every call pays once more is none.
    assert not clear(town).changed
    (card,) = town.issue(2)
    town.load(card, 5000)
    town.tap(card, 100, MORNING + timedelta(days=1))
    receive(town, [town.batch(day=date(2018, 9, 2))])
    (line,) = clear(town).partners
    assert (line.carried_fen, line.paid_fen, line.held_fen) == (395, 494, 0)
    assert (owed(town, "metro"), dict(clear(town).notes).get("N01")) == (0, None)


def test_a_suspended_partner_is_reported_and_not_paid(town):
    with writing(town.engine) as conn:
        registry.change_partner(conn, "metro", {"status": registry.PartnerStatus.SUSPENDED}, reason="asked")
    tap(town, 1000)
    report = clear(town)
    assert (dict(report.notes)["N02"], report.partners[0].paid_fen, owed(town, "metro")) == (1, 0, 995)
