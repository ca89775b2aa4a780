"""``citycard chip serve``: software cards behind the real pcscd, one slot each, handled from the keyboard."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citycard.cli.options import json_option
from citycard.cli.output import say
from citycard.errors import CitycardError

if TYPE_CHECKING:
    from citycard.cli.cardfile import CardFile
    from citycard.pcsc import VpcdSlot

__all__ = ["serve"]

_PORT = 35963
_STOP = "quit"
_WAIT_S = 30.0
_HELP = "insert N | remove N | tear N WRITES [torn] | reset [N] | list | quit"
_QUIET = {"command"}


@click.command()
@click.argument(
    "files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="[FILE]..."
)
@click.option("--blank", is_flag=True, help="Offer a new card as its maker delivers it, after the files.")
@click.option("--profile", default=None, help="The make of the blank chip, or of bare images of chips.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where pcscd runs.")
@click.option(
    "--port",
    "ports",
    type=click.IntRange(1, 65535),
    multiple=True,
    help=f"The reader's first port [default: {_PORT}]; again for a card that goes to another reader.",
)
@click.option("--slot", type=click.IntRange(0), default=0, show_default=True, help="The first slot to use.")
@click.option("--save", is_flag=True, help="Write a card back to its file after each change.")
@click.option("--trace", is_flag=True, help="Say every command and answer; PINs and keys are left out.")
@click.option(
    "--wait", type=click.FloatRange(0), default=_WAIT_S, show_default=True, help="Seconds for pcscd."
)
@json_option
def serve(
    files: Sequence[Path],
    blank: bool,
    profile: str | None,
    host: str,
    ports: Sequence[int],
    slot: int,
    save: bool,
    trace: bool,
    wait: float,
    as_json: bool,
) -> int:
    """Put every FILE, and a blank chip with --blank, into the virtual PC/SC reader, one slot each.

    Cards are numbered from 1 in the order given. Commands on stdin, one a line: insert N, remove N,
    tear N WRITES [torn], reset [N], list, quit. Events go to stdout; with --json each is one line of JSON
    with event, card and the facts of docs/pcsc.md. Ctrl-C, SIGTERM, quit, and a pipe that nobody reads any
    more, take the cards out and end with 0; the end of stdin does not end it.
    """
    if not files and not blank:
        raise click.UsageError("which card? name a card file, or --blank")
    if save and not files:
        raise click.UsageError("--save needs a file: make one with citycard chip new")
    desk = _Desk(as_json=as_json, trace=trace)
    for index, (path, file) in enumerate(_cards(files, profile, blank=blank)):
        port = _port(ports or (_PORT,), index) + slot
        desk.add(
            file, path if save else None, host, port, title=str(path) if path else f"blank {file.profile}"
        )
    return desk.run(wait)


def _cards(files: Sequence[Path], profile: str | None, *, blank: bool) -> list[tuple[Path | None, CardFile]]:
    from citycard.cli.cardfile import blank_file, read_card_file

    found: list[tuple[Path | None, CardFile]] = [(path, read_card_file(path, profile)) for path in files]
    if blank:
        found.append((None, blank_file(profile or "t-union")))
    return found


def _port(ports: Sequence[int], index: int) -> int:
    """Return the n-th card's port: those named, then upwards from the last of them."""
    return ports[index] if index < len(ports) else ports[-1] + index - len(ports) + 1


class _NoSuchCard(IndexError):
    """An order names a card that was not offered; its argument is the number."""


