"""Take in what an issuer answers: each record ends where it says, and what it accepts is owed and paid.

The issuer's city owes the debit without its fee; the partners are owed their parts, bear the fee in the same
proportion, and pay the clearing fee as for any other record. The next run pays them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import attrs
from sqlalchemy import Connection, Row, insert, select

from citycard import registry
from citycard.clearing.codes import State
from citycard.exchange.context import ExchangeContext
from citycard.exchange.format import Answer, ExchangeFile
from citycard.exchange.tables import exchange_answer, exchange_record
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.records import AccountSpec, Transfer
from citycard.money import split
from citycard.registry.cities import Used, fee_on
from citycard.registry.tables import partner as registered
from citycard.store.bulk import select_in
from citycard.wallet.addresses import INCOME_CLEARING_FEE, city_receivable, partner_payable

__all__ = ["objection_to", "take_answers"]


@attrs.define
class _Earned:
    gross_fen: int = 0
    fee_fen: int = 0


def objection_to(conn: Connection, file: ExchangeFile) -> tuple[str, str] | None:
    """Say why answers cannot be taken, as a code and a reason: F08 or F09; None when they can."""
    header = file.header
    sent, ended = _sent(conn, file), _ended(conn, file)
    fees = registry.city_fees(conn, header.sender)
    for answer in file.lines:
        record = sent.get(answer.line)
        if record is None or record.amount_fen != answer.amount_fen:
            return (
                "F08",
                f"line {answer.line} of file {header.answers} was not sent with {answer.amount_fen} fen",
            )
        if answer.line in ended:
            return "F08", f"line {answer.line} of file {header.answers} was answered before"
        agreed = 0
        if answer.state is State.ACCEPTED:
            agreed = fee_on(fees, Used.HERE, record.service, record.day, record.amount_fen)
        if answer.fee_fen != agreed:
            return "F09", f"line {answer.line} has a fee of {answer.fee_fen} fen, and {agreed} were agreed"
    accepted = [one for one in file.lines if one.state is State.ACCEPTED]
    sums = (sum(one.amount_fen for one in accepted), sum(one.fee_fen for one in accepted))
    if sums != (header.gross_fen, header.fee_fen):
        return "F06", f"its lines accept {sums[0]} fen with {sums[1]} fen of fees"
    return None


def take_answers(context: ExchangeContext, conn: Connection, file: ExchangeFile) -> None:
    """Write down the answers and post what they accept."""
    header, sent = file.header, _sent(conn, file)
    rows = [
        {
            "city": header.sender,
            "file": header.answers,
            "line": answer.line,
            "answer": header.number,
            "state": answer.state.value,
            "code": answer.code,
            "fee_fen": answer.fee_fen,
        }
        for answer in file.lines
    ]
    if rows:
        conn.execute(insert(exchange_answer), rows)
    _post(context, conn, file, _earned(file.lines, sent))


def _sent(conn: Connection, file: ExchangeFile) -> Mapping[int, Row[tuple[object, ...]]]:
    query = select(exchange_record).where(
        exchange_record.c.city == file.header.sender, exchange_record.c.file == file.header.answers
    )
    return {row.line: row for row in conn.execute(query)}


def _ended(conn: Connection, file: ExchangeFile) -> set[int]:
    query = select(exchange_answer.c.line).where(
        exchange_answer.c.city == file.header.sender,
        exchange_answer.c.file == file.header.answers,
        exchange_answer.c.state != State.SUSPENDED.value,
    )
    return set(conn.scalars(query))


def _earned(answers: Sequence[Answer], sent: Mapping[int, Row[tuple[object, ...]]]) -> dict[str, _Earned]:
    earned: dict[str, _Earned] = defaultdict(_Earned)
    for answer in answers:
        parts = sent[answer.line].parts if answer.state is State.ACCEPTED else ()
        fees = split(answer.fee_fen, [fen for _, fen in parts]) if parts else ()
        for (partner, part_fen), fee_fen in zip(parts, fees, strict=True):
            earned[partner].gross_fen += part_fen
            earned[partner].fee_fen += fee_fen
    return earned


def _post(
    context: ExchangeContext, conn: Connection, file: ExchangeFile, earned: Mapping[str, _Earned]
) -> None:
    header = file.header
    receivable = city_receivable(header.sender)
    specs = [
        AccountSpec(address=receivable, code=AccountCode.OTHER_CITIES_RECEIVABLE, owner=header.sender),
        AccountSpec(address=INCOME_CLEARING_FEE, code=AccountCode.FEES),
    ]
    transfers = []
    query = select(registered.c.id, registered.c.kind)
    kinds = {row.id: row.kind for row in select_in(conn, query, registered.c.id, sorted(earned))}
    for partner, sums in sorted(earned.items()):
        payable = partner_payable(partner)
        specs.append(AccountSpec(address=payable, code=AccountCode.PAYABLE_TO_PARTNERS, owner=partner))
        clearing_fen = context.terms.fee_fen(partner, sums.gross_fen, kinds.get(partner, ""))
        moves = (
            ("payable", receivable, payable, sums.gross_fen, TransferCode.CITY_ACCEPTED),
            ("city-fee", payable, receivable, sums.fee_fen, TransferCode.CITY_FEE),
            ("fee", payable, INCOME_CLEARING_FEE, clearing_fen, TransferCode.FEE),
        )
        transfers += [
            Transfer(
                id=derived_id("exchange", "answer", header.sender, header.number, what, partner),
                debit_address=debit,
                credit_address=credit,
                amount_fen=amount_fen,
                code=code,
                event_time=datetime.combine(header.day, datetime.min.time()),
                business_date=header.day,
                ref=f"exchange/{header.sender}/{header.number}",
            )
            for what, debit, credit, amount_fen, code in moves
            if amount_fen
        ]
    if transfers:
        context.ledger.open_accounts(conn, specs)
        context.ledger.post_all(conn, transfers)
