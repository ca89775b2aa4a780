"""The base of every error that a user can meet."""

from __future__ import annotations

from typing import Any, ClassVar

from citycard.errors.phrase import Phrase

__all__ = [
    "CitycardError",
]


class CitycardError(Exception):
    """The base of every error that a user can meet. Subclasses name their data and write one sentence.

    ``sentence`` is a format string over the keyword arguments; ``str(error)`` is the finished sentence, in
    English. ``phrase`` is the same, for a page that says it in its reader's language.
    """

    status: ClassVar[int] = 400
    exit_code: ClassVar[int] = 3
    sentence: ClassVar[str] = "something went wrong"

    def __init__(self, **data: Any) -> None:
        self.data = data
        super().__init__(Phrase(self.sentence, **data))

    @property
    def phrase(self) -> Phrase:
        """What ``str(error)`` says, with the template and the data that it was made of."""
        phrase: Phrase = self.args[0]
        return phrase

    def __reduce__(self) -> tuple[Any, ...]:
        # So that it reaches whoever gave the work to another process.
        return _again, (type(self), self.args, self.data)


def _again(kind: type[CitycardError], args: tuple[Any, ...], data: dict[str, Any]) -> CitycardError:
    """Make an error of what it said and its data, without writing its sentence again."""
    error = kind.__new__(kind, *args)
    error.data = data
    return error
