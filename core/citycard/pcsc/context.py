"""One connection to the PC/SC service: which readers there are, and what lies in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from citycard.errors import PcscServiceMissing, ReaderFailed, ReaderMissing
from citycard.pcsc.library import SUCCESS, TIMED_OUT, failure, no_readers, scard, service_gone, unsigned
from citycard.pcsc.worker import Worker

__all__ = ["PcscContext", "Seen", "choose", "list_readers"]

_GRACE_S = 3.0
_FIRST_COUNT_BIT = 16


@attrs.frozen(kw_only=True)
class Seen:
    """What lies in a reader. ``count`` goes up whenever a card comes or goes, also between two looks."""

    present: bool
    atr: bytes
    count: int
    in_use: bool


class PcscContext:
    """Ask the service, every call in a worker with a time-out; a context that died is made anew.

    Nothing here is repeated that reaches a card: only questions to the service are asked a second time.
    """

    def __init__(self, timeout: float = 5.0) -> None:
        self._timeout = timeout
        self._context: Any = None
        self._worker = Worker("pcsc")

    def readers(self) -> list[str]:
        """Return the names of all readers; raises PcscServiceMissing, ReaderLibraryMissing, ReaderFailed."""
        names: list[str] = self.ask("listing readers", "SCardListReaders", [])
        return names

    def look(self, names: Sequence[str], wait: float = 0.0) -> dict[str, Seen]:
        """Return what lies in these readers; readers that are gone are left out.

        With ``wait`` seconds it returns as soon as the first of them is not empty, or at the end.
        """
        if not names:
            return {}
        calls = scard()
        known = calls.SCARD_STATE_EMPTY if wait else calls.SCARD_STATE_UNAWARE
        states = self.ask(
            "looking at readers",
            "SCardGetStatusChange",
            round(wait * 1000),
            [(name, known) for name in names],
            wait=wait,
        )
        return {name: _seen(calls, state, atr) for name, state, atr in states if _there(calls, state)}

    def ask(self, during: str, function: str, *arguments: Any, wait: float = 0.0) -> Any:
        """Make one call that only asks; when the service has gone, make it once more in a new context."""
        again = self._context is not None
        code, answer = self.call(during, function, *arguments, wait=wait)
        if again and service_gone(code):
            code, answer = self.call(during, function, *arguments, wait=wait)
        if code in {SUCCESS, TIMED_OUT}:
            return answer
        if no_readers(code):
            return []
        if service_gone(code):
            raise PcscServiceMissing(code=f"{code:08X}")
        raise failure(code, "PC/SC", during)

    def call(self, during: str, function: str, *arguments: Any, wait: float = 0.0) -> tuple[int, Any]:
        """Make one call in this context and return its code and its answer; the context comes first.

        Raises ReaderFailed when it does not come back in time. A context that is found dead is dropped.
        """
        code, *answer = self.run(
            during, getattr(scard(), function), self._established(), *arguments, wait=wait
        )
        code = unsigned(code)
        if service_gone(code):
            self.drop()
        return code, answer[0] if len(answer) == 1 else tuple(answer)

    def run(self, during: str, function: Any, *arguments: Any, wait: float = 0.0) -> list[Any]:
        """Make any call of the library in the worker; ReaderFailed when it does not come back in time."""
        limit = self._timeout + wait + (_GRACE_S if wait else 0.0)
        stuck = self._context

        def late() -> None:
            # Whoever was stuck in there lets go of the old context, and so of its card.
            if stuck is not None:
                scard().SCardReleaseContext(stuck)

        try:
            answer = self._worker.call(function, *arguments, timeout=limit, late=late)
        except TimeoutError:
            self._context = None
            problem = f"no answer within {limit:g} seconds"
            raise ReaderFailed(reader="PC/SC", problem=problem, during=during) from None
        return list(answer) if isinstance(answer, (list, tuple)) else [answer]

    def drop(self) -> None:
        """Let go of the context; the next call makes a new one."""
        context, self._context = self._context, None
        if context is not None:
            self.run("letting go", scard().SCardReleaseContext, context)

    def close(self) -> None:
        """Let go of the context and the worker."""
        self.drop()
        self._worker.close()

    def _established(self) -> Any:
        if self._context is None:
            calls = scard()
            code, context = self.run("start", calls.SCardEstablishContext, calls.SCARD_SCOPE_SYSTEM)
            if unsigned(code) != SUCCESS:
                raise PcscServiceMissing(code=f"{unsigned(code):08X}")
            self._context = context
        return self._context


def list_readers() -> list[str]:
    """Return the names of all readers; raises PcscServiceMissing and ReaderLibraryMissing."""
    context = PcscContext()
    try:
        return context.readers()
    finally:
        context.close()


def choose(wanted: str | int | None, readers: Sequence[str], cards: Mapping[str, Seen]) -> str:
    """Return the reader that is meant: its index from 0, its name, or an expression that finds it.

    Without a word it is the first reader with a card in it, or the first. Raises ReaderMissing, which names
    the readers there are.
    """
    found: list[str]
    if wanted is None:
        found = [name for name in readers if name in cards and cards[name].present] or list(readers)
    elif isinstance(wanted, int) or (wanted.isdecimal() and wanted not in readers):
        found = list(readers[int(wanted) : int(wanted) + 1])
    else:
        found = [name for name in readers if name == wanted] or _matching(wanted, readers)
    if not found:
        what = "at all" if wanted is None else repr(wanted)
        raise ReaderMissing(wanted=what, readers=", ".join(readers) or "none")
    return found[0]


def _matching(expression: str, readers: Sequence[str]) -> list[str]:
    try:
        return [name for name in readers if re.search(expression, name, re.IGNORECASE)]
    except re.error:
        return [name for name in readers if expression.lower() in name.lower()]


def _there(calls: Any, state: int) -> bool:
    return not state & (calls.SCARD_STATE_UNKNOWN | calls.SCARD_STATE_UNAVAILABLE)


def _seen(calls: Any, state: int, atr: Sequence[int]) -> Seen:
    return Seen(
        present=bool(state & calls.SCARD_STATE_PRESENT),
        atr=bytes(atr),
        count=state >> _FIRST_COUNT_BIT,
        in_use=bool(state & (calls.SCARD_STATE_EXCLUSIVE | calls.SCARD_STATE_INUSE)),
    )
