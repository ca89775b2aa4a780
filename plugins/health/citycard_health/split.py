"""Who pays which part of a visit, line by line. Pure: values in, values out, whole fen throughout.

Insurance pays first: above what is left of the year's deductible, by the percentage of the line's class,
up to what is left of the year's ceiling. The rest is the patient's: a subsidy that fits, then the online
account, then the purse. What insurance pays is rounded down to whole fen, and what it does not pay is the
patient's, so that all parts together are always the price.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from citycard_health.settings import Plan

__all__ = ["UNUSED", "Line", "LineSplit", "Rest", "Used", "rest_of", "split_lines", "used_by"]

_ALL = 100


@attrs.frozen(kw_only=True)
class Line:
    """One line of a visit: the code of its item, the class it is covered by, and fen."""

    code: str
    coverage: str
    amount_fen: int = attrs.field(validator=attrs.validators.gt(0))


@attrs.frozen(kw_only=True)
class LineSplit:
    """Who pays a line: ``deductible_fen`` is the part of the patient's that counts for the deductible."""

    amount_fen: int
    deductible_fen: int = 0
    insured_fen: int = 0

    @property
    def patient_fen(self) -> int:
        """Give what insurance does not pay."""
        return self.amount_fen - self.insured_fen


@attrs.frozen(kw_only=True)
class Used:
    """What of a year's deductible and ceiling is used up."""

    deductible_fen: int = 0
    insured_fen: int = 0


UNUSED = Used()


@attrs.frozen(kw_only=True)
class Rest:
    """How the patient's part is paid."""

    subsidy_fen: int
    account_fen: int
    purse_fen: int


def split_lines(lines: Iterable[Line], plan: Plan | None, used: Used = UNUSED) -> tuple[LineSplit, ...]:
    """Split each line, in order, between insurance and the patient; without a plan all is the patient's."""
    if plan is None:
        return tuple(LineSplit(amount_fen=line.amount_fen) for line in lines)
    deductible_left = max(0, plan.deductible_fen - used.deductible_fen)
    ceiling_left = max(0, plan.ceiling_fen - used.insured_fen)
    parts = []
    for line in lines:
        percent = plan.percents.get(line.coverage, 0)
        deductible = min(deductible_left, line.amount_fen) if percent else 0
        insured = min(ceiling_left, (line.amount_fen - deductible) * percent // _ALL)
        deductible_left -= deductible
        ceiling_left -= insured
        parts.append(LineSplit(amount_fen=line.amount_fen, deductible_fen=deductible, insured_fen=insured))
    return tuple(parts)


def used_by(parts: Sequence[LineSplit]) -> Used:
    """Give what lines take of the year's deductible and ceiling: added when paid, taken off when returned."""
    return Used(
        deductible_fen=sum(part.deductible_fen for part in parts),
        insured_fen=sum(part.insured_fen for part in parts),
    )


def rest_of(patient_fen: int, *, subsidy_fen: int, account_fen: int) -> Rest:
    """Share the patient's part: the subsidies at hand first, then the account, the rest by the purse."""
    subsidy = min(patient_fen, max(0, subsidy_fen))
    account = min(patient_fen - subsidy, max(0, account_fen))
    return Rest(subsidy_fen=subsidy, account_fen=account, purse_fen=patient_fen - subsidy - account)
