"""What a city does for a card that it sees online: finish what was torn, deliver orders, top it up.

Use it at a desk or a kiosk. It is the load host of the reader; what is open of the card is settled first, by
what the card itself shows.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

import attrs

from citycard.city.orders import look_after, order_top_up
from citycard.city.torn import torn_load
from citycard.errors import CitycardError, LoadRefused
from citycard.ids import derived_id
from citycard.store import reading
from citycard.terminal.acceptance import Acceptance
from citycard.terminal.journal import FileJournal, Journal
from citycard.terminal.session import PurseSession
from citycard.wallet.autotopup import AutoTopUp, auto_limit, find_rule, same_sight
from citycard.wallet.load import LoadState
from citycard.wallet.loadbook import loads_of
from citycard.wallet.order import OrderState
from citycard.wallet.orderbook import orders
from citycard.wallet.payer import Payer

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.terminal.load import Load
    from citycard.terminal.reader import Reader
    from citycard.terminal.views import CardView
    from citycard.wallet.order import PaymentOrder
    from citycard.wallet.topup import TopUpDesk

__all__ = ["Delivery", "Seen", "deliver"]

_FOLDER = "topup"
_OPEN = (OrderState.CREATED, OrderState.PAID, OrderState.REFUNDING)


@attrs.frozen(kw_only=True)
class Seen:
    """What was done at one sight of a card.

    ``recovered_fen`` was loaded earlier and is known to be on the card only now; ``delivered`` are the ids
    of orders whose money went onto it; ``topped_up_fen`` its rule loaded; ``refused`` says why something did
    not happen that should have.
    """

    asn: str
    balance_before_fen: int
    balance_after_fen: int
    recovered_fen: int = 0
    delivered: tuple[UUID, ...] = ()
    topped_up_fen: int = 0
    refused: tuple[str, ...] = ()


def deliver(
    city: City, reader: Reader, terminal: str | None = None, *, acceptance: Acceptance | None = None
) -> Seen:
    """Serve the card in a reader at the city's own desk, or at ``terminal`` (12 digits).

    Raise CardRefused and CardRemoved: after the last, hold the card there again; nothing is lost or doubled.
    """
    number = terminal or city.config.city.code + "0" * 7 + "1"
    folder = city.folder / _FOLDER
    folder.mkdir(exist_ok=True)
    journal = FileJournal(folder / f"{number}.journal")
    try:
        return Delivery(city, reader, number, journal, acceptance=acceptance).see()
    finally:
        journal.close()


class Delivery:
    """One sight of one card. ``journal`` outlives it: a card that was torn away is recognised by it."""

    def __init__(
        self,
        city: City,
        reader: Reader,
        terminal: str,
        journal: Journal,
        *,
        acceptance: Acceptance | None = None,
    ) -> None:
        self._city = city
        self._session = PurseSession(
            reader,
            city.sam(terminal),
            profile=city.issuing.profile,
            acceptance=acceptance or Acceptance(home_issuer=city.config.city.issuer),
            journal=journal,
            host=city.desk,
        )
        self._journal = journal
        self._refused: list[str] = []
        self._tried: set[UUID] = set()

    def see(self) -> Seen:
        """Finish, deliver, top up; each order once, and at most one automatic load."""
        view = self._opened()
        recovered = view.recovered_load
        delivered = [order.id for order in self._waiting(view.asn) if self._collect(order)]
        topped_up_fen = 0
        if recovered is None and not delivered:
            topped_up_fen = self._top_up(view)
        return Seen(
            asn=view.asn,
            balance_before_fen=view.balance_fen,
            balance_after_fen=self._session.balance_fen,
            recovered_fen=recovered.amount_fen if recovered is not None else 0,
            delivered=tuple(delivered),
            topped_up_fen=topped_up_fen,
            refused=tuple(self._refused),
        )

    def _opened(self) -> CardView:
        """Open the card; a load that began at another desk is looked for as if it had been torn here."""
        view = self._session.open(self._city.now_local())
        if view.recovered_load is not None:
            return view
        with reading(self._city.engine) as conn:
            pending = [one for one in loads_of(conn, view.asn) if one.state is LoadState.PENDING]
        if not pending:
            return view
        self._journal.note(torn_load(pending[-1], view), load=True)
        return self._session.open(self._city.now_local())

    def _waiting(self, asn: str) -> list[PaymentOrder]:
        with reading(self._city.engine) as conn:
            paid = orders(conn, asn=asn, states=[OrderState.PAID])
        return [order for order in reversed(paid) if order.for_purse]

    def _collect(self, order: PaymentOrder) -> bool:
        self._tried.add(order.id)
        desk = self._city.desk.for_agent(Payer.order(order.id).words)
        return self._load(desk, order.amount_fen, f"order {order.id}") is not None

    def _load(self, desk: TopUpDesk, amount_fen: int, what: str) -> Load | None:
        try:
            return self._session.load(amount_fen, self._city.now_local(), desk)
        except LoadRefused as refused:
            # The card's counter may have shown just now that it was done before.
            self._refused.append(f"{what}: {refused.data['explanation']}")
            return None

    # ── automatic top-up ─────────────────────────────────────────────────────────────────────────

    def _top_up(self, view: CardView) -> int:
        with reading(self._city.engine) as conn:
            rule = find_rule(conn, view.asn)
            before = loads_of(conn, view.asn) if rule is not None else []
            agreed = [one for one in orders(conn, asn=view.asn) if one.agreement] if rule is not None else []
        if rule is None or view.balance_fen >= rule.threshold_fen:
            return 0
        automatic = {rule.source, *(Payer.order(one.id).words for one in agreed)}
        if same_sight(before, view.balance_fen, automatic):
            return 0
        today = self._city.now_local().date()
        if rule.agreement:
            order = self._open_order(view.asn) or self._paid_by_agreement(rule, view, today)
            waits = order is not None and order.state is OrderState.PAID and order.id not in self._tried
            return order.amount_fen if order is not None and waits and self._collect(order) else 0
        desk = self._city.desk.for_agent(rule.source, limits=(auto_limit(rule, today),))
        done = self._load(desk, rule.amount_fen, "automatic top-up")
        return done.amount_fen if done is not None else 0

    def _open_order(self, asn: str) -> PaymentOrder | None:
        """Give an order that an agreement was asked for and that is not over: until it is, none is added.

        When nobody knows yet whether it is paid, the provider is asked.
        """
        with reading(self._city.engine) as conn:
            found = [one for one in orders(conn, asn=asn, states=_OPEN) if one.agreement]
        if not found or found[0].state is not OrderState.CREATED:
            return found[0] if found else None
        try:
            return look_after(self._city, found[0].id)
        except CitycardError as error:
            self._refused.append(f"automatic top-up: {error}")
            return found[0]

    def _paid_by_agreement(self, rule: AutoTopUp, view: CardView, today: dt.date) -> PaymentOrder | None:
        """Let the provider pay, and give the order; None when it did not, or nobody knows."""
        if self._ordered_fen(view.asn, today) + rule.amount_fen > rule.daily_limit_fen:
            self._refused.append(
                f"automatic top-up: its limit of {rule.daily_limit_fen} fen a day is reached"
            )
            return None
        with reading(self._city.engine) as conn:
            done = len(loads_of(conn, view.asn))
            gone = len(orders(conn, asn=view.asn, states=[OrderState.CLOSED, OrderState.REFUNDED]))
        # Until the card spends or is loaded, or an order came to nothing, this is asking for the same one.
        identity = derived_id("automatic order", view.asn, today, done, gone, view.balance_fen)
        try:
            order = order_top_up(
                self._city,
                identity,
                view.asn,
                rule.amount_fen,
                agreement=rule.agreement,
                actor="automatic top-up",
            )
        except CitycardError as error:
            # When it was paid all the same, the job finds out, and the next sight delivers it.
            self._refused.append(f"automatic top-up: {error}")
            return None
        return order if order.state is OrderState.PAID else None

    def _ordered_fen(self, asn: str, day: dt.date) -> int:
        """Add up what agreements were asked for on a day, unless it was not paid or went back."""
        gone = {OrderState.CLOSED, OrderState.REFUNDED}
        with reading(self._city.engine) as conn:
            made = orders(conn, asn=asn, states=[state for state in OrderState if state not in gone])
        zone = self._city.timezone
        return sum(
            one.amount_fen for one in made if one.agreement and one.created_at.astimezone(zone).date() == day
        )
