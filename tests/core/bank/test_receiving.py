from __future__ import annotations

import datetime as dt
import hashlib

import attrs
import pytest
from camtwriter import Bank, Booked, document
from camtwriter import statement as written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.bank import BankCode, LineState, PaymentState, instruct, receive, reconcile
from citycard.bank.cases import find_cases
from citycard.bank.lines import matched_lines, statements
from citycard.bank.payments import find_payment, payments
from citycard.bank.receipts import Receipt, expect_receipt
from citycard.bank.receiving import match_again, statement_path
from citycard.errors import BankAccountDiffers, BankStatementConflict, BankStatementInvalid
from citycard.ids import derived_id
from citycard.store import reading, writing
from citycard.wallet.agents import Agent, open_agent
from citycard.wallet.programmes import Programme, add_programme, report_programme

DAY = dt.date(2026, 11, 24)
METRO, SHOP, UNMATCHED = "partner/metro/payable", "partner/shop/payable", "bank/unmatched"


def codes(treasury):
    with reading(treasury.engine) as conn:
        return [line.code for line in matched_lines(conn)]


def out(payment, **changes):
    facts = {"signed": -payment.amount_fen, "day": DAY, "end_to_end": payment.end_to_end}
    return Booked(**facts | {"account": payment.creditor.account, "name": payment.creditor.name} | changes)


def back(payment, **changes):
    facts = {"signed": payment.amount_fen, "day": DAY, "end_to_end": payment.end_to_end, "why": "AC04"}
    return Booked(**facts | changes)


def state_of(treasury, payment):
    with reading(treasury.engine) as conn:
        return find_payment(conn, payment.id).state


def expect(treasury, reference, **facts):
    receipt = Receipt(id=derived_id("receipt", reference), reference=reference, **facts)
    with writing(treasury.engine) as conn:
        expect_receipt(conn, treasury.ledger, receipt)


def sound(treasury):
    assert treasury.audit() == []
    found = reconcile(treasury)
    assert found.unexplained_fen == 0
    return found


def test_a_payment_booked_as_ordered_is_settled_and_leaves_transit(treasury, bank):
    payment = treasury.order(1, 30_000)
    instruct(treasury)
    assert treasury.balance("transit/settlement") == -30_000
    receive(treasury, bank.day(DAY, out(payment)))
    assert state_of(treasury, payment) is PaymentState.SETTLED
    assert (treasury.balance("transit/settlement"), treasury.balance("trust/bank")) == (0, 120_000)
    assert codes(treasury) == ["OK"]
    assert sound(treasury).difference_fen == 0


@pytest.mark.parametrize("version", ["02", "08"])
def test_a_payment_that_comes_back_is_owed_again(treasury, version):
    bank = Bank("6222000011112222", 150_000, version)
    payment = treasury.order(1, 30_000)
    instruct(treasury)
    receive(treasury, bank.day(DAY, back(payment), out(payment)))
    assert state_of(treasury, payment) is PaymentState.RETURNED
    assert (treasury.balance(METRO), treasury.balance("trust/bank")) == (100_000, 150_000)
    with reading(treasury.engine) as conn:
        lines = matched_lines(conn, state=LineState.RETURNED)
    assert [(line.code, "AC04" in line.reason) for line in lines] == [("S02", True)]
    sound(treasury)


def test_an_amount_or_an_account_that_differs_waits_for_a_person(treasury, bank):
    first, second = treasury.order(1, 30_000), treasury.order(2, 20_000)
    instruct(treasury)
    file = bank.day(DAY, out(first, signed=-29_000), out(second, account="999"))
    receive(treasury, file)
    assert codes(treasury) == ["M03", "M04"]
    assert treasury.balance(UNMATCHED) == -49_000
    assert {state_of(treasury, one) for one in (first, second)} == {PaymentState.INSTRUCTED}
    sound(treasury)


def test_a_payment_booked_twice_is_an_exception(treasury, bank):
    payment = treasury.order(1, 30_000)
    instruct(treasury)
    receive(treasury, bank.day(DAY, out(payment), out(payment)))
    assert codes(treasury) == ["OK", "M05"]
    sound(treasury)


def test_an_instruction_booked_as_a_whole_settles_each_of_its_payments(treasury, bank):
    paid = [treasury.order(1, 30_000), treasury.order(2, 20_000, source=SHOP)]
    file = instruct(treasury)
    receive(treasury, bank.day(DAY, Booked(signed=-50_000, day=DAY, batch=file.message_id)))
    assert [state_of(treasury, one) for one in paid] == [PaymentState.SETTLED] * 2
    assert treasury.balance("transit/settlement") == 0
    sound(treasury)


