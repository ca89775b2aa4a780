"""The supervision report as CSV (RFC 4180): one row for each of its lines, safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator

from citycard.city.statements.csvfile import BOM, csv_row, guarded
from citycard.city.supervision import SupervisionLine, SupervisionReport, SupervisionTarget
from citycard.city.targets import FEW
from citycard.money import yuan

__all__ = ["COLUMNS", "supervision_csv"]

#: The names of the columns, in their order.
COLUMNS = (
    "row",
    "id",
    "title",
    "title_zh",
    "since",
    "until",
    "cards",
    "cards_before",
    "cards_change",
    "uses",
    "uses_before",
    "uses_change",
    "turnover",
    "turnover_before",
    "turnover_change",
    "partners",
    "partners_registered",
    "terminals",
    "terminals_registered",
    "measure",
    "target",
    "reached",
    "due",
    "percent",
    "standing",
)
_COUNTS = 13


def supervision_csv(report: SupervisionReport) -> Iterator[str]:
    """Give the rows as text that ends with CR LF, a byte order mark and the names of the columns first.

    The rows are ``total``, ``domain``, ``district``, ``partner`` and ``target``, as the page shows them.
    Turnover is yuan with two decimals; so are target, reached and due of one in fen. A number of cards that
    is not told is ``<5``, a change that would tell it is empty.
    """
    yield BOM + csv_row(COLUMNS)
    parts = (
        ("total", (report.total,)),
        ("domain", report.domains),
        ("district", report.districts),
        ("partner", report.partners),
    )
    for kind, lines in parts:
        for line in lines:
            yield csv_row(_line(report, kind, line))
    for target in report.targets:
        yield csv_row(_target(target))


def _line(report: SupervisionReport, kind: str, line: SupervisionLine) -> tuple[object, ...]:
    now, before = line.now, line.before
    return (
        kind,
        *(guarded(text) for text in (line.id.removeprefix("-"), line.title, line.title_zh)),
        report.since,
        report.until,
        _cards(now.cards),
        _cards(before.cards),
        _known(line.cards_change),
        now.uses,
        before.uses,
        line.uses_change,
        yuan(now.turnover_fen),
        yuan(before.turnover_fen),
        yuan(line.turnover_change_fen),
        now.partners,
        _known(line.partners_registered),
        now.terminals,
        _known(line.terminals_registered),
        *[""] * 6,
    )


def _target(one: SupervisionTarget) -> tuple[object, ...]:
    target, progress = one.target, one.progress
    amount = yuan if target.measure.value.endswith("_fen") else str
    return (
        "target",
        guarded(f"{target.domain} {target.district}"),
        guarded(f"{one.domain.title}, {one.district.title}"),
        guarded(f"{one.domain.title_zh or one.domain.title}，{one.district.title_zh or one.district.title}"),
        target.since,
        target.until,
        *[""] * _COUNTS,
        target.measure.value.removesuffix("_fen"),
        amount(target.value),
        _cards(None) if progress.reached is None else amount(progress.reached),
        amount(progress.due),
        _known(progress.percent),
        progress.standing.value,
    )


def _cards(cards: int | None) -> str:
    return f"<{FEW}" if cards is None else str(cards)


def _known(number: int | None) -> str:
    return "" if number is None else str(number)
