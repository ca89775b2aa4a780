"""One entry of a bank statement: a booking, or several that the bank booked together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import attrs

from citycard.bank.nodes import Node
from citycard.bank.statement import Direction, StatementLine

__all__ = ["Entry", "read_entry"]

_BOOKED = "BOOK"
_NOT_PROVIDED = "NOTPROVIDED"
_REFERENCE, _NAME, _ACCOUNT, _TEXT = 35, 140, 34, 500


@attrs.frozen(kw_only=True)
class Entry:
    """What an entry comes to: one line, or one for each of its details when these add up to it."""

    booked: bool
    parts: tuple[StatementLine, ...]

    def lines(self, after: int) -> Iterator[StatementLine]:
        """Give the lines of a booked entry, numbered behind ``after``."""
        for place, part in enumerate(self.parts if self.booked else (), start=1):
            yield attrs.evolve(part, position=after + place)


def read_entry(node: Node, version: str) -> Entry:
    """Read an entry (``Ntry``); raise BankStatementInvalid."""
    status = node.need("Sts")
    state = status.text_at("Cd", 35) if version != "02" else status.text(35)
    amount_fen, direction = node.need("Amt").amount_fen(), node.direction()
    whole = StatementLine(
        position=0,
        direction=direction,
        amount_fen=amount_fen,
        booked_on=(node.child("BookgDt") or node.need("ValDt")).day() if state == _BOOKED else date.min,
        reference=node.text_at("AcctSvcrRef", _REFERENCE) or node.text_at("NtryRef", _REFERENCE),
        batch=node.text_at("NtryDtls/Btch/PmtInfId", _REFERENCE),
        text=node.text_at("AddtlNtryInf", _TEXT),
        kind=_kind(node),
    )
    details = [detail for group in node.children("NtryDtls") for detail in group.children("TxDtls")]
    parts = [
        _part(whole, detail, place if len(details) > 1 else 0) for place, detail in enumerate(details, 1)
    ]
    # Charges taken beside the details leave a rest: then the entry stands as the one thing that is sure.
    if len(parts) == 1:
        parts = [attrs.evolve(parts[0], amount_fen=amount_fen, direction=direction)]
    if sum(part.signed_fen for part in parts) != whole.signed_fen:
        parts = [whole]
    return Entry(booked=state == _BOOKED, parts=tuple(parts))


def _part(whole: StatementLine, node: Node, place: int) -> StatementLine:
    amount = node.child("Amt") or node.child("AmtDtls/TxAmt/Amt")
    direction = node.direction() if node.child("CdtDbtInd") is not None else whole.direction
    end_to_end = node.text_at("Refs/EndToEndId", _REFERENCE)
    own = node.text_at("Refs/AcctSvcrRef", _REFERENCE)
    side = ("Cdtr", "CdtrAcct") if direction is Direction.DEBIT else ("Dbtr", "DbtrAcct")
    account = node.child(f"RltdPties/{side[1]}/Id")
    said = [each.text(_NAME) for info in node.children("RmtInf") for each in info.children("Ustrd")]
    said += [node.text_at("AddtlTxInf", _TEXT), whole.text]
    return attrs.evolve(
        whole,
        direction=direction,
        amount_fen=amount.amount_fen() if amount is not None else whole.amount_fen,
        reference=own
        or (f"{whole.reference[:29]}/{place}" if place and whole.reference else whole.reference),
        end_to_end="" if end_to_end == _NOT_PROVIDED else end_to_end,
        batch=node.text_at("Refs/PmtInfId", _REFERENCE) or whole.batch,
        party_name=node.text_at(f"RltdPties/{side[0]}/Nm", _NAME)
        or node.text_at(f"RltdPties/{side[0]}/Pty/Nm", _NAME),
        party_account=account.account() if account is not None else "",
        text=" ".join(filter(None, said))[:_TEXT],
        kind=_kind(node) or whole.kind,
        return_reason=node.text_at("RtrInf/Rsn/Cd", _REFERENCE)
        or node.text_at("RtrInf/Rsn/Prtry", _REFERENCE),
    )


def _kind(node: Node) -> str:
    found = node.child("BkTxCd/Domn")
    if found is None:
        return node.text_at("BkTxCd/Prtry/Cd", 35)
    family = found.need("Fmly")
    return "-".join((found.need("Cd").text(4), family.need("Cd").text(4), family.need("SubFmlyCd").text(4)))
