"""Move an old sector card to a new CPU card: its money, its points and its rights (docs/mifare.md).

Each state in the registry says what has been done for certain; what comes next is found out from the two
cards and the desk's book of loads. So a migration may be cut anywhere, and running it again goes on.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs

from citycard import registry
from citycard.city.torn import torn_load
from citycard.errors import (
    CardRefused,
    CardRemoved,
    CommandFailed,
    LoadRefused,
    MigrationConflict,
    MigrationOpen,
    MigrationStopped,
    MigrationUnknown,
    SectorAccessFailed,
)
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.records import AccountSpec, Transfer
from citycard.mifare import (
    SECTOR_PURPOSES,
    DedicatedUse,
    SectorKeys,
    SectorPlan,
    SectorReader,
    SectorSession,
    SectorView,
    TradeOutcome,
)
from citycard.registry import CardStatus, Entitlement, MigrationState, OldCardMigration
from citycard.store import reading, writing
from citycard.terminal.journal import Journal
from citycard.terminal.session import PurseSession
from citycard.wallet.addresses import LEGACY_FLOAT, TRUST_BANK, agent_receivable
from citycard.wallet.load import Load, LoadState
from citycard.wallet.loadbook import loads_of

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

    from citycard.city.city import City
    from citycard.mifare.driver import KeySource
    from citycard.terminal.reader import Reader
    from citycard.terminal.views import CardView

__all__ = ["AGENT", "SOURCE", "CardMigration", "TakenOver", "sector_keys", "take_over_float"]

AGENT = "old-cards"
"""The load agent whose account holds the money on its way from an old card to a new one."""
SOURCE = "old-card"
"""Who vouches for the rights that an old card carried."""

_STOPS = (CardRefused, CardRemoved, CommandFailed, LoadRefused, SectorAccessFailed)
_DESK_DIGITS = "99999999"
_LEGACY = AccountSpec(address=LEGACY_FLOAT, code=AccountCode.LEGACY_FLOAT)
_BANK = AccountSpec(address=TRUST_BANK, code=AccountCode.TRUST_BANK)


def sector_keys(city: City) -> SectorKeys:
    """Return the keys of the city's sector cards; their purposes are added to the vault when they are new."""
    city.vault.ensure_purposes(SECTOR_PURPOSES)
    return SectorKeys(city.vault)


@attrs.frozen(kw_only=True)
class TakenOver:
    """What ``take_over_float`` did: the float of old cards, and when it was noted before, if it was."""

    float_fen: int
    noted_at: dt.datetime | None = None


def take_over_float(city: City, amount_fen: int, *, ref: str) -> TakenOver:
    """Note that the old system paid over money for its cards.

    ``ref`` names the payment: noted again under the same name, it is one payment. TransferInvalid for an
    amount that is none, PostingFailed when another amount came under this name.
    """
    with writing(city.engine) as conn:
        identity = derived_id("take-over", ref)
        known = city.ledger.find(conn, [identity])
        _move(city, conn, identity, _BANK, _LEGACY, amount_fen, f"take-over/{ref}")
        return TakenOver(
            float_fen=city.ledger.balance_fen(conn, LEGACY_FLOAT),
            noted_at=known[identity].transfer.event_time if known else None,
        )


