"""One card at one terminal, from the selection of the purse to its debit, and the mending of torn ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

from citycard.card.files import TRANSIT_PROFILE, CardProfile, TransactionType
from citycard.card.product import Place
from citycard.card.sector import WriteAccess
from citycard.errors import (
    CardRefused,
    CommandFailed,
    KeyVersionUnknown,
    SamAlgorithmMismatch,
    SamUnavailable,
    SectorInvalid,
    TerminalInvalid,
)
from citycard.terminal.acceptance import Acceptance, Refusal, refuse
from citycard.terminal.commands import INIT_COMPOSITE, INIT_PURCHASE, Proof, PurseCommands, bcd_moment
from citycard.terminal.identity import finished, identity, newest_logged
from citycard.terminal.journal import Journal, TornDebit
from citycard.terminal.load import Load, LoadHost
from citycard.terminal.loading import load_purse, mend_load
from citycard.terminal.reader import Reader
from citycard.terminal.record import RecordPlan
from citycard.terminal.recovery import Verdict, debit_of, witness
from citycard.terminal.sam import Sam
from citycard.terminal.views import CacheUpdate, CardView, Debit, Outcome

__all__ = ["PurseSession"]

_NO_PLAN = RecordPlan()
_LARGEST_FEN = 0xFFFFFFFF
_PURCHASE = int(TransactionType.PURCHASE)
_COMPOSITE = int(TransactionType.COMPOSITE)


class PurseSession:
    """Serve the card in one reader. ``open`` first; each debit needs a card that was opened.

    ``journal`` outlives the session: a note stays in it until the terminal has made its record, so that a
    torn debit is resolved at the next sight of the card. Without one the session keeps its own and clears it
    itself. ``host`` resolves torn loads.
    """

    def __init__(
        self,
        reader: Reader,
        sam: Sam,
        *,
        profile: CardProfile = TRANSIT_PROFILE,
        acceptance: Acceptance | None = None,
        journal: Journal | None = None,
        host: LoadHost | None = None,
    ) -> None:
        self._terminal = sam.terminal
        self._card = PurseCommands(reader, profile, sam.terminal)
        self._sam = sam
        self._profile = profile
        self._acceptance = acceptance or Acceptance()
        self._clears = journal is None
        self._journal = Journal() if journal is None else journal
        self._host = host
        self._view: CardView | None = None
        self._balance_fen = 0
        self._logged = 0

    @property
    def balance_fen(self) -> int:
        """Return the balance after everything this session did; ``view.balance_fen`` is the one it found."""
        return self._balance_fen

    @property
    def view(self) -> CardView:
        """Return the card that was opened; TerminalInvalid when there is none."""
        if self._view is None:
            raise TerminalInvalid(terminal=self._terminal, problem="no card is open: call open() first")
        return self._view

    def open(self, at: dt.datetime) -> CardView:
        """Select the purse, mend what an earlier tap tore, check the card and read its balance.

        ``at`` is the city's local time. Raises CardRefused with a reason, CardRemoved, CommandFailed.
        """
        self._view = None
        card = self._card
        card.select()
        who = identity(card)
        asn = who.asn
        # What was done is done, whatever the card may be refused for today: mend before checking.
        debit = self._mend_debit(asn) if self._journal else None
        load = None
        if self._journal and self._host is not None:
            load = mend_load(card, self._profile, asn, self._journal, self._host)
        done = debit is not None and debit.outcome is Outcome.DONE
        if not done:
            self._acceptance.check(who, at.date())
        self._logged = newest_logged(card, self._profile) if self._acceptance.reads_log else 0
        self._view = CardView(
            asn=asn,
            asn8=who.asn8,
            issuer=who.issuer,
            card_kind=who.kind,
            start=who.start,
            expiry=who.expiry,
            balance_fen=finished(card.balance),
            identity=who,
            recovered=debit if done else None,
            unresolved=None if done else debit,
            recovered_load=load,
        )
        self._balance_fen = self._view.balance_fen
        return self._view

    # ── records ──────────────────────────────────────────────────────────────────────────────────

    def read_record(self, sfi: int, number: int) -> bytes:
        """Read a whole record of the opened card, counted from 1."""
        return self._card.read_record(sfi, number)

    def read_sector(self, place: Place) -> bytes:
        """Read the body of a sector; SectorInvalid when the card carries another record there."""
        record = self._card.read_record(self._profile.sector_sfi, place.number)
        return place.unwrap(record, self._profile.sector_id_size)

    def write_sector(self, place: Place, body: bytes) -> CacheUpdate:
        """Make the update that writes a sector's body with the next composite purchase.

        Raises SectorInvalid when the body has another size, or only the maintenance key may write the sector.
        """
        if place.write is not WriteAccess.PURCHASE:
            raise SectorInvalid(sector=place.sector, problem="only the maintenance key may write it")
        data = place.wrap(body, self._profile.sector_id_size)
        return CacheUpdate(sfi=self._profile.sector_sfi, record=place.number, data=data)

    @property
    def keeps_journeys(self) -> bool:
        """Say whether cards of this make have a file of journeys."""
        return self._profile.journey_sfi is not None

    def write_journey(self, record: bytes) -> CacheUpdate:
        """Make the update that adds a journey record with the next composite purchase.

        Raises SectorInvalid for a make without a file of journeys.
        """
        sfi = self._profile.journey_sfi
        if sfi is None:
            problem = f"cards of make {self._profile.name} have no file for them"
            raise SectorInvalid(sector="journeys", problem=problem)
        return CacheUpdate(sfi=sfi, data=record, append=True)

    # ── money ────────────────────────────────────────────────────────────────────────────────────

    def purchase(self, amount_fen: int, at: dt.datetime, *, plan: RecordPlan = _NO_PLAN) -> Debit:
        """Debit the purse. Raises CardRefused (funds, key), CardRemoved when the end is open: tap again."""
        return self._debit(amount_fen, at, (), plan, composite=False)

    def capp(
        self,
        amount_fen: int,
        at: dt.datetime,
        updates: Sequence[CacheUpdate],
        *,
        plan: RecordPlan = _NO_PLAN,
    ) -> Debit:
        """Debit the purse and write records in one step of the card; 0 fen is how an entry is written."""
        return self._debit(amount_fen, at, updates, plan, composite=True)

    def prove(self, tti: int, counter: int) -> Proof | None:
        """Ask the card for the MAC and TAC of its last transaction of a type, by INITIALIZE's counter."""
        return self._card.prove(tti, counter)

    def load(self, amount_fen: int, at: dt.datetime, host: LoadHost | None = None) -> Load:
        """Load the purse with a host's consent. Raises LoadRefused, CardRefused, CardRemoved (tap again)."""
        host = host or self._host
        if host is None:
            raise TerminalInvalid(terminal=self._terminal, problem="it has no host that grants loads")
        self._host = host
        self._check_amount(amount_fen, self.view.asn, load=True)
        load = load_purse(
            self._card,
            self._profile,
            self.view,
            self._journal,
            host,
            terminal=self._terminal,
            amount_fen=amount_fen,
            at=at,
        )
        self._balance_fen = load.balance_after_fen
        return load

    def _debit(
        self,
        amount_fen: int,
        at: dt.datetime,
        updates: Sequence[CacheUpdate],
        plan: RecordPlan,
        *,
        composite: bool,
    ) -> Debit:
        view, card = self.view, self._card
        self._check_amount(amount_fen, view.asn, load=False)
        self._acceptance.check_amount(amount_fen)
        head, tti = (INIT_COMPOSITE, _COMPOSITE) if composite else (INIT_PURCHASE, _PURCHASE)
        answer = self._initialise(head, amount_fen)
        counter, version, algorithm = int.from_bytes(answer[4:6], "big"), answer[9], answer[10]
        if counter < max(self._journal.highest(view.asn), self._logged):
            raise refuse(Refusal.CLONED)
        at7 = bcd_moment(at)
        mac = partial(self._sam.line_mac, view.identity) if self._profile.cache_needs_mac else None
        for update in updates:
            card.update_cache(update.sfi, update.record, update.data, append=update.append, mac=mac)
        try:
            serial, mac1 = self._sam.init_for_purchase(
                answer[11:15], counter, amount_fen, tti, at7, version, algorithm, view.asn8, view.identity
            )
        except (KeyVersionUnknown, SamAlgorithmMismatch):
            raise refuse(Refusal.KEY if version else Refusal.UNFINISHED) from None
        self._journal.armed = serial
        torn = TornDebit(
            asn=view.asn,
            issuer=view.issuer,
            card_kind=view.card_kind,
            counter=counter,
            balance_before_fen=int.from_bytes(answer[:4], "big"),
            amount_fen=amount_fen,
            tti=tti,
            serial=serial,
            key_version=version,
            algorithm=algorithm,
            terminal=self._terminal,
            at=at.replace(microsecond=0) if at.microsecond else at,
            plan=plan,
        )
        proof = self._commit(torn, at7, mac1)
        self._journal.saw(torn.asn, counter + 1)
        self._balance_fen = torn.balance_before_fen - amount_fen
        return debit_of(torn, Verdict(outcome=Outcome.DONE, tac=proof[:4]), recovered=False)

    def _initialise(self, head: bytes, amount_fen: int) -> bytes:
        try:
            return finished(lambda: self._card.initialise(head, amount_fen))
        except CardRefused as refused:
            if refused.data["reason"] == Refusal.UNFINISHED and self._card.is_grey_locked():
                raise refuse(Refusal.GREY_LOCKED) from None
            # A card of another city may keep its key under another index; the city's own never does.
            home = self.view.issuer.startswith(self._acceptance.home_issuer)
            if home and refused.data["reason"] == Refusal.KEY:
                raise refuse(Refusal.UNFINISHED) from None
            raise

    def _commit(self, torn: TornDebit, at7: bytes, mac1: bytes) -> bytes:
        self._journal.note(torn)
        try:
            proof = self._card.debit(torn.serial, at7, mac1)
        except (CommandFailed, CardRefused):
            self._journal.remove(torn.asn)  # the card said no: it was not done
            raise
        self._check_genuine(torn.asn, proof[4:8])
        if self._clears:
            self._journal.remove(torn.asn)
        return proof

    def _check_genuine(self, asn: str, mac2: bytes) -> None:
        self._journal.armed = None
        try:
            genuine = self._sam.check_mac2(mac2)
        except SamUnavailable:
            return  # The money is off the card: its TAC stands in the record, and clearing checks that.
        if not genuine:
            self._journal.remove(asn)
            raise refuse(Refusal.NOT_GENUINE)

    def _check_amount(self, amount_fen: int, asn: str, *, load: bool) -> None:
        least = int(load)
        if not least <= amount_fen <= _LARGEST_FEN:
            problem = f"{amount_fen} fen cannot be asked for: expected {least} to {_LARGEST_FEN}"
            raise TerminalInvalid(terminal=self._terminal, problem=problem)
        if self._journal.find(asn, load=load) is not None:
            problem = f"card {asn} has a transaction without a record: record it, or open the card again"
            raise TerminalInvalid(terminal=self._terminal, problem=problem)

    def _mend_debit(self, asn: str) -> Debit | None:
        torn = self._journal.find(asn)
        if torn is None:
            return None
        verdict = witness(self._card, self._profile, torn)
        if verdict.outcome is Outcome.NOT_DONE:
            self._journal.remove(asn)
            return None
        # While the SAM still holds this purchase it can also say whether the card is genuine.
        if verdict.mac2 and self._journal.armed == torn.serial:
            self._check_genuine(asn, verdict.mac2)
        if verdict.outcome is Outcome.DONE:
            self._journal.saw(asn, torn.counter + 1)
        if self._clears:
            self._journal.remove(asn)
        return debit_of(torn, verdict, recovered=True)