class _Desk:
    """The cards in their slots, and the one thread that obeys the keyboard."""

    def __init__(self, *, as_json: bool, trace: bool) -> None:
        self._as_json, self._trace = as_json, trace
        self._slots: list[VpcdSlot] = []
        self._titles: list[str] = []
        self._orders: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._said = threading.Lock()
        self._commands: dict[str, Callable[..., None]] = {
            "insert": self._insert,
            "remove": self._remove,
            "tear": self._tear,
            "reset": self._reset,
            "list": self._list,
        }

    def add(self, file: CardFile, path: Path | None, host: str, port: int, *, title: str) -> None:
        """Prepare a card for a slot; ``path`` is where it is written back to."""
        from citycard.cli.cardfile import write_card_file
        from citycard.pcsc import VpcdSlot

        number = len(self._slots) + 1
        self._titles.append(title)
        self._slots.append(
            VpcdSlot(
                file.card(),
                host,
                port,
                event=lambda word, facts: self._tell(word, number, facts),
                changed=(lambda image: write_card_file(path, file.holding(image))) if path else None,
            )
        )

    def run(self, wait: float) -> int:
        """Put all cards in, obey until told to stop, and take all cards out."""
        waiting = True

        def stop(*_: object) -> None:
            # While pcscd is waited for nobody looks at the orders yet.
            if waiting:
                raise SystemExit(0)
            self._orders.put(_STOP)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        threading.Thread(target=self._listen, name="keyboard", daemon=True).start()
        try:
            for slot in self._slots:
                slot.insert(wait)
            waiting = False
            self._tell("ready", 0, {"cards": len(self._slots)})
            while (order := self._next()) != _STOP:
                self._obey(order)
        finally:
            for slot in self._slots:
                slot.remove()
        self._tell("stopped", 0, {})
        return 0

    def _next(self) -> str:
        while True:
            try:
                # A wait without end would not let a signal through on every system.
                return self._orders.get(timeout=1.0)
            except queue.Empty:
                continue

    def _listen(self) -> None:
        for line in sys.stdin:
            self._orders.put(line.strip())

    def _obey(self, order: str) -> None:
        word, *rest = order.split() or [""]
        if not word:
            return
        try:
            self._commands[word](*rest)
        except CitycardError as error:
            self._tell("refused", 0, {"order": order, "reason": str(error)})
        except _NoSuchCard as missing:
            count = len(self._slots)
            there = f"there are {count} cards, 1 to {count}" if count > 1 else "there is 1 card, number 1"
            self._tell("refused", 0, {"order": order, "reason": f"no card {missing}: {there}"})
        except (KeyError, TypeError, ValueError):
            self._tell("refused", 0, {"order": order, "reason": f"expected {_HELP}"})

    # ── orders ───────────────────────────────────────────────────────────────────────────────────

    def _slot(self, number: str) -> VpcdSlot:
        if not 1 <= int(number) <= len(self._slots):
            raise _NoSuchCard(number)
        return self._slots[int(number) - 1]

    def _insert(self, number: str) -> None:
        self._slot(number).insert()

    def _remove(self, number: str) -> None:
        self._slot(number).remove()

    def _tear(self, number: str, writes: str, torn: str = "") -> None:
        if torn not in {"", "torn"}:
            raise ValueError(torn)
        self._slot(number).tear(int(writes), torn=bool(torn))

    def _reset(self, number: str = "") -> None:
        """Take cards out and put them in again: what a person does with a card that hangs."""
        for slot in [self._slot(number)] if number else self._slots:
            slot.remove()
            slot.insert()

    def _list(self) -> None:
        for number, (slot, title) in enumerate(zip(self._slots, self._titles, strict=True), 1):
            facts = {"title": title, "host": slot.host, "port": slot.port, "inserted": slot.inserted}
            self._tell("card", number, facts)

    # ── events ───────────────────────────────────────────────────────────────────────────────────

    def _tell(self, word: str, number: int, facts: dict[str, Any]) -> None:
        if word in _QUIET and not self._trace:
            return
        if word == "waiting":
            say(
                f"nothing listens on {facts['host']}:{facts['port']} yet: the virtual reader is there once "
                "pcscd runs (systemctl start pcscd, or without systemd: pcscd)"
            )
        plain = {name: _plain(name, value, facts) for name, value in facts.items()}
        with self._said:
            if self._as_json:
                card = {"card": number} if number else {}
                line = json.dumps({"event": word, **card, **plain}, ensure_ascii=False)
            else:
                words = " ".join(f"{name}={value}" for name, value in plain.items())
                line = " ".join(filter(None, [f"card {number}:" if number else "", word, words]))
            try:
                click.echo(line)
                sys.stdout.flush()
            except BrokenPipeError:
                # Nobody reads on. The thread of a slot must not die of that while its card is in.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                self._orders.put(_STOP)


def _plain(name: str, value: object, facts: dict[str, Any]) -> object:
    from citycard.pcsc.trace import masked, masked_answer

    if name == "apdu":
        return masked(facts["apdu"])
    return masked_answer(facts["apdu"], facts["answer"]) if name == "answer" else value
