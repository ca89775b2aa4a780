"""Personalisation jobs: the numbers they took, who works on each, and what became of it.

A number has one row for ever. A worker holds the numbers it works on until its lease ends; then they are
anybody's again, so that a job goes on after a worker has died.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, func, insert, select, update

from citycard.errors import NumbersUsedUp, PersonalisationJobUnknown, RegistryInvalid, StockShort
from citycard.ids import derived_id
from citycard.registry import tables
from citycard.registry.adding import require
from citycard.registry.ranges import find_number_range, take_numbers
from citycard.registry.stock import SPOILED, USED, move_stock, stock_at
from citycard.store.bulk import insert_missing, select_in

__all__ = [
    "JobCount",
    "PersonalisationJob",
    "SpoiledNumber",
    "check_job_supply",
    "claim_numbers",
    "count_job",
    "find_personalisation_job",
    "finish_job",
    "number_state",
    "open_personalisation_job",
    "personalisation_jobs",
    "settle_numbers",
    "spoiled_numbers",
]

_INTERRUPTED = "interrupted"
# What stands in the row of a number in hand that must not be begun again, whoever finds it.
_ONCE = "at a reader"
_LONGEST_STEP, _LONGEST_REASON = 64, 200


@attrs.frozen(kw_only=True)
class PersonalisationJob:
    """``wanted`` cards of a product version, with numbers of ``range``, out of a lot's blanks at a place."""

    number: int
    product: str
    product_version: int
    range: str
    lot: str
    place: str
    wanted: int
    starts_on: date
    expires_on: date
    actor: str
    opened_at: datetime
    finished_at: datetime | None = None

    @property
    def hands(self) -> str:
        """Return the place in the stock where the blank cards are that the job is working on."""
        return f"job-{self.number}"


@attrs.frozen(kw_only=True)
class JobCount:
    """What a job has come to: cards made and spoiled, numbers in somebody's hands, cards still missing."""

    wanted: int
    made: int
    spoiled: int
    in_hand: int

    @property
    def missing(self) -> int:
        """Return how many cards are not made yet, those in somebody's hands included."""
        return self.wanted - self.made


@attrs.frozen(kw_only=True)
class SpoiledNumber:
    """A number that no card will have: the step that failed and the card's status word, or why else."""

    asn: str
    step: str
    status_word: str
    at: datetime


def check_job_supply(
    conn: Connection, product: str, cards: int, *, numbers: str, lot: str, place: str
) -> None:
    """Check that a job of so many cards has numbers and blank cards to begin with.

    Raise RegistryMissing, RegistryInvalid for a range of another product, NumbersUsedUp and StockShort.
    """
    found = find_number_range(conn, numbers)
    if found.product != product:
        raise RegistryInvalid(
            record="range", key=numbers, field="product", value=found.product, expected=product
        )
    if found.left < cards:
        raise NumbersUsedUp(name=numbers, left=found.left, wanted=cards)
    require(conn, tables.stock_lot, [lot])
    held = stock_at(conn, lot, place)
    if held < cards:
        raise StockShort(place=place, held=held, lot=lot, wanted=cards)


def open_personalisation_job(conn: Connection, **values: Any) -> PersonalisationJob:
    """Open a job under the next number, with the fields of PersonalisationJob."""
    table = tables.personalisation_job
    while True:
        number = int(conn.scalar(select(func.coalesce(func.max(table.c.number), 0))) or 0) + 1
        job = PersonalisationJob(number=number, **values)
        # Where another process took the number a moment ago, the next one is tried.
        if insert_missing(conn, table, [attrs.asdict(job)]):
            return job


def find_personalisation_job(conn: Connection, number: int, *, hold: bool = False) -> PersonalisationJob:
    """Give one job, held until the transaction ends when asked; raise PersonalisationJobUnknown."""
    table = tables.personalisation_job
    query = select(table).where(table.c.number == number)
    row = conn.execute(query.with_for_update() if hold else query).one_or_none()
    if row is None:
        raise PersonalisationJobUnknown(number=number)
    return PersonalisationJob(**row._mapping)  # noqa: SLF001 - the documented way to read a row


def personalisation_jobs(conn: Connection) -> list[PersonalisationJob]:
    """Give all jobs, oldest first."""
    rows = conn.execute(select(tables.personalisation_job).order_by(tables.personalisation_job.c.number))
    return [PersonalisationJob(**row._mapping) for row in rows]  # noqa: SLF001 - the documented way to read a row


