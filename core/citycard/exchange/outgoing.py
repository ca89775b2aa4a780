"""What goes out: the records of a run that wait for another city, and what we answer to those of another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import attrs
from sqlalchemy import Connection, select

from citycard import registry
from citycard.clearing.codes import State
from citycard.clearing.columns import PLACES
from citycard.clearing.files import literal
from citycard.clearing.finding import record_id
from citycard.clearing.tables import clearing_part, clearing_run, segment
from citycard.exchange.context import ExchangeContext
from citycard.exchange.filebook import BookedFile, FileTotal
from citycard.exchange.format import Answer
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.records import AccountSpec, Transfer
from citycard.registry.cities import Used, fee_on
from citycard.wallet.addresses import INCOME_CITY_FEE, city_payee, payable_of

__all__ = ["Outgoing", "answers_of", "answers_posted", "city_signer", "totals_of", "waiting_records"]


@attrs.frozen(kw_only=True)
class Outgoing:
    """A record of another city's card that is in order here; ``parts`` says who gets how much of it."""

    record: str
    business_date: date
    asn: str
    counter: int
    service: int
    at: datetime
    amount_fen: int
    parts: tuple[tuple[str, int], ...]
    raw: bytes


def city_signer(code: str) -> str:
    """Give what stands for a city where a terminal stands: eight zeros and its code (``clearing.bucket``)."""
    return code.zfill(12)


def waiting_records(context: ExchangeContext, conn: Connection, run: int) -> Mapping[str, list[Outgoing]]:
    """Give the records of a closed run that wait for their issuers (X01), by city, in one order for ever."""
    cities = {issuer: city.code for city in registry.other_cities(conn) for issuer in city.issuers}
    parts = conn.scalars(select(clearing_part.c.outcomes).where(clearing_part.c.run == run)).all()
    made = conn.execute(select(clearing_run).where(clearing_run.c.number == run)).one()
    of_run = (segment.c.intake > made.from_intake, segment.c.intake <= made.watermark)
    segments = conn.scalars(select(segment.c.path).where(*of_run)).all()
    found: dict[str, list[Outgoing]] = defaultdict(list)
    rows = _ask(
        "SELECT cleared.*, raw FROM (SELECT terminal, batch_number, line, business_date, asn, counter,"
        ' service, "at", amount_fen, parts FROM read_parquet($outcomes, hive_partitioning = false)'
        " WHERE code = 'X01') AS cleared JOIN (SELECT batch_terminal AS terminal, batch_number, line, raw"
        " FROM read_parquet($records, hive_partitioning = false)) AS received"
        " USING (terminal, batch_number, line) ORDER BY ALL",
        outcomes=_paths(context, parts),
        records=_paths(context, segments),
    )
    for terminal, number, line, day, asn, counter, service, at, amount_fen, shares, raw in rows:
        found[cities[raw[PLACES["issuer"]].hex().upper()]].append(
            Outgoing(
                record=record_id(terminal, number, line),
                business_date=day,
                asn=asn,
                counter=counter,
                service=service,
                at=at,
                amount_fen=amount_fen,
                parts=tuple((part["partner"], part["amount_fen"]) for part in shares),
                raw=raw,
            )
        )
    return found


def answers_of(context: ExchangeContext, conn: Connection, file: BookedFile) -> tuple[int, list[Answer]]:
    """Give the run that cleared a file of another city, and what it says of every record in it."""
    query = select(clearing_run.c.number).where(
        clearing_run.c.state == "closed",
        clearing_run.c.from_intake < file.intake,
        clearing_run.c.watermark >= file.intake,
    )
    run = conn.execute(query).scalar_one()
    parts = conn.scalars(select(clearing_part.c.outcomes).where(clearing_part.c.run == run)).all()
    fees = registry.city_fees(conn, file.city)
    rows = _ask(
        'SELECT line, state, code, amount_fen, service, "at"'
        " FROM read_parquet($outcomes, hive_partitioning = false)"
        " WHERE terminal = $signer AND batch_number = $number ORDER BY line",
        outcomes=_paths(context, parts),
        signer=city_signer(file.city),
        number=file.number,
    )
    answers = [
        Answer(
            line=line,
            state=State(state),
            code=code,
            amount_fen=amount_fen,
            fee_fen=fee_on(fees, Used.THERE, service, at.date(), amount_fen) if state == "accepted" else 0,
        )
        for line, state, code, amount_fen, service, at in rows
    ]
    assert len(answers) == file.records
    return run, answers


def totals_of(answers: Iterable[Answer]) -> list[FileTotal]:
    """Add up answers by state and code."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for answer in answers:
        found[answer.state.value, answer.code].append(answer.amount_fen)
    return [(state, code, len(fens), sum(fens)) for (state, code), fens in sorted(found.items())]


def answers_posted(context: ExchangeContext, conn: Connection, file: BookedFile) -> None:
    """Keep the fees of what a file of answers accepts: they come off what is owed to the acquirer's city."""
    if not file.fee_fen:
        return
    payee, day = city_payee(file.city), file.day
    assert day is not None
    context.ledger.open_accounts(conn, [AccountSpec(address=INCOME_CITY_FEE, code=AccountCode.FEES)])
    fee = Transfer(
        id=derived_id("exchange", "answered", file.city, file.number, "fee"),
        debit_address=payable_of(payee),
        credit_address=INCOME_CITY_FEE,
        amount_fen=file.fee_fen,
        code=TransferCode.CITY_FEE,
        event_time=datetime.combine(day, datetime.min.time()),
        business_date=day,
        ref=f"exchange/{file.name}",
    )
    context.ledger.post_all(conn, [fee])


def _paths(context: ExchangeContext, paths: Sequence[str]) -> list[str]:
    return [literal(context.folder / path) for path in paths]


def _ask(query: str, **values: Any) -> list[tuple[Any, ...]]:
    import duckdb

    with duckdb.connect() as engine:
        rows: list[tuple[Any, ...]] = engine.execute(query, values).fetchall()
    return rows