def test_details_of_one_entry_are_lines_of_their_own(treasury, bank):
    paid = [treasury.order(1, 30_000), treasury.order(2, 20_000, source=SHOP)]
    file = instruct(treasury)
    parts = tuple(out(one) for one in paid)
    receive(treasury, bank.day(DAY, Booked(signed=-50_000, day=DAY, batch=file.message_id, parts=parts)))
    assert codes(treasury) == ["OK", "OK"]
    sound(treasury)


def test_what_an_agent_pays_in_restores_its_quota_once(treasury, bank):
    now = treasury.clock.now()
    terms = Agent(id="kiosk", credit_fen=10_000, opened_at=now)
    with writing(treasury.engine) as conn:
        open_agent(conn, treasury.ledger, terms, at=now.replace(tzinfo=None))
    expect(treasury, "KIOSK-7", kind="agent", credit="agent/kiosk/receivable", standing=True)
    file = bank.day(DAY, Booked(signed=4_000, day=DAY, end_to_end="KIOSK-7"))
    for _ in range(2):
        receive(treasury, file)
    assert treasury.balance("agent/kiosk/quota") == 14_000
    assert treasury.balance("agent/kiosk/receivable") == -4_000
    sound(treasury)


def test_what_a_funder_pays_in_is_in_the_budget_of_its_programme_once(treasury, bank):
    meals = Programme(
        id="meals", title="Meals", funder="Office", partners=("shop",), starts_on=DAY, ends_on=DAY
    )
    with writing(treasury.engine) as conn:
        add_programme(conn, treasury.ledger, meals)
    file = bank.day(DAY, Booked(signed=4_000, day=DAY, end_to_end="MEALS-2026"))
    receive(treasury, file)
    assert codes(treasury) == ["M02"]
    expect(treasury, "MEALS-2026", kind="subsidy", credit="subsidy/meals/fund", standing=True)
    match_again(treasury)
    later = DAY + dt.timedelta(days=1)
    again = bank.day(later, Booked(signed=3_000, day=later, end_to_end="MEALS-2026"))
    for told in (file, again, again):
        receive(treasury, told)
    with reading(treasury.engine) as conn:
        report = report_programme(conn, treasury.ledger, "meals")
    assert (report.budget_fen, report.fund_fen, report.difference_fen) == (7_000, 7_000, 0)
    assert reconcile(treasury).desk_fen == 0
    sound(treasury)


def test_a_day_told_again_in_another_statement_pays_no_standing_receipt_twice(treasury, bank):
    now = treasury.clock.now()
    with writing(treasury.engine) as conn:
        open_agent(conn, treasury.ledger, Agent(id="kiosk", opened_at=now), at=now.replace(tzinfo=None))
    expect(treasury, "KIOSK-7", kind="agent", credit="agent/kiosk/receivable", standing=True)
    paid = Booked(signed=4_000, day=DAY, end_to_end="KIOSK-7", reference="B1")
    receive(treasury, bank.day(DAY, paid, paid))
    receive(treasury, bank.day(DAY, paid, paid))
    assert codes(treasury) == ["A01", "A01", "M05", "M05"]
    receive(treasury, bank.day(DAY + dt.timedelta(days=1), paid))
    assert sorted(codes(treasury)) == ["A01", "A01", "A01", "M05", "M05"]
    assert treasury.balance("agent/kiosk/quota") == 12_000
    assert (treasury.balance("agent/kiosk/receivable"), treasury.balance(UNMATCHED)) == (-12_000, 8_000)
    sound(treasury)


def test_what_is_expected_is_found_by_its_reference_wherever_the_payer_wrote_it(treasury, bank):
    expect(treasury, "KIOSK-7", kind="agent", credit="agent/kiosk/receivable", standing=True)
    expect(treasury, "ELDERS-2026", kind="subsidy", credit="subsidy/elders", amount_fen=9_000)
    receive(
        treasury,
        bank.day(
            DAY,
            Booked(signed=4_000, day=DAY, text="takings of monday, kiosk-7."),
            Booked(signed=5_000, day=DAY, end_to_end="KIOSK-7"),
            Booked(signed=9_000, day=DAY, text="ELDERS-2026"),
            Booked(signed=9_000, day=DAY, text="ELDERS-2026"),
            Booked(signed=1, day=DAY, text="KIOSK-7 ELDERS-2026"),
        ),
    )
    assert codes(treasury) == ["A01", "A01", "A01", "M05", "M02"]
    assert treasury.balance("agent/kiosk/receivable") == -9_000
    assert treasury.balance("subsidy/elders") == 9_000
    sound(treasury)


