"""Everything that can go wrong, one class each: its data, its sentence, its HTTP status and its exit code.

Exit codes of the command line: 0 done, 1 the work found something wrong, 2 the call is wrong,
3 the input is wrong, 4 something needed is missing, 5 refused.
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = ["AmountInvalid", "CitycardError"]


class CitycardError(Exception):
    """The base of every error that a user can meet. Subclasses name their data and write one sentence.

    ``sentence`` is a format string over the keyword arguments; ``str(error)`` is the finished sentence.
    """

    status: ClassVar[int] = 400
    exit_code: ClassVar[int] = 3
    sentence: ClassVar[str] = "something went wrong"

    def __init__(self, **data: Any) -> None:
        self.data = data
        super().__init__(self.sentence.format(**data))


# ── money ────────────────────────────────────────────────────────────────────────────────────────


class AmountInvalid(CitycardError):
    """An amount could not be read or shared."""

    sentence = "amount {text!r} is not valid: expected yuan with at most two decimals, such as 12.34"