def claim_numbers(
    conn: Connection,
    job: PersonalisationJob,
    most: int,
    *,
    worker: UUID,
    now: datetime,
    lease: timedelta,
    again: bool,
) -> list[str]:
    """Give a worker numbers of a job to make cards with, at most ``most``; none when nothing is left.

    Numbers whose worker's lease has ended come first when ``again`` allows it: where the same number makes
    the same card. Where it would make a second one, they are spoiled instead, with the step
    ``interrupted``.
    """
    find_personalisation_job(conn, job.number, hold=True)
    table = tables.personalisation
    left = select(table.c.asn, table.c.step).where(
        table.c.job == job.number, table.c.state == "taken", table.c.leased_until <= now
    )
    abandoned = conn.execute(left.order_by(table.c.asn)).all()
    lost = [row.asn for row in abandoned if not again or row.step == _ONCE]
    settle_numbers(conn, job, lost, "spoiled", step=_INTERRUPTED, at=now)
    abandoned_numbers = [row.asn for row in abandoned if row.asn not in set(lost)]
    numbers = abandoned_numbers[:most]
    count = count_job(conn, job)
    fresh_wanted = min(most - len(numbers), count.missing - count.in_hand)
    fresh = take_numbers(conn, job.range, fresh_wanted) if fresh_wanted > 0 else []
    held = {"worker": worker, "leased_until": now + lease, "at": now}
    if numbers:
        conn.execute(update(table).where(table.c.asn.in_(numbers)).values(held))
    if fresh:
        move_stock(
            conn,
            job.lot,
            job.place,
            job.hands,
            len(fresh),
            id=derived_id("drawn", fresh[0]),
            reason=f"job {job.number}",
            actor=job.actor,
            at=now,
        )
        step = "" if again else _ONCE
        rows = [
            {"asn": asn, "job": job.number, "state": "taken", "step": step, "status_word": "", **held}
            for asn in fresh
        ]
        conn.execute(insert(table), rows)
    return numbers + fresh


def settle_numbers(
    conn: Connection,
    job: PersonalisationJob,
    asns: Sequence[str],
    state: str,
    *,
    at: datetime,
    step: str = "",
    status_word: str = "",
) -> list[str]:
    """Note what became of numbers in hand, ``made`` or ``spoiled``, and return those that were in hand.

    Their blank cards leave the job's hands for ``used`` or ``spoiled``, whichever it is.
    """
    find_personalisation_job(conn, job.number, hold=True)
    table = tables.personalisation
    query = select(table.c.asn).where(table.c.job == job.number, table.c.state == "taken")
    in_hand = {row.asn for row in select_in(conn, query, table.c.asn, asns)}
    settled = [asn for asn in asns if asn in in_hand]
    if settled:
        values = {"state": state, "step": step[:_LONGEST_STEP], "status_word": status_word, "at": at}
        conn.execute(update(table).where(table.c.asn.in_(settled)).values(values))
        move_stock(
            conn,
            job.lot,
            job.hands,
            USED if state == "made" else SPOILED,
            len(settled),
            id=derived_id("settled", *settled),
            reason=f"job {job.number}: {step or state}"[:_LONGEST_REASON],
            actor=job.actor,
            at=at,
        )
    return settled


def number_state(conn: Connection, asn: str) -> tuple[int, str] | None:
    """Give the job and the state of a number that a job took, or None."""
    table = tables.personalisation
    row = conn.execute(select(table.c.job, table.c.state).where(table.c.asn == asn)).one_or_none()
    return (row.job, row.state) if row is not None else None


def finish_job(conn: Connection, job: PersonalisationJob, at: datetime) -> None:
    """Note that a job is done; the first time stands."""
    table = tables.personalisation_job
    done = update(table).where(table.c.number == job.number, table.c.finished_at.is_(None))
    conn.execute(done.values(finished_at=at))


def count_job(conn: Connection, job: PersonalisationJob) -> JobCount:
    """Count a job's numbers by what became of them."""
    table = tables.personalisation
    query = select(table.c.state, func.count().label("cards")).where(table.c.job == job.number)
    counts = {row.state: row.cards for row in conn.execute(query.group_by(table.c.state))}
    return JobCount(
        wanted=job.wanted,
        made=counts.get("made", 0),
        spoiled=counts.get("spoiled", 0),
        in_hand=counts.get("taken", 0),
    )


def spoiled_numbers(conn: Connection, job: PersonalisationJob) -> list[SpoiledNumber]:
    """Give the numbers of a job that no card will have, and why, in order."""
    table = tables.personalisation
    query = select(table).where(table.c.job == job.number, table.c.state == "spoiled").order_by(table.c.asn)
    return [
        SpoiledNumber(asn=row.asn, step=row.step, status_word=row.status_word, at=row.at)
        for row in conn.execute(query)
    ]