def test_the_desks_cash_paid_in_is_not_counted_twice(treasury):
    bank = Bank("6222000011112222", 0)
    expect(treasury, "DESK", kind="desk", standing=True)
    assert reconcile(treasury).desk_fen == 150_000
    receive(treasury, bank.day(DAY, Booked(signed=140_000, day=DAY, text="DESK 23 Nov")))
    assert codes(treasury) == ["A02"]
    assert treasury.balance("trust/bank") == 150_000
    found = sound(treasury)
    assert (found.desk_fen, found.bank_fen, found.difference_fen) == (10_000, 140_000, -10_000)


def test_charges_and_interest_are_the_citys_own(treasury, bank):
    receive(
        treasury,
        bank.day(
            DAY,
            Booked(signed=-250, day=DAY, code=("ACMT", "MDOP", "CHRG")),
            Booked(signed=90, day=DAY, code=("ACMT", "MCOP", "INTR")),
        ),
    )
    assert codes(treasury) == ["C01", "C02"]
    assert treasury.balance("expense/bank-charges") == 250
    assert treasury.balance("income/bank-interest") == 90
    sound(treasury)


def test_a_receipt_that_the_ledger_refuses_waits_with_the_unmatched(treasury, bank):
    expect(treasury, "NOWHERE", kind="partner", credit="partner/nobody/payable", standing=True)
    receive(treasury, bank.day(DAY, Booked(signed=70, day=DAY, text="NOWHERE")))
    with reading(treasury.engine) as conn:
        (line,) = matched_lines(conn)
    assert (line.code, "credit_account_missing" in line.reason) == ("M02", True)
    assert treasury.balance(UNMATCHED) == 70
    sound(treasury)


def test_a_line_explains_itself_when_what_it_belongs_to_comes_later(treasury, bank):
    payment = treasury.order(1, 30_000)
    instruct(treasury)
    monday = bank.day(DAY, out(payment))
    tuesday = bank.day(DAY + dt.timedelta(days=1), back(payment), Booked(signed=40, day=DAY, text="RENT-1"))
    assert receive(treasury, tuesday).holes == ()
    assert codes(treasury) == ["M02", "M02"]
    assert receive(treasury, monday).rematched.explained == 1
    assert state_of(treasury, payment) is PaymentState.RETURNED
    expect(treasury, "RENT-1", kind="partner", credit=SHOP)
    assert (match_again(treasury).explained, match_again(treasury).explained) == (1, 0)
    assert (treasury.balance(UNMATCHED), treasury.balance(SHOP)) == (0, 50_040)
    sound(treasury)


def test_a_statement_comes_once_whatever_its_file(treasury, bank):
    payment = treasury.order(1, 30_000)
    instruct(treasury)
    file = bank.day(DAY, out(payment))
    first = receive(treasury, file)
    again = receive(treasury, file)
    spaced = receive(treasury, file.replace(b"><", b">\n  <"))
    assert [report.statements[0].new for report in (first, again, spaced)] == [True, False, False]
    assert (treasury.folder / statement_path(hashlib.sha256(file).hexdigest())).read_bytes() == file
    assert codes(treasury) == ["OK"]
    sound(treasury)


def test_a_statement_with_other_content_is_refused(treasury, bank):
    receive(treasury, bank.day(DAY, Booked(signed=10, day=DAY), name="S-1"))
    with pytest.raises(BankStatementConflict, match="S-1"):
        receive(treasury, bank.day(DAY, Booked(signed=20, day=DAY), name="S-1"))


def test_a_statement_of_another_account_is_refused(treasury):
    with pytest.raises(BankAccountDiffers, match="expected '6222000011112222'"):
        receive(treasury, Bank("1234").day(DAY, Booked(signed=10, day=DAY)))


def test_a_file_is_taken_whole_or_not_at_all(treasury, bank):
    good, closing = written(1, bank.account, 0, [Booked(signed=10, day=DAY)], first=DAY, last=DAY)
    bad, _ = written(2, bank.account, closing, [Booked(signed=10, day=DAY)], first=DAY, last=DAY)
    broken = document(
        good,
        bad.replace(
            '<Amt Ccy="CNY">0.10</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>',
            '<Amt Ccy="CNY">0.11</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>',
        ),
    )
    with pytest.raises(BankStatementInvalid, match="do not add up"):
        receive(treasury, broken)
    with reading(treasury.engine) as conn:
        assert statements(conn) == []


def test_a_hole_between_statements_is_told_until_it_is_filled(treasury, bank):
    monday = bank.day(DAY, Booked(signed=10, day=DAY))
    tuesday = bank.day(DAY + dt.timedelta(days=1), Booked(signed=20, day=DAY))
    wednesday = bank.day(DAY + dt.timedelta(days=2), Booked(signed=30, day=DAY))
    receive(treasury, monday)
    (hole,) = receive(treasury, wednesday).holes
    assert (hole.missing, hole.moved_fen) == (1, 20)
    sound(treasury)
    assert receive(treasury, tuesday).holes == ()
    sound(treasury)


