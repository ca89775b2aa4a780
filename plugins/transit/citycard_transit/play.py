"""Play taps: every one of them goes through a terminal and a chip, in the order of time.

Nothing is written to the city while taps are played; what the play gives back is handed in as a whole. So a
play that is broken off leaves nothing behind, and its chips and terminals never existed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import attrs

from citycard.chip import Chip
from citycard.errors import CardRefused, LoadRefused
from citycard.terminal.acceptance import Acceptance
from citycard.terminal.journal import Journal
from citycard.terminal.reader import InProcessReader
from citycard.terminal.record import RecordKind, read_record
from citycard.terminal.terminal import Terminal
from citycard_transit.cardbox import TerminalState, packed, unpacked
from citycard_transit.chipmaking import ChipMaker, NewCard, chip_maker
from citycard_transit.gates import Gate, Network, Passage, Served, Site
from citycard_transit.products import Plan
from citycard_transit.sectors import RAIL
from citycard_transit.services import Fares
from citycard_transit.summary import Played
from citycard_transit.taps import BadRow, Tap, TapKind

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.terminal.sam import SoftSam
    from citycard.wallet.topup import TopUpDesk
    from citycard_transit.opening import Opened

__all__ = ["BatchFile", "Outcome", "Stage", "play"]

KINDS = {TapKind.ENTRY: RecordKind.ENTRY, TapKind.EXIT: RecordKind.EXIT, TapKind.BUS: RecordKind.SINGLE}
_BALANCE = b"\x80\x5c\x00\x02\x04"


@attrs.frozen(kw_only=True)
class BatchFile:
    """A batch as a terminal closed it: file name, content, and what a manifest says of it."""

    name: str
    content: bytes
    terminal: str
    number: int
    records: int
    amount_fen: int

    def line(self) -> dict[str, Any]:
        """Give its line of the manifest."""
        return {
            "terminal": self.terminal,
            "number": self.number,
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "records": self.records,
            "amount_fen": self.amount_fen,
        }


@attrs.frozen(kw_only=True)
class Outcome:
    """What a play gives back: its counts, the batches, and what cards and terminals keep.

    ``first_load`` is the card and counter of the first load, by which a posted play is recognised.
    """

    played: Played
    batches: tuple[BatchFile, ...]
    images: Mapping[str, bytes]
    terminals: Mapping[str, TerminalState]
    first_load: tuple[str, int] | None


@attrs.frozen(kw_only=True)
class Stage:
    """Where a morning is played: the city, its fares, what is opened, and what earlier plays left."""

    city: City
    desk: TopUpDesk
    fares: Fares
    opened: Opened
    plan: Plan
    images: Mapping[str, bytes]
    terminals: Mapping[str, TerminalState]
    keep: bool

    def new_card(self, tap: Tap) -> NewCard:
        """Say which card has to be made for a tap, when no earlier play left it."""
        return NewCard(self.opened.asns[tap.card], self.plan.products[tap.card], tap.at.date())


def play(
    stage: Stage, taps: Sequence[Tap], played: Played, progress: Callable[[Sequence[Tap]], Iterable[Tap]]
) -> Outcome:
    """Play taps that are in time order, count into ``played``, and close every terminal's batch."""
    first = {tap.card: tap for tap in reversed(taps)}
    new = [stage.new_card(tap) for tap in taps if first[tap.card] is tap]
    with chip_maker(stage.city, [card for card in new if card.asn not in stage.images]) as maker:
        theatre = _Theatre(stage, taps, played, maker)
        for tap in progress(taps):
            theatre.tap(tap)
    return theatre.close()


