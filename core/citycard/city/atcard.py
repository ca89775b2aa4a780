"""What the card office does at a reader: activate, stop and renew a card, and give it what is owed to it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from citycard import registry
from citycard.card import evolve
from citycard.card.files import CardIdentity, EnableFlag
from citycard.city.cardmoney import CardMoney
from citycard.city.closing import settle_card
from citycard.city.maintenance import Maintenance
from citycard.errors import CardNotOwed, LoadRefused, OfficeRefused, Phrase
from citycard.registry import CardStatus, ClosingState
from citycard.store import reading, writing
from citycard.terminal.acceptance import Acceptance
from citycard.terminal.journal import FileJournal
from citycard.terminal.maintaining import MaintenanceSession, application_command
from citycard.terminal.session import PurseSession
from citycard.wallet.load import LoadState, refund_agent
from citycard.wallet.loadbook import loads_of

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.registry import CardClosing
    from citycard.terminal.reader import Reader
    from citycard.wallet.topup import TopUpDesk

__all__ = ["CardDesk"]

_JOURNAL = "office"


class CardDesk:
    """A reader of the card office; ``actor`` is who works there. A card taken away is held to it again."""

    def __init__(self, city: City, reader: Reader, actor: str) -> None:
        self._city = city
        self._reader = reader
        self._actor = actor

    def activate(self) -> str:
        """Enable the card, so that terminals serve it, and return its number; OfficeRefused if not issued."""
        return self._change("activated", {"enabled": EnableFlag.ENABLED}, {CardStatus.ISSUED})

    def stop(self) -> str:
        """Stop the purse of a card that was given up, blocked or reported lost, and return its number."""
        given_up = {CardStatus.REPLACED, CardStatus.RETURNED, CardStatus.BLOCKED, CardStatus.LOST}
        return self._change("stopped", {"enabled": EnableFlag.STOPPED}, given_up)

    def renew(self, until: dt.date, *, earlier: bool = False) -> str:
        """Give the card another last day, and return its number; OfficeRefused for a day that is over.

        OfficeRefused also for a day before the one that the card has, unless ``earlier``.
        """
        today = self._city.now_local().date()
        if until < today:
            raise OfficeRefused(
                asn=self.number(),
                reason=Phrase("{until} is over: its last day is {today} or later", until=until, today=today),
            )
        card = self._session().open()
        if card.expiry is not None and until < card.expiry and not earlier:
            reason = Phrase(
                "its last day is {expiry}, later than {until}: --force takes days away from it",
                expiry=card.expiry,
                until=until,
            )
            raise OfficeRefused(asn=card.asn, reason=reason)
        asn = self._change("renewed", {"expiry": until}, {CardStatus.ISSUED}, str(until))
        with writing(self._city.engine) as conn:
            registry.renew_card(conn, asn, until)
        return asn

    def number(self) -> str:
        """Return the number of the card in the reader."""
        return self._session().open().asn

    def transfer(self, terminal: str | None = None) -> int:
        """Load what is owed for the card that this one replaces, and return how much; 0 when it has it.

        Broken off at any point, the next call finds out how it ended: the money is on the card once.
        Raise CardNotOwed before the old card's last taps have come in.
        """
        asn = self.number()
        with reading(self._city.engine) as conn:
            replaced = registry.closing_for(conn, asn)
        if replaced is not None:
            settle_card(self._city, replaced.asn, actor=self._actor)
        return self._given(asn, self._owed_to(asn), terminal)

    def collect(self, terminal: str | None = None) -> int:
        """Load the refunds that are owed for this card itself, and return how much; 0 when there are none.

        Broken off at any point, the next call finds out how it ended, as with ``transfer``.
        """
        asn = self.number()
        return self._given(asn, asn, terminal)

    def _given(self, asn: str, old: str, terminal: str | None) -> int:
        number = terminal or self._city.config.city.code + "0" * 8
        folder = self._city.folder / _JOURNAL
        folder.mkdir(exist_ok=True)
        journal = FileJournal(folder / f"{number}.journal")
        try:
            return self._load(asn, old, number, journal)
        finally:
            journal.close()
            settle_card(self._city, old, actor=self._actor)

    def transferred_at(self) -> dt.datetime | None:
        """Return when this card got what was owed for the one before it, local time; None if it did not."""
        asn = self.number()
        with reading(self._city.engine) as conn:
            replaced = registry.closing_for(conn, asn)
            if replaced is None:
                return None
            agent = refund_agent(replaced.asn)
            done = [
                one.at for one in loads_of(conn, asn) if (one.agent, one.state) == (agent, LoadState.PROVEN)
            ]
        return done[-1] if done else None

    def _load(self, asn: str, old: str, terminal: str, journal: FileJournal) -> int:
        host = _OwedHost(self._city, old)
        session = PurseSession(
            self._reader,
            self._city.sam(terminal),
            profile=self._city.issuing.profile,
            acceptance=Acceptance(home_issuer=self._city.config.city.issuer),
            journal=journal,
            host=host,
        )
        at = self._city.now_local()
        view = session.open(at)
        if view.asn != asn:
            raise OfficeRefused(
                asn=asn,
                reason=Phrase("card {asn} came in its place: hold one card to the reader", asn=view.asn),
            )
        if view.recovered_load is not None:
            return view.recovered_load.amount_fen
        owed_fen = host.owed_fen()
        if owed_fen <= 0:
            return 0
        try:
            session.load(owed_fen, at)
        except LoadRefused:
            if host.owed_fen() <= 0:  # the card's counter showed that it had been done before
                return 0
            raise
        return owed_fen

    def _owed_to(self, asn: str) -> str:
        with reading(self._city.engine) as conn:
            closing: CardClosing | None = registry.closing_for(conn, asn)
        if closing is None:
            raise CardNotOwed(asn=asn, reason="it replaces no card")
        if closing.state is ClosingState.WAITING:
            raise CardNotOwed(
                asn=asn,
                reason=Phrase(
                    "taps of card {asn} come in until {due_on}", asn=closing.asn, due_on=closing.due_on
                ),
            )
        return closing.asn

    def _change(
        self, what: str, wanted: dict[str, object], allowed: set[CardStatus], detail: str = ""
    ) -> str:
        host = Maintenance(self._city)
        session = self._session(host)
        card = session.open()
        asn = card.asn
        self._check(card, allowed)
        application = session.application()
        known = {name: value for name, value in wanted.items() if hasattr(application, name)}
        if not known and wanted != {"enabled": EnableFlag.ENABLED}:
            raise OfficeRefused(asn=asn, reason="cards of its make cannot be stopped: list it as lost")
        changed = evolve(application, **known)
        if changed != application:
            host.allow(asn, application_command(changed))
            session.write_application(changed)
        with writing(self._city.engine) as conn:
            done = registry.card_events(conn, asn)
            if changed != application or not any((one.what, one.detail) == (what, detail) for one in done):
                now = self._city.clock.now()
                registry.note_events(conn, [asn], what, detail, actor=self._actor, at=now)
        return asn

    def _check(self, card: CardIdentity, allowed: set[CardStatus]) -> None:
        asn = card.asn
        if card.issuer != self._city.config.city.issuer:
            raise OfficeRefused(
                asn=asn, reason=Phrase("its issuer is {issuer}, which is not this city", issuer=card.issuer)
            )
        with reading(self._city.engine) as conn:
            status = registry.find_card(conn, asn).status
        if status not in allowed:
            raise OfficeRefused(
                asn=asn, reason=Phrase("it is {status}, which does not allow this", status=status)
            )

    def _session(self, host: Maintenance | None = None) -> MaintenanceSession:
        profile = self._city.issuing.profile
        return MaintenanceSession(self._reader, host or Maintenance(self._city), profile=profile)


class _OwedHost:
    """Grant one load: what is owed for a card, onto its successor or itself, and not twice."""

    def __init__(self, city: City, old: str) -> None:
        self._city = city
        self._old = old
        self._desk: TopUpDesk = city.desk.for_agent(refund_agent(old))

    def owed_fen(self) -> int:
        """Return what is still owed."""
        with reading(self._city.engine) as conn:
            return CardMoney(self._city, conn).owed_fen(self._old)

    def begin(
        self,
        asn: str,
        key_version: int,
        balance_fen: int,
        online_atc: int,
        rnd: bytes,
        mac1: bytes,
        amount_fen: int,
        terminal: str,
        at: dt.datetime,
    ) -> bytes:
        """Let the card's counter say how earlier attempts ended, then grant the load if it is still owed."""
        self._desk.witness(asn, key_version, balance_fen, online_atc, rnd, mac1, amount_fen, terminal)
        self._check_owed(asn, amount_fen)
        mac2 = self._desk.begin(
            asn, key_version, balance_fen, online_atc, rnd, mac1, amount_fen, terminal, at
        )
        # Another desk may have paid it out meanwhile. Whoever pays after this sees the load that began.
        try:
            self._check_owed(asn, amount_fen)
        except LoadRefused:
            self._desk.reverse(asn, online_atc)
            raise
        return mac2

    def _check_owed(self, asn: str, amount_fen: int) -> None:
        with writing(self._city.engine) as conn:
            registry.hold_card(conn, self._old)  # so that a payment at another desk is waited for
            owed_fen = CardMoney(self._city, conn).owed_fen(self._old)
            status = registry.find_card(conn, asn).status
        if amount_fen > owed_fen:
            raise LoadRefused(
                reason="amount",
                explanation=Phrase("what is owed for card {old} was given already", old=self._old),
            )
        if status is not CardStatus.ISSUED:
            raise LoadRefused(
                reason="veto",
                explanation=Phrase(
                    "card {asn} is {status}: only a card in use is loaded", asn=asn, status=status
                ),
            )

    def confirm(self, asn: str, online_atc: int, tac: bytes) -> None:
        """Take the card's TAC."""
        self._desk.confirm(asn, online_atc, tac)

    def reverse(self, asn: str, online_atc: int) -> None:
        """Take note that the card proves the load was not done."""
        self._desk.reverse(asn, online_atc)