def test_a_payment_that_no_statement_shows_is_missing_after_its_business_days(treasury, bank):
    payment = treasury.order(1, 30_000)
    instruct(treasury)  # on Monday the 23rd
    friday, next_monday = dt.date(2026, 11, 27), dt.date(2026, 11, 30)
    monday = dt.date(2026, 11, 26)
    assert receive(treasury, bank.day(monday)).rematched.missing == 0
    assert receive(treasury, bank.day(friday)).rematched.missing == 1
    with reading(treasury.engine) as conn:
        (case,) = find_cases(conn, code=BankCode.M01)
    assert (case.end_to_end, case.amount_fen) == (payment.end_to_end, -30_000)
    receive(treasury, bank.day(next_monday, out(payment)))
    with reading(treasury.engine) as conn:
        assert find_cases(conn) == []
    assert state_of(treasury, payment) is PaymentState.SETTLED
    sound(treasury)


@attrs.frozen
class Plan:
    """What a bank does with the city's payments: how each fares, what else it books, in which order."""

    amounts: list[int]
    fates: list[str]
    unknown: list[int]
    order: list[int]
    cuts: list[int]
    arrival: list[int]


FATES = ("booked", "returned", "late", "dear", "twice")


@st.composite
def plans(draw):
    amounts = draw(st.lists(st.integers(1, 900), min_size=1, max_size=7))
    fates = [draw(st.sampled_from(FATES)) for _ in amounts]
    unknown = draw(st.lists(st.integers(-300, 300).filter(bool), max_size=4))
    most = 2 * len(amounts) + len(unknown)
    order = draw(st.permutations(range(most)))
    cuts = sorted(draw(st.lists(st.integers(0, most), max_size=3)))
    arrival = draw(st.permutations(range(len(cuts) + 1)))
    repeated = draw(st.lists(st.integers(0, len(cuts)), max_size=3))
    return Plan(amounts, fates, unknown, order, cuts, [*arrival, *repeated])


def booked_by(plan, paid):
    lines = []
    for payment, fate in zip(paid, plan.fates, strict=True):
        if fate in {"booked", "returned", "twice"}:
            lines.append(out(payment))
        if fate == "returned":
            lines.append(back(payment))
        if fate == "twice":
            lines.append(out(payment))
        if fate == "dear":
            lines.append(out(payment, signed=-payment.amount_fen - 1))
    lines += [
        Booked(signed=fen, day=DAY, text="who knows", end_to_end=f"X{place}")
        for place, fen in enumerate(plan.unknown)
    ]
    return [lines[place] for place in plan.order if place < len(lines)]


def split_into_days(plan, lines, bank):
    edges = [0, *[min(cut, len(lines)) for cut in plan.cuts], len(lines)]
    pieces = [lines[edges[place] : max(edges[place], edges[place + 1])] for place in range(len(edges) - 1)]
    return [bank.day(DAY + dt.timedelta(days=place), *piece) for place, piece in enumerate(pieces)]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=plans())
def test_whatever_the_bank_books_every_line_ends_once_and_no_fen_is_lost(plan, store_copies, treasury_in):
    with store_copies() as (store, folder):
        treasury = treasury_in(store, folder)
        treasury.owe(METRO, 10_000)
        bank = Bank("6222000011112222", 10_000)
        paid = [treasury.order(place, fen) for place, fen in enumerate(plan.amounts)]
        instruct(treasury)
        files = split_into_days(plan, booked_by(plan, paid), bank)
        before = sum(plan.amounts)
        for place in plan.arrival:
            receive(treasury, files[place])
        with reading(store) as conn:
            lines = matched_lines(conn)
            kept = statements(conn)
        booked = booked_by(plan, paid)
        assert len(lines) == len(booked) == sum(one.lines for one in kept)
        assert sum(line.line.signed_fen for line in lines) == sum(one.signed for one in booked)
        found = sound(treasury)
        assert found.bank_fen == bank.balance
        assert treasury.balance("trust/bank") == bank.balance
        with reading(store) as conn:
            states = {one.end_to_end: one.state for one in payments(conn)}
        for payment, fate in zip(paid, plan.fates, strict=True):
            wanted = {"late": "instructed", "dear": "instructed", "returned": "returned"}.get(fate, "settled")
            assert states[payment.end_to_end] == wanted
        if all(fate in {"booked", "returned", "twice"} for fate in plan.fates):
            assert treasury.balance("transit/settlement") == 0
        returned = sum(f for f, fate in zip(plan.amounts, plan.fates, strict=True) if fate == "returned")
        assert treasury.balance(METRO) == 10_000 - before + returned
