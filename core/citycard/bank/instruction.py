"""Write an instruction to the bank: ISO 20022 pain.001.001.09, one credit transfer per payment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from xml.etree import ElementTree as ET

import attrs

from citycard.errors import BankDetailsInvalid
from citycard.money import yuan

__all__ = [
    "NAMESPACE",
    "BankAccount",
    "CreditTransfer",
    "Instruction",
    "check_payable",
    "is_payable",
    "write_instruction",
]

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"

_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_ACCOUNT = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z/?:().,'+ -]{0,32}[0-9A-Za-z])?")
_ACCOUNT_WORDS, _BIC_WORDS = "1 to 34 letters and digits", "8 or 11 letters and digits"
_TEXT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]{1,140}")


@attrs.frozen(kw_only=True)
class BankAccount:
    """Hold an account at a bank: holder, account number, BIC (empty where it is not known)."""

    name: str
    account: str
    bic: str = ""


@attrs.frozen(kw_only=True)
class CreditTransfer:
    """Pay somebody. ``end_to_end`` (at most 35 characters) comes back on both sides' bank statements."""

    end_to_end: str
    amount_fen: int = attrs.field(validator=attrs.validators.gt(0))
    creditor: BankAccount
    text: str


@attrs.frozen(kw_only=True)
class Instruction:
    """One message to the bank: pay these from the trust account on a day."""

    message_id: str
    created_at: datetime
    execution_date: date
    debtor: BankAccount
    transfers: Sequence[CreditTransfer]

    @property
    def total_fen(self) -> int:
        """Sum the transfers: the control sum of the message."""
        return sum(transfer.amount_fen for transfer in self.transfers)


def write_instruction(instruction: Instruction) -> bytes:
    """Write an instruction as XML; the same instruction always gives the same bytes.

    Raise BankDetailsInvalid when a name, account or BIC cannot stand in the message.
    """
    document = ET.Element("Document", xmlns=NAMESPACE)
    root = ET.SubElement(document, "CstmrCdtTrfInitn")
    header = ET.SubElement(root, "GrpHdr")
    _text(header, "MsgId", instruction.message_id)
    _text(header, "CreDtTm", instruction.created_at.isoformat(timespec="seconds"))
    _sums(header, instruction)
    _text(ET.SubElement(header, "InitgPty"), "Nm", _name(instruction.debtor))
    payment = ET.SubElement(root, "PmtInf")
    _text(payment, "PmtInfId", instruction.message_id)
    _text(payment, "PmtMtd", "TRF")
    _sums(payment, instruction)
    _text(ET.SubElement(payment, "ReqdExctnDt"), "Dt", instruction.execution_date.isoformat())
    _text(ET.SubElement(payment, "Dbtr"), "Nm", _name(instruction.debtor))
    _account(ET.SubElement(payment, "DbtrAcct"), instruction.debtor)
    _agent(payment, "DbtrAgt", instruction.debtor)
    for transfer in instruction.transfers:
        _transfer(ET.SubElement(payment, "CdtTrfTxInf"), transfer)
    ET.indent(document)
    written: bytes = ET.tostring(document, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def is_payable(creditor: BankAccount) -> bool:
    """Say whether a name, account and BIC (or none) can stand in a message as the one who is paid."""
    bic = not creditor.bic or _BIC.fullmatch(creditor.bic)
    return bool(_TEXT.fullmatch(creditor.name) and _ACCOUNT.fullmatch(creditor.account) and bic)


def check_payable(creditor: BankAccount) -> None:
    """Raise BankDetailsInvalid when a name, account or BIC cannot stand in a message as who is paid."""
    _name(creditor)
    _checked(creditor, "account", _ACCOUNT, _ACCOUNT_WORDS)
    if creditor.bic:
        _checked(creditor, "bic", _BIC, _BIC_WORDS)


def _transfer(element: ET.Element, transfer: CreditTransfer) -> None:
    _text(ET.SubElement(element, "PmtId"), "EndToEndId", transfer.end_to_end)
    amount = ET.SubElement(ET.SubElement(element, "Amt"), "InstdAmt", Ccy="CNY")
    amount.text = yuan(transfer.amount_fen)
    if transfer.creditor.bic:
        _agent(element, "CdtrAgt", transfer.creditor)
    _text(ET.SubElement(element, "Cdtr"), "Nm", _name(transfer.creditor))
    _account(ET.SubElement(element, "CdtrAcct"), transfer.creditor)
    if transfer.text:
        _text(ET.SubElement(element, "RmtInf"), "Ustrd", transfer.text[:140])


def _sums(element: ET.Element, instruction: Instruction) -> None:
    _text(element, "NbOfTxs", str(len(instruction.transfers)))
    _text(element, "CtrlSum", yuan(instruction.total_fen))


def _name(owner: BankAccount) -> str:
    return _checked(owner, "name", _TEXT, "1 to 140 characters, none of them a control character")


def _account(element: ET.Element, owner: BankAccount) -> None:
    number = _checked(owner, "account", _ACCOUNT, _ACCOUNT_WORDS)
    _text(ET.SubElement(ET.SubElement(element, "Id"), "Othr"), "Id", number)
    _text(element, "Ccy", "CNY")


def _agent(element: ET.Element, tag: str, owner: BankAccount) -> None:
    bic = _checked(owner, "bic", _BIC, _BIC_WORDS)
    _text(ET.SubElement(ET.SubElement(element, tag), "FinInstnId"), "BICFI", bic)


def _checked(owner: BankAccount, field: str, pattern: re.Pattern[str], expected: str) -> str:
    value: str = getattr(owner, field)
    if not pattern.fullmatch(value):
        raise BankDetailsInvalid(owner=owner.name, field=field, value=value, expected=expected)
    return value


def _text(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = text