class CardMigration:
    """Migrate old cards of a plan at one service desk; ``terminal`` is its registered number, 12 digits.

    Without a terminal it is the city's own desk: the city's code and eight nines. ``keys`` opens the old
    cards: the city's own sector keys unless given; ``actor`` is who works there. RegistryMissing when the
    city has no such terminal.
    """

    def __init__(
        self,
        city: City,
        plan: SectorPlan,
        *,
        terminal: str | None = None,
        keys: KeySource | None = None,
        actor: str = AGENT,
    ) -> None:
        if terminal is not None:
            with reading(city.engine) as conn:
                registry.find_terminal(conn, terminal)
        self._city = city
        self._plan = plan
        self._terminal = terminal or city.config.city.code + _DESK_DIGITS
        self._keys = keys or sector_keys(city)
        self._actor = actor
        self._desk = city.desk.for_agent(AGENT)

    def migrate(self, old: Reader, new: Reader, *, resume: bool = False) -> OldCardMigration:
        """Move everything from the card in one reader to the card in the other, and return what was done.

        Without ``resume`` a migration that was begun is refused (MigrationOpen); with it, one that is done is
        returned as it is. Raises MigrationConflict when the cards are not those of an earlier try or may not
        take part, MigrationStopped when a card went away: run it again with ``resume``. Before anything is
        written down, CardRemoved, SectorCardRefused and CardRefused come through as they are.
        """
        session = SectorSession(SectorReader(old, self._keys), self._plan, terminal=self._terminal)
        view = session.open()
        purse = self._purse(new, Journal())
        target = purse.open(self._city.now_local())
        record = self._known(view, target, resume=resume)
        return self._resumable(record, session, new, target)

    def finish(self, new: Reader) -> OldCardMigration:
        """Go on without the old card, once it was seen empty; MigrationStopped before that.

        Raises MigrationUnknown when no migration to the card in the reader is known.
        """
        target = self._purse(new, Journal()).open(self._city.now_local())
        with reading(self._city.engine) as conn:
            found = registry.migrations_of(conn, old_card="", new_asn=target.asn)
        if not found:
            raise MigrationUnknown(number=target.asn)
        if found[0].state in {MigrationState.INTENDED, MigrationState.LOCKED}:
            raise self._stopped(found[0], "the old card is needed: hold it to the reader")
        return self._resumable(found[0], None, new, target)

    def amount_fen(self, record: OldCardMigration) -> int:
        """Return the money that a migration moves; 0 before the old card is locked."""
        money = self._plan.dedicated_use is DedicatedUse.MONEY
        return (record.balance_fen or 0) + (record.dedicated or 0 if money else 0)

    # ── who takes part ───────────────────────────────────────────────────────────────────────────

    def _known(self, view: SectorView, target: CardView, *, resume: bool) -> OldCardMigration:
        """Return the migration of these two cards: as it was written down, or begun now."""
        with writing(self._city.engine) as conn:
            found = registry.migrations_of(conn, old_card=view.card, new_asn=target.asn, hold=True)
            for known in found:
                self._check_pair(known, view, target)
            if found:
                if not resume and found[0].state is MigrationState.DONE:
                    raise _conflict(view, f"it was replaced by card {target.asn} on {found[0].changed_at:%F}")
                if not resume:
                    raise MigrationOpen(old=view.card, new=target.asn, state=str(found[0].state))
                return found[0]
            if view.info.locked:
                raise _conflict(view, "it is locked, and no migration of it is known: ask who locked it")
            self._check_new(registry.find_card(conn, target.asn), view)
            now = self._city.clock.now()
            record = OldCardMigration(
                old_card=view.card,
                plan=self._plan.name,
                uid=view.uid.hex().upper(),
                new_asn=target.asn,
                card_kind=view.card_kind,
                started_at=now,
                changed_at=now,
            )
            registry.begin_migration(conn, record)
            return record

    def _check_pair(self, known: OldCardMigration, view: SectorView, target: CardView) -> None:
        if known.old_card != view.card:
            raise _conflict(view, f"card {target.asn} already takes the place of old card {known.old_card}")
        if known.new_asn != target.asn:
            done = known.state is MigrationState.DONE
            problem = (
                f"it was replaced by card {known.new_asn} on {known.changed_at:%F}"
                if done
                else f"its migration to card {known.new_asn} was begun: go on with that card"
            )
            raise _conflict(view, problem)
        if known.uid != view.uid.hex().upper() or known.plan != self._plan.name:
            raise _conflict(view, "another chip or another plan carries this number: it may be a copy")

    def _check_new(self, card: registry.Card, view: SectorView) -> None:
        if card.status is not CardStatus.ISSUED:
            raise _conflict(view, f"card {card.asn} is {card.status}: expected one that is issued")

    # ── the steps ────────────────────────────────────────────────────────────────────────────────

    def _resumable(
        self, record: OldCardMigration, session: SectorSession | None, new: Reader, target: CardView
    ) -> OldCardMigration:
        try:
            return self._go_on(record, session, new, target)
        except _STOPS as stop:
            with reading(self._city.engine) as conn:
                found = registry.migrations_of(conn, old_card=record.old_card, new_asn=record.new_asn)
            raise self._stopped(found[0], str(stop)) from stop

    def _go_on(
        self, record: OldCardMigration, session: SectorSession | None, new: Reader, target: CardView
    ) -> OldCardMigration:
        if session is not None and record.state is MigrationState.INTENDED:
            record = self._lock(record, session)
        if session is not None and record.state is MigrationState.LOCKED:
            record = self._empty(record, session)
        if record.state is MigrationState.EMPTIED:
            record = self._load(record, new, target)
        if record.state is MigrationState.LOADED:
            record = self._carry_over(record)
        return record

    def _lock(self, record: OldCardMigration, session: SectorSession) -> OldCardMigration:
        """Lock the old card; from now on its purses stand still, and what they hold is written down."""
        view = session.lock()
        record = attrs.evolve(record, balance_fen=view.balance_fen, dedicated=view.dedicated)
        return self._advanced(record, MigrationState.LOCKED)

    def _empty(self, record: OldCardMigration, session: SectorSession) -> OldCardMigration:
        """Empty the old purses, and move their money in the ledger once the card has been seen empty."""
        session.lock()  # it is, unless the card has lost both copies of its information
        on = self._city.now_local().date()
        wanted = (record.balance_fen or 0, record.dedicated or 0)
        for number, wanted_units in enumerate(wanted):
            view = session.view
            held = (view.balance_fen, view.dedicated)[number]
            if held not in {wanted_units, 0}:
                problem = f"it holds {held} where {wanted_units} were locked: somebody has changed it"
                raise _conflict(view, problem)
            if held:
                outcome = session.empty(on, dedicated=bool(number)).outcome
                if outcome is not TradeOutcome.DONE:
                    raise self._stopped(record, "the old card went away: hold it to the reader again")
                session.open()
        amount_fen = self.amount_fen(record)
        with writing(self._city.engine) as conn:
            if amount_fen:
                self._post(conn, record, amount_fen)
            return self._written(conn, record, MigrationState.EMPTIED)

    def _load(self, record: OldCardMigration, new: Reader, target: CardView) -> OldCardMigration:
        """Load the new card through the desk: once, however often this is tried."""
        amount_fen = self.amount_fen(record)
        if amount_fen:
            journal = Journal()
            for known in self._loads(record):
                if known.state is LoadState.PENDING:
                    journal.note(torn_load(known, target), load=True)
            purse = self._purse(new, journal)
            if purse.open(self._city.now_local()).asn != record.new_asn:
                raise self._stopped(record, f"another card is in the reader: expected {record.new_asn}")
            if any(known.state is LoadState.PENDING for known in self._loads(record)):
                raise self._stopped(record, f"card {record.new_asn} does not tell whether it was loaded")
            if not self._loaded(record):
                purse.load(amount_fen, self._city.now_local())
        return self._advanced(record, MigrationState.LOADED)

    def _carry_over(self, record: OldCardMigration) -> OldCardMigration:
        """Copy rights and points into the registry; with this the old card is replaced."""
        right = self._plan.rights.get(record.card_kind)
        use, units = self._plan.dedicated_use, record.dedicated or 0
        with writing(self._city.engine) as conn:
            if right is not None:
                today = self._city.now_local().date()
                entitlement = Entitlement(name=right, source=SOURCE, starts_on=today, asn=record.new_asn)
                registry.add_entitlements(conn, [entitlement])
            if units and use is not DedicatedUse.MONEY:
                registry.add_carryover(conn, record.new_asn, {str(use): units}, old_card=record.old_card)
            registry.note_events(
                conn,
                [record.new_asn],
                "migrated",
                f"from old card {record.old_card}",
                actor=self._actor,
                at=self._city.clock.now(),
            )
            return self._written(conn, record, MigrationState.DONE)

    # ── the ledger ───────────────────────────────────────────────────────────────────────────────

    def _post(self, conn: Connection, record: OldCardMigration, amount_fen: int) -> None:
        transit = AccountSpec(
            address=agent_receivable(AGENT), code=AccountCode.LOAD_AGENTS_RECEIVABLE, owner=AGENT
        )
        identity = derived_id("migration", record.old_card, record.new_asn)
        _move(self._city, conn, identity, _LEGACY, transit, amount_fen, f"migration/{record.old_card}")

    def _loads(self, record: OldCardMigration) -> list[Load]:
        with reading(self._city.engine) as conn:
            return [known for known in loads_of(conn, record.new_asn) if known.agent == AGENT]

    def _loaded(self, record: OldCardMigration) -> bool:
        return any(known.state is LoadState.PROVEN for known in self._loads(record))

    # ── inside ───────────────────────────────────────────────────────────────────────────────────

    def _purse(self, reader: Reader, journal: Journal) -> PurseSession:
        city = self._city
        return PurseSession(
            reader,
            city.sam(self._terminal),
            profile=city.issuing.profile,
            journal=journal,
            host=self._desk,
        )

    def _advanced(self, record: OldCardMigration, state: MigrationState) -> OldCardMigration:
        with writing(self._city.engine) as conn:
            return self._written(conn, record, state)

    def _written(self, conn: Connection, record: OldCardMigration, state: MigrationState) -> OldCardMigration:
        now = self._city.clock.now()
        known = attrs.evolve(record, state=state, changed_at=now)
        note = f"balance {known.balance_fen} fen, dedicated {known.dedicated}, terminal {self._terminal}"
        registry.advance_migration(conn, known, note=note)
        return known

    def _stopped(self, record: OldCardMigration, problem: str) -> MigrationStopped:
        return MigrationStopped(old=record.old_card, state=str(record.state), problem=problem)


def _move(
    city: City,
    conn: Connection,
    identity: UUID,
    debit: AccountSpec,
    credit: AccountSpec,
    amount_fen: int,
    ref: str,
) -> None:
    known = city.ledger.find(conn, [identity])
    # Noted again later it is the same movement, whatever the clock says by then.
    at = known[identity].transfer.event_time if known else city.now_local()
    city.ledger.open_accounts(conn, [debit, credit])
    transfer = Transfer(
        id=identity,
        debit_address=debit.address,
        credit_address=credit.address,
        amount_fen=amount_fen,
        code=TransferCode.MIGRATION,
        event_time=at,
        business_date=at.date(),
        ref=ref,
    )
    city.ledger.post_all(conn, [transfer])


def _conflict(view: SectorView, problem: str) -> MigrationConflict:
    return MigrationConflict(old=view.card, problem=problem)
