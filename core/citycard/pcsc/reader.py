"""A PC/SC reader as a terminal sees it: a command and its answer, and a plain word for each way to fail."""

from __future__ import annotations

import time
from typing import Any, Self

from citycard.errors import CardRemoved, NoCardInReader, PcscServiceMissing, ReaderFailed, ReaderMissing
from citycard.pcsc.context import PcscContext, choose
from citycard.pcsc.exchange import exchange_t0, prefers_t1
from citycard.pcsc.library import SUCCESS, failure, scard, service_gone, unsigned

__all__ = ["PcscReader"]

_SHORTEST_ANSWER = 2
_SLICE_S = 0.5
_PAUSE_S = 0.1


class PcscReader:
    """Exchange commands with the card in one reader; a ``citycard.terminal.reader.Reader``.

    ``wanted`` is a reader's index, name or an expression (``context.choose``). The card is ours alone unless
    ``shared``. ``protocol`` is ``T0`` or ``T1``; without it the card's answer to reset decides. No call lasts
    longer than ``timeout`` seconds. No command is ever sent twice by itself, but a T=0 card may ask for the
    right length (``exchange_t0``).
    """

    def __init__(
        self,
        wanted: str | int | None = None,
        *,
        shared: bool = False,
        protocol: str | None = None,
        timeout: float = 5.0,
    ) -> None:
        if protocol not in {None, "T0", "T1"}:
            msg = f"protocol {protocol!r}: expected T0, T1 or None"
            raise ValueError(msg)
        self.wanted = wanted
        self.shared = shared
        self.protocol = protocol
        self.name = ""
        self._context = PcscContext(timeout)
        self._card: Any = None
        self._active = 0
        self._fresh = False
        self._answered = False

    def __repr__(self) -> str:
        return f"<PcscReader {self.name or self.wanted!r}, {'card' if self._card is not None else 'no card'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self) -> bytes:
        """Connect anew: power from nothing, whatever was before; return the answer to reset.

        Raises ReaderMissing, CardRemoved when the reader is empty, ReaderBusy, ReaderFailed,
        PcscServiceMissing and ReaderLibraryMissing.
        """
        self.disconnect()
        atr = self._find()
        calls = scard()
        self._answered = True
        share = calls.SCARD_SHARE_SHARED if self.shared else calls.SCARD_SHARE_EXCLUSIVE
        wanted = self.protocol or ("T1" if prefers_t1(atr) else "T0")
        protocol = calls.SCARD_PROTOCOL_T1 if wanted == "T1" else calls.SCARD_PROTOCOL_T0
        code, answer = self._context.call("power up", "SCardConnect", self.name, share, protocol)
        if code != SUCCESS:
            raise failure(code, self.name, "power up")
        self._card, self._active = answer
        if not self._fresh:
            # Somebody else may have left the card in the middle of something.
            code, self._active = self._card_call("reset", "SCardReconnect", share, protocol, _reset(calls))
            self._check(code, "reset")
            self._fresh = True
        code, status = self._card_call("power up", "SCardStatus")
        self._check(code, "power up")
        return bytes(status[-1])

    def reset(self) -> bytes:
        """Disconnect, which takes the card's power, and connect again."""
        return self.connect()

    def transmit(self, apdu: bytes) -> bytes:
        """Send one command and return data and status word.

        Raises CardRemoved when the card is gone or says nothing, and ReaderFailed when the reader or the
        service is; after either the transaction is over: ``connect`` begins the next.
        """
        during = f"command {bytes(apdu[:4]).hex().upper()}"
        if self._card is None:
            raise CardRemoved(during=during)

        def send(command: bytes) -> bytes:
            code, answer = self._card_call(during, "SCardTransmit", self._active, list(command))
            self._check(code, during)
            if len(answer) < _SHORTEST_ANSWER:
                self.disconnect()
                raise CardRemoved(during=during)
            return bytes(answer)

        return exchange_t0(send, apdu) if self._active == scard().SCARD_PROTOCOL_T0 else send(apdu)

    def disconnect(self) -> None:
        """Take the card's power and let go of it; nothing when it is not connected."""
        card, self._card = self._card, None
        if card is None:
            return
        calls = scard()
        code = unsigned(
            self._context.run("disconnect", calls.SCardDisconnect, card, calls.SCARD_UNPOWER_CARD)[0]
        )
        # A card that is gone, or a service that is, has let go by itself; the next one starts afresh.
        self._fresh = code == SUCCESS and not self.shared

    def close(self) -> None:
        """Let go of the card and of the service."""
        try:
            self.disconnect()
        finally:
            self._context.close()

    def wait_for_card(self, timeout: float = 30.0) -> bytes:
        """Wait until a card lies in the reader and return its answer to reset; it is not connected yet.

        It looks at least once. The reader may be plugged in meanwhile, and a service that has answered may be
        restarted; one that never did is told at once. Raises NoCardInReader, or what kept it from looking.
        """
        until = time.monotonic() + timeout
        while True:
            trouble: Exception | None = None
            left = max(until - time.monotonic(), 0.0)
            try:
                name = self._choose()
                seen = self._context.look([name], min(_SLICE_S, left)).get(name)
            except PcscServiceMissing as error:
                if not self._answered:
                    raise
                trouble = error
            except (ReaderMissing, ReaderFailed) as error:
                trouble = error
            else:
                self._answered = True
                if seen is not None and seen.present:
                    return seen.atr
            if time.monotonic() >= until:
                raise trouble or NoCardInReader(reader=self.name, seconds=timeout)
            time.sleep(min(_PAUSE_S, left))  # the call may come back at once for another reason than a card

    # ── inside ───────────────────────────────────────────────────────────────────────────────────

    def _choose(self) -> str:
        names = self._context.readers()
        # Only where the reader is left open does it matter where a card lies.
        cards = self._context.look(names) if self.wanted is None else {}
        self.name = choose(self.wanted, names, cards)
        return self.name

    def _find(self) -> bytes:
        """Choose the reader and return the answer to reset of the card in it."""
        name = self._choose()
        seen = self._context.look([name]).get(name)
        if seen is None or not seen.present:
            raise CardRemoved(during="power up")
        return seen.atr

    def _card_call(self, during: str, function: str, *arguments: Any) -> tuple[int, Any]:
        try:
            code, *answer = self._context.run(during, getattr(scard(), function), self._card, *arguments)
        except ReaderFailed:
            self._card, self._fresh = None, False
            raise ReaderFailed(
                reader=self.name, problem="no answer in the time that was given", during=during
            ) from None
        return unsigned(code), answer[0] if len(answer) == 1 else tuple(answer)

    def _check(self, code: int, during: str) -> None:
        if code == SUCCESS:
            return
        if service_gone(code):
            self._card = None
            self._context.drop()
        else:
            self.disconnect()
        self._fresh = False
        raise failure(code, self.name, during)


def _reset(calls: Any) -> int:
    kind: int = calls.SCARD_RESET_CARD
    return kind
