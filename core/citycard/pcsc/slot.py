"""A software card in one slot of the virtual reader, put in, taken out and torn on command."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, Self

from citycard.errors import CardServed, PowerLoss, SlotOccupied, SlotUnreachable
from citycard.pcsc.wire import Control, Wire

__all__ = ["SlotCard", "SlotEvent", "VpcdSlot"]

SlotEvent = Callable[[str, dict[str, Any]], None]
"""Called with a word (docs/pcsc.md, "Events") and its facts; from the slot's own thread."""

_PAUSE_S = 0.2
_SILENCE_S = 5.0
_ANSWERED = Control.ANSWER_TO_RESET

# pcscd looks into its readers every 0.4 seconds: it never sees a card again that is back before it looked.
_OUT_S = 0.6

_served: dict[int, str] = {}
_left: dict[tuple[str, int], float] = {}
_serving = threading.Lock()


class SlotCard(Protocol):
    """Whatever answers like a card. ``atr`` can be asked at any time; only ``PowerLoss`` is raised."""

    @property
    def atr(self) -> bytes:
        """The answer to reset, also without power."""
        ...

    @property
    def eeprom(self) -> Any:
        """The memory, whose ``cut_after`` orders a power cut."""
        ...

    def power_on(self) -> bytes:
        """Start from nothing in working memory."""
        ...

    def power_off(self) -> None:
        """Lose working memory."""
        ...

    def reset(self) -> bytes:
        """Lose working memory and start again."""
        ...

    def transmit(self, apdu: bytes) -> bytes:
        """Execute one command."""
        ...

    def image(self) -> bytes:
        """Return what the card keeps without power."""
        ...


