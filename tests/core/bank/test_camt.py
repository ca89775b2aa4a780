from __future__ import annotations

import datetime as dt
import re

import pytest
from camtwriter import Bank, Booked, document
from camtwriter import statement as written
from hypothesis import given
from hypothesis import strategies as st

from citycard.bank import camt
from citycard.bank.camt import read_statements
from citycard.bank.statement import Direction
from citycard.errors import BankStatementInvalid, BankStatementTooLarge

DAY = dt.date(2026, 11, 24)
ACCOUNT = "6222000011112222"
GOOD = Bank(ACCOUNT, 1000).day(DAY, Booked(signed=-250, day=DAY, end_to_end="E2E-1", name="公交 & Söhne"))


def edited(old, new, file=GOOD):
    text = file.decode()
    assert old in text, old
    return text.replace(old, new, 1).encode()


TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N"]), max_size=30)


@given(
    st.lists(st.tuples(st.integers(-(10**12), 10**12).filter(bool), TEXTS, TEXTS), max_size=8),
    st.integers(-(10**12), 10**12),
    st.sampled_from(["02", "08"]),
)
def test_what_a_bank_wrote_is_what_is_read(booked, opening, version):
    bank = Bank(ACCOUNT, opening, version)
    lines = [
        Booked(signed=fen, day=DAY, reference=f"R{place}", end_to_end=f"E{place}", name=name, text=text)
        for place, (fen, name, text) in enumerate(booked)
    ]
    (found,) = read_statements(bank.day(DAY, *lines))
    assert (found.opening_fen, found.closing_fen, found.version) == (opening, bank.balance, version)
    assert (found.account, found.sequence, found.closed_on) == (ACCOUNT, 1, DAY)
    assert [(one.signed_fen, one.end_to_end, one.reference) for one in found.lines] == [
        (one.signed, one.end_to_end, one.reference) for one in lines
    ]
    plain = [" ".join(one.split()) for line in lines for one in (line.name, line.text)]
    assert [text for one in found.lines for text in (one.party_name, one.text)] == plain


def test_both_versions_say_the_same():
    booked = Booked(
        signed=-250,
        day=DAY,
        end_to_end="E",
        account="99",
        name="A",
        why="AC01",
        code=("PMNT", "ICDT", "ESCT"),
    )
    one, other = (read_statements(Bank(ACCOUNT, 0, version).day(DAY, booked))[0] for version in ("02", "08"))
    assert one.lines == other.lines
    assert one.digest == other.digest
    line = one.lines[0]
    assert (line.kind, line.return_reason, line.party_account) == ("PMNT-ICDT-ESCT", "AC01", "99")
    assert line.direction is Direction.DEBIT


def test_entries_that_are_not_booked_are_left_out_and_counted():
    file = Bank(ACCOUNT).day(DAY, Booked(signed=5, day=DAY), Booked(signed=7, day=DAY, status="PDNG"))
    (found,) = read_statements(file)
    assert (len(found.lines), found.pending, found.closing_fen) == (1, 1, 5)


def test_details_that_do_not_add_up_leave_the_entry_as_one_line():
    parts = (Booked(signed=-100, day=DAY, end_to_end="A"), Booked(signed=-200, day=DAY, end_to_end="B"))
    whole = Booked(signed=-310, day=DAY, batch="MSG", parts=parts)
    (found,) = read_statements(Bank(ACCOUNT).day(DAY, whole))
    assert [(one.amount_fen, one.end_to_end, one.batch) for one in found.lines] == [(310, "", "MSG")]


def test_a_file_may_hold_several_statements():
    first, closing = written(1, ACCOUNT, 0, [Booked(signed=5, day=DAY)], first=DAY, last=DAY)
    second, _ = written(2, ACCOUNT, closing, [Booked(signed=6, day=DAY)], first=DAY, last=DAY)
    assert [len(one.lines) for one in read_statements(document(first, second))] == [1, 1]
    with pytest.raises(BankStatementInvalid, match="one id"):
        read_statements(document(first, first))


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"", "not well-formed"),
        (GOOD[:-20], "not well-formed"),
        (b"<Document/>", "line 1, Document: namespace ''"),
        (document(), "it has no statement"),
        (edited("001.08", "001.13"), "expected a Document of camt.053.001.02 or camt.053.001.08"),
        (edited('Ccy="CNY">10.00', 'Ccy="USD">10.00'), "Amt: currency 'USD', expected CNY"),
        (edited(">2.50</Amt>", ">2.505</Amt>"), "Amt: '2.505' is not an amount of whole fen"),
        (edited(">2.50</Amt>", ">-2.50</Amt>"), "Amt: '-2.50' is not an amount"),
        (edited(">2.50</Amt>", ">2.5e2</Amt>"), "is not an amount of whole fen"),
        (edited(">2.50</Amt>", ">0.00</Amt>"), "an amount of 0"),
        (edited(">2.50</Amt>", "></Amt>"), "it has 0 characters"),
        (edited("DBIT", "DEBT"), "CdtDbtInd: 'DEBT', expected CRDT or DBIT"),
        (edited(">2.50</Amt>", ">2.60</Amt>"), "Stmt: the balances do not add up: 1000 fen opening"),
        (edited("OPBD", "ITBD"), "0 balances (Bal) of type OPBD or PRCD"),
        (edited("OPBD", "CLBD"), "expected one"),
        (edited("<Dt>2026-11-24</Dt>", "<Dt>24.11.2026</Dt>"), "Dt: '24.11.2026' is not a day"),
        (edited("<FrDtTm>2026", "<FrDtTm>9026"), "before it opens"),
        (edited("<ElctrncSeqNb>1<", "<ElctrncSeqNb>one<"), "'one' is not a number"),
        (edited("<Id>STMT-000001</Id>", ""), "Stmt: Id is missing"),
        (edited("E2E-1", "E" * 36), "EndToEndId: it has 36 characters, expected 1 to 35"),
    ],
)
def test_what_is_wrong_is_said_with_its_element(file, words):
    with pytest.raises(BankStatementInvalid, match=re.escape(words)):
        read_statements(file)


def test_an_error_names_the_line_of_the_file():
    spaced = edited(">2.50</Amt>", ">2.505</Amt>").replace(b"><", b">\n<")
    line = spaced[: spaced.index(b"2.505")].count(b"\n") + 1
    with pytest.raises(BankStatementInvalid, match=f"line {line}, Amt"):
        read_statements(spaced)


@pytest.mark.parametrize(
    "inside",
    [
        "<!DOCTYPE Document>",
        '<!DOCTYPE Document [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE Document [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
def test_no_document_type_and_no_entity_is_ever_read(inside):
    for name in ("2.50", "&a;"):
        file = edited("?>\n", f"?>{inside}", edited("2.50", name))
        with pytest.raises(BankStatementInvalid, match=r"not allowed|not well-formed"):
            read_statements(file)


def test_a_file_that_is_too_large_or_too_deep_is_refused(monkeypatch):
    with pytest.raises(BankStatementInvalid, match="not well-formed"):
        read_statements(edited("<GrpHdr>", "<GrpHdr>" + "<a>" * 100_000))
    monkeypatch.setattr(camt, "LARGEST_BYTES", 100)
    with pytest.raises(BankStatementTooLarge, match="larger than 100 bytes"):
        read_statements(GOOD)


def test_a_large_statement_is_read_line_by_line():
    count = 5000
    file = Bank(ACCOUNT).day(DAY, *[Booked(signed=place, day=DAY) for place in range(1, count)])
    (found,) = read_statements(file)
    assert found.closing_fen == sum(range(count))
