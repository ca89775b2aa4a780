"""A limit on failed sign-ins per address: guessing a token is hopeless, and costs nothing to refuse."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from time import monotonic

import attrs

from citycard.errors import TooManyAttempts

__all__ = ["Attempts"]


@attrs.define(kw_only=True)
class Attempts:
    """Count failures per address within a span; after ``allowed`` of them, refuse until one is forgotten."""

    allowed: int = 10
    span_s: float = 300.0
    remembered: int = 10_000
    clock: Callable[[], float] = monotonic
    _failures: OrderedDict[str, deque[float]] = attrs.field(factory=OrderedDict, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def check(self, address: str) -> None:
        """Raise TooManyAttempts when this address has failed too often of late."""
        with self._lock:
            failures = self._recent(address)
            if len(failures) >= self.allowed:
                wait_s = math.ceil(failures[0] + self.span_s - self.clock())
                raise TooManyAttempts(wait_s=max(wait_s, 1))

    def failed(self, address: str) -> None:
        """Remember one failure; the address seen least recently is forgotten when there are too many."""
        with self._lock:
            failures = self._recent(address)
            failures.append(self.clock())
            self._failures[address] = failures
            self._failures.move_to_end(address)
            while len(self._failures) > self.remembered:
                self._failures.popitem(last=False)

    def _recent(self, address: str) -> deque[float]:
        failures = self._failures.get(address, deque(maxlen=self.allowed))
        while failures and failures[0] <= self.clock() - self.span_s:
            failures.popleft()
        if not failures:
            self._failures.pop(address, None)
        return failures
