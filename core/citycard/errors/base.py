"""The base of every error that a user can meet."""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "CitycardError",
]


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

    def __reduce__(self) -> tuple[Any, ...]:
        # So that it reaches whoever gave the work to another process.
        return _again, (type(self), self.args, self.data)


def _again(kind: type[CitycardError], args: tuple[Any, ...], data: dict[str, Any]) -> CitycardError:
    """Make an error of what it said and its data, without writing its sentence again."""
    error = kind.__new__(kind, *args)
    error.data = data
    return error