class VpcdSlot:
    """Hold one card to one slot. ``insert`` puts it in, ``remove`` takes it out, ``tear`` orders a power cut.

    One thread serves the card while it is in. When the service goes away the card stays held out, and is in
    again as soon as the service is back. ``changed`` is called with the card's image when a command has
    changed it, before the answer leaves: what was answered is kept.
    """

    def __init__(
        self,
        card: SlotCard,
        host: str = "127.0.0.1",
        port: int = 35963,
        *,
        event: SlotEvent | None = None,
        changed: Callable[[bytes], None] | None = None,
    ) -> None:
        self.card = card
        self.host, self.port = host, port
        self._event = event or (lambda _word, _facts: None)
        self._changed = changed
        self._image = card.image() if changed else b""
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._over = threading.Event()

    def __repr__(self) -> str:
        return f"<VpcdSlot {self.host}:{self.port}, {'in' if self.inserted else 'out'}>"

    def __enter__(self) -> Self:
        self.insert()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def inserted(self) -> bool:
        """Say whether the reader has spoken to the card since it was put in."""
        return self._ready.is_set()

    def insert(self, timeout: float = 20.0) -> None:
        """Put the card in and wait until the reader has seen it; nothing when it is in already.

        Raises SlotUnreachable when nothing listens for ``timeout`` seconds, SlotOccupied when nobody speaks,
        and CardServed when the card is in another slot.
        """
        if self._thread is not None and self._thread.is_alive() and not self._over.is_set():
            if not self._ready.wait(timeout):
                raise SlotUnreachable(host=self.host, port=self.port, seconds=timeout)
            return
        self._claim()
        try:
            self._stay_out()
            sock = self._connect(timeout)
        except BaseException:
            self._release()
            raise
        self._stop.clear()
        self._ready.clear()
        self._over.clear()
        self._thread = threading.Thread(
            target=self._serve, args=(sock,), name=f"slot {self.port}", daemon=True
        )
        self._thread.start()
        if not self._ready.wait(_SILENCE_S):
            self.remove()
            raise SlotOccupied(host=self.host, port=self.port, seconds=_SILENCE_S)

    def remove(self) -> None:
        """Take the card out, which takes its power; nothing when it is out already."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stop.set()
        self._hang_up()
        if thread is not threading.current_thread():
            thread.join()

    def tear(self, after_writes: int, torn: bool = False) -> None:
        """Take the card out at the write that follows ``after_writes`` more; ``torn`` breaks that write."""
        self.card.eeprom.cut_after(after_writes, torn=torn)
        self._event("tear-ordered", {"after_writes": after_writes, "torn": torn})

    def wait_removed(self, timeout: float = 10.0) -> bool:
        """Wait until the card is out, for instance by a tear; return whether it is."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return thread is None or not thread.is_alive()

    # ── the slot's own thread ────────────────────────────────────────────────────────────────────

    def _serve(self, sock: socket.socket | None) -> None:
        reason = "removed"
        try:
            while sock is not None:
                self._socket = sock
                reason = self._converse(Wire(sock))
                self._ready.clear()
                self._hang_up()
                self.card.power_off()
                if reason != "service-gone" or self._stop.is_set():
                    break
                self._event(reason, {"port": self.port})
                sock = self._connect_again()
        finally:
            self._hang_up()
            _left[self.host, self.port] = time.monotonic()
            self._ready.clear()
            self._release()
            self._over.set()  # whoever hears of it may put the card in again at once
            self._event("torn" if reason == "torn" else "removed", {"port": self.port})

    def _converse(self, wire: Wire) -> str:
        """Answer the reader until somebody goes away; say who."""
        while not self._stop.is_set():
            try:
                message = wire.receive()
                if message is None:
                    return "service-gone"
                answer = self._answer(message)
                if answer is not None:
                    wire.send(answer)
            except OSError:
                return "service-gone"
            except PowerLoss:
                self._keep()
                return "torn"
        return "removed"

    def _answer(self, message: bytes) -> bytes | None:
        if len(message) != 1:
            answer = self.card.transmit(message)
            self._keep()
            self._event("command", {"apdu": message, "answer": answer})
            return answer
        control = message[0]
        if control == _ANSWERED:
            if not self._ready.is_set():
                self._ready.set()
                self._event("inserted", {"port": self.port})
            return self.card.atr
        if control == Control.POWER_ON:
            self.card.power_on()
        elif control == Control.RESET:
            self.card.reset()
        elif control == Control.POWER_OFF:
            self.card.power_off()
        else:
            return None
        self._keep()  # a power-on may have finished a commit that was interrupted
        self._event(Control(control).name.lower().replace("_", "-"), {"port": self.port})
        return None

    def _keep(self) -> None:
        if self._changed is None:
            return
        image = self.card.image()
        if image != self._image:
            self._changed(image)
            self._image = image

    # ── the connection ───────────────────────────────────────────────────────────────────────────

    def _connect(self, timeout: float) -> socket.socket:
        until = time.monotonic() + timeout
        said = False
        while True:
            try:
                return self._dial()
            except OSError:
                if time.monotonic() >= until:
                    raise SlotUnreachable(host=self.host, port=self.port, seconds=timeout) from None
            if not said:
                said = True
                self._event("waiting", {"host": self.host, "port": self.port})
            time.sleep(_PAUSE_S)

    def _connect_again(self) -> socket.socket | None:
        while not self._stop.wait(_PAUSE_S):
            try:
                return self._dial()
            except OSError:
                continue
        return None

    def _dial(self) -> socket.socket:
        sock = socket.create_connection((self.host, self.port), timeout=_SILENCE_S)
        sock.settimeout(None)
        return sock

    def _hang_up(self) -> None:
        sock, self._socket = self._socket, None
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _stay_out(self) -> None:
        since = time.monotonic() - _left.get((self.host, self.port), -_OUT_S)
        time.sleep(max(0.0, _OUT_S - since))

    # ── one card, one slot ───────────────────────────────────────────────────────────────────────

    def _claim(self) -> None:
        with _serving:
            other = _served.setdefault(id(self.card), f"{self.host}:{self.port}")
            if other != f"{self.host}:{self.port}":
                raise CardServed(slot=other)

    def _release(self) -> None:
        with _serving:
            _served.pop(id(self.card), None)