class _Theatre:
    """The terminals and cards of one play."""

    def __init__(self, stage: Stage, taps: Sequence[Tap], played: Played, maker: ChipMaker) -> None:
        city = stage.city
        self._maker = maker
        self._stage = stage
        self._played = played
        self._last = {tap.card: tap.line for tap in taps}
        self._charged: Counter[str] = Counter()
        self._in_file: Counter[str] = Counter()
        self._chips: dict[str, Chip] = {}
        self._before_fen: dict[str, int] = {}
        self._images: dict[str, bytes] = {}
        self._terminals: dict[str, tuple[Terminal, SoftSam]] = {}
        self._gates: dict[tuple[str, str], Gate] = {}
        self._sites: dict[str, Site] = {}
        self._days: dict[str, date] = {}
        self._closing: dict[str, datetime] = {}
        self._batches: list[BatchFile] = []
        self._first_load: tuple[str, int] | None = None
        configuration = city.configuration()
        self._config_number = configuration.number
        self._acceptance = Acceptance(amount_limit_fen=configuration.content["amount_limit_fen"])
        self._network = Network(
            code=city.config.city.code,
            institution=city.config.city.issuer,
            fares=stage.fares,
            rail=city.issuing.version(stage.fares.settings.products[0].name).place(RAIL.name),
            site_of=self._sites.get,
        )

    def tap(self, tap: Tap) -> None:
        """Play one tap; a card that is refused is reported, and the morning goes on."""
        gate, chip = self._gate(tap), self._chip(tap)
        passage = Passage(
            kind=KINDS[tap.kind],
            at=tap.at,
            vehicle=tap.vehicle,
            list_price_fen=tap.list_price_fen or 0,
            transfer=self._transfer(tap),
        )
        served = Served()
        if tap.torn is not None:
            chip.eeprom.cut_after(tap.torn, torn=bool(tap.line % 2))
        try:
            gate.serve(InProcessReader(chip), passage, served)
        except (CardRefused, LoadRefused) as refused:
            self._played.rejected.append(BadRow(line=tap.line, reason=str(refused)))
        else:
            self._count(tap, served)
        self._count_loads(served)
        chip.eeprom.cut_after(None)
        if self._last[tap.card] == tap.line:
            self._take_away(tap.card)

    def close(self) -> Outcome:
        """Close every terminal's batch and give back what the play came to."""
        played = self._played
        for number in self._terminals:
            self._close_batch(number)
        played.unexplained.sort()
        played.by_operator, played.file_by_operator = dict(self._charged), dict(self._in_file)
        played.cards, played.terminals = len(self._last), len(self._terminals)
        played.batches = len(self._batches)
        played.records = sum(batch.records for batch in self._batches)
        states = {
            number: TerminalState(
                next_batch=terminal.next_batch, next_sequence=terminal.next_sequence, serial=sam.serial
            )
            for number, (terminal, sam) in self._terminals.items()
        }
        return Outcome(
            played=played,
            batches=tuple(self._batches),
            images=self._images,
            terminals=states,
            first_load=self._first_load,
        )

    # ── terminals ────────────────────────────────────────────────────────────────────────────────

    def _gate(self, tap: Tap) -> Gate:
        day = self._days.get(tap.terminal)
        if day is not None and day != tap.business_date:
            self._close_batch(tap.terminal)
        self._days[tap.terminal], self._closing[tap.terminal] = tap.business_date, tap.at
        key = (tap.terminal, tap.place)
        gate = self._gates.get(key)
        if gate is None:
            site = self._stage.opened.site(tap)
            gate = Gate(terminal=self._terminal(tap.terminal), site=site, network=self._network)
            self._gates[key], self._sites[tap.terminal] = gate, site
        return gate

    def _terminal(self, number: str) -> Terminal:
        if number not in self._terminals:
            state = self._stage.terminals.get(number, TerminalState())
            sam = self._stage.city.sam(number, state.serial)
            terminal = Terminal(
                number,
                sam,
                profile=self._stage.city.issuing.profile,
                config_number=self._config_number,
                acceptance=self._acceptance,
                # A played city has no copies of cards: what a million taps left behind would only cost room.
                journal=Journal(cards=0),
                host=self._stage.desk,
                next_batch=state.next_batch,
                next_sequence=state.next_sequence,
            )
            self._terminals[number] = (terminal, sam)
        return self._terminals[number][0]

    def _close_batch(self, number: str) -> None:
        terminal = self._terminals[number][0]
        records, batch = terminal.records, terminal.next_batch
        content = terminal.close_batch(self._days[number], self._closing[number])
        if content is not None:
            self._batches.append(
                BatchFile(
                    name=f"{number}-{batch:06d}.ccb",
                    content=content,
                    terminal=number,
                    number=batch,
                    records=len(records),
                    amount_fen=sum(read_record(record).amount_fen for record in records),
                )
            )

    def _transfer(self, tap: Tap) -> bool | None:
        plan = self._stage.plan
        if tap.line in plan.ask_card:
            return None
        return True if tap.line in plan.transfers else tap.transfer

    # ── cards ────────────────────────────────────────────────────────────────────────────────────

    def _chip(self, tap: Tap) -> Chip:
        chip = self._chips.get(tap.card)
        if chip is None:
            asn = self._stage.opened.asns[tap.card]
            image = self._stage.images.get(asn)
            if image is None:
                chip = self._maker.chip(self._stage.new_card(tap))
            else:
                chip = self._stage.city.issuing.restored(unpacked(image))
                self._before_fen[tap.card] = self._balance_fen(chip)
            self._chips[tap.card] = chip
        return chip

    def _take_away(self, card: str) -> None:
        chip = self._chips.pop(card)
        self._played.purses_fen += self._balance_fen(chip) - self._before_fen.pop(card, 0)
        chip.power_off()
        if self._stage.keep:
            self._images[self._stage.opened.asns[card]] = packed(chip.image())

    def _balance_fen(self, chip: Chip) -> int:
        chip.power_on()
        name = self._stage.city.issuing.profile.aid
        chip.transmit(b"\x00\xa4\x04\x00" + bytes((len(name),)) + name + b"\x00")
        return int.from_bytes(chip.transmit(_BALANCE)[:4], "big")

    # ── counting ─────────────────────────────────────────────────────────────────────────────────

    def _count_loads(self, served: Served) -> None:
        # A card may be refused after it was loaded: the money is on it all the same.
        self._played.loads += len(served.loads)
        self._played.loads_fen += sum(load.amount_fen for load in served.loads)
        if served.loads and self._first_load is None:
            self._first_load = (served.loads[0].asn, served.loads[0].counter)

    def _count(self, tap: Tap, served: Served) -> None:
        played = self._played
        played.played += 1
        played.opened += served.opened
        played.incomplete += served.incomplete
        played.recovered += served.recovered
        if not tap.priced:
            played.entries += 1
            return
        played.priced += 1
        played.transfers += served.transfer
        played.charged_fen += served.amount_fen
        self._charged[tap.operator] += served.amount_fen
        plan = self._stage.plan
        if tap.line in plan.used:
            played.inferred += 1
            played.inferred_transfers += tap.line in plan.transfers
        if tap.paid_fen is None:
            played.explained += 1
            return
        played.predicted += tap.line not in plan.used
        self._in_file[tap.operator] += tap.paid_fen
        if served.amount_fen == tap.paid_fen:
            played.explained += 1
            played.explained_charged_fen += served.amount_fen
            played.explained_file_fen += tap.paid_fen
        else:
            played.unexplained.append(tap.line)
