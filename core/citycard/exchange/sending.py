"""Make the files that are due to other cities: records for their issuers, answers, and cards to refuse.

Each file is one transaction. It is written under the city's folder before its row is committed, so that one
that broke off is made again under the same number.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select

from citycard import registry
from citycard.clearing.tables import clearing_run
from citycard.exchange.context import ExchangeContext
from citycard.exchange.filebook import BookedFile, FileTotal, book_file, booked_files, next_number
from citycard.exchange.format import Answer, FileKind, Header, ListedCard, SentRecord, write_file
from citycard.exchange.outgoing import Outgoing, answers_of, answers_posted, totals_of, waiting_records
from citycard.exchange.tables import exchange_file, exchange_record
from citycard.files import write_whole
from citycard.registry.blacklist import own_blacklist_at
from citycard.registry.cities import lists_held
from citycard.store.engine import reading, write_alone, writing

__all__ = ["send"]


def send(context: ExchangeContext) -> list[BookedFile]:
    """Make every file that is due and give their rows; what is made already is not made again.

    Due are the records of each closed run that wait for another city, the answers to each file whose records
    were cleared, and the newest list of our cards to refuse. May be interrupted, and called by many at once.
    """
    made: list[BookedFile] = []
    for run in _runs_to_send(context):
        made += _send_records(context, run)
    for file in _files_to_answer(context):
        made += _send_answers(context, file)
    return made + _send_cards(context)


def _runs_to_send(context: ExchangeContext) -> list[int]:
    with reading(context.engine) as conn:
        sent = select(func.coalesce(func.max(exchange_file.c.run), 0)).where(
            exchange_file.c.way == "out", exchange_file.c.kind == FileKind.RECORDS.value
        )
        runs = select(clearing_run.c.number, clearing_run.c.report).where(
            clearing_run.c.state == "closed", clearing_run.c.number > (conn.scalar(sent) or 0)
        )
        rows = conn.execute(runs.order_by(clearing_run.c.number)).all()
    return [row.number for row in rows if any(one["code"] == "X01" for one in row.report["totals"])]


def _send_records(context: ExchangeContext, run: int) -> list[BookedFile]:
    """Send the records of one run, a file for each city; all of them, or none."""
    with reading(context.engine) as conn:
        waiting = waiting_records(context, conn, run)
    made = []
    with writing(context.engine) as conn:
        write_alone(conn, exchange_file)
        if booked_files_of_run(conn, run):
            return []
        for city, records in sorted(waiting.items()):
            number = next_number(conn, city, FileKind.RECORDS)
            lines = [
                SentRecord(line=line, record=one.record, date=one.business_date, raw=one.raw.hex().upper())
                for line, one in enumerate(records, 1)
            ]
            lists = lists_held(conn, city, "ours")
            file = _made(context, conn, city, FileKind.RECORDS, lines, run=run, lists=lists)
            conn.execute(insert(exchange_record), [_row(city, number, *one) for one in enumerate(records, 1)])
            made.append(file)
    return made


def booked_files_of_run(conn: Connection, run: int) -> bool:
    """Say whether the records of a run were sent."""
    query = select(func.count()).where(
        exchange_file.c.way == "out",
        exchange_file.c.kind == FileKind.RECORDS.value,
        exchange_file.c.run == run,
    )
    return bool(conn.scalar(query))


def _row(city: str, number: int, line: int, one: Outgoing) -> dict[str, Any]:
    return {
        "city": city,
        "file": number,
        "line": line,
        "record": one.record,
        "asn": one.asn,
        "counter": one.counter,
        "service": one.service,
        "day": one.at.date(),
        "amount_fen": one.amount_fen,
        "parts": [list(part) for part in one.parts],
    }


def _files_to_answer(context: ExchangeContext) -> list[BookedFile]:
    """Give the files of records that came in, were cleared, and have no answer yet."""
    with reading(context.engine) as conn:
        came = booked_files(conn, way="in", kind=FileKind.RECORDS.value, accepted=True)
        answered = {
            (file.city, file.answers)
            for file in booked_files(conn, way="out", kind=FileKind.ANSWERS.value, accepted=True)
        }
        query = select(func.coalesce(func.max(clearing_run.c.watermark), 0))
        cleared = conn.scalar(query.where(clearing_run.c.state == "closed")) or 0
    return [
        file
        for file in came
        if (file.city, file.number) not in answered and file.intake is not None and file.intake <= cleared
    ]


def _send_answers(context: ExchangeContext, file: BookedFile) -> list[BookedFile]:
    with reading(context.engine) as conn:
        run, answers = answers_of(context, conn, file)
    with writing(context.engine) as conn:
        write_alone(conn, exchange_file)
        sent = booked_files(conn, way="out", city=file.city, kind=FileKind.ANSWERS.value)
        if any(one.answers == file.number for one in sent):
            return []
        accepted = [one for one in answers if one.state == "accepted"]
        made = _made(
            context,
            conn,
            file.city,
            FileKind.ANSWERS,
            answers,
            run=run,
            totals=totals_of(answers),
            answers=file.number,
            gross_fen=sum(one.amount_fen for one in accepted),
            fee_fen=sum(one.fee_fen for one in accepted),
        )
        answers_posted(context, conn, made)
    return [made]


def _send_cards(context: ExchangeContext) -> list[BookedFile]:
    made = []
    with writing(context.engine) as conn:
        write_alone(conn, exchange_file)
        newest, today = registry.blacklist_number(conn), _today(context)
        now = own_blacklist_at(conn, newest)
        for city in registry.other_cities(conn):
            sent = booked_files(conn, way="out", city=city.code, kind=FileKind.CARDS.value)
            held = max((one.list or 0 for one in sent), default=0)
            # Where only cards of other cities came and went, our part of the list says the same.
            if now != own_blacklist_at(conn, held) and (city.valid_to is None or today <= city.valid_to):
                cards = [ListedCard(asn=asn) for asn in sorted(now)]
                made.append(_made(context, conn, city.code, FileKind.CARDS, cards, list=newest))
    return made


def _made(
    context: ExchangeContext,
    conn: Connection,
    city: str,
    kind: FileKind,
    lines: Iterable[SentRecord | Answer | ListedCard],
    *,
    run: int | None = None,
    totals: Sequence[FileTotal] | None = None,
    **more: Any,
) -> BookedFile:
    """Write a file under the next number and book it."""
    content = list(lines)
    header = Header(
        kind=kind,
        sender=context.code,
        receiver=city,
        number=next_number(conn, city, kind),
        day=_today(context),
        records=len(content),
        amount_fen=sum(line.amount_fen for line in content),
        **more,
    )
    data = write_file(header, content, context.exchange_signer)
    file = BookedFile.sent(header, data, run=run)
    write_whole(context.folder / file.path, data)
    return book_file(conn, file, context.clock.now(), totals=totals)


def _today(context: ExchangeContext) -> Any:
    from zoneinfo import ZoneInfo

    return context.clock.now().astimezone(ZoneInfo(context.terms.timezone)).date()
