"""Which product a published card must be: inferred once, from its first priced ride, then fixed.

Published taps say what was paid, not by whom. The first price a card pays is used up to find its product;
every later price of the card is a prediction. The same holds for a transfer that validators of some lines
give without reporting it (docs/replay.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from citycard_transit.errors import ProductNotConfigured
from citycard_transit.fares import longest_window
from citycard_transit.sectors import RideFacts
from citycard_transit.services import BUS, METRO, Fares
from citycard_transit.settings import Product
from citycard_transit.taps import Tap, TapKind

__all__ = ["Plan", "infer"]


@attrs.frozen(kw_only=True)
class Plan:
    """What was found out before the first tap is played.

    ``products`` gives each card's product, and ``inferred`` the lines whose price was used to find it.
    ``transfers`` are lines of rides that must have been transfers by their own price, ``ask_card`` those of
    rides where the gate finds the earlier ride on the card itself. ``used`` are all lines whose price was
    used for something: they are not predictions.
    """

    products: Mapping[str, str]
    inferred: frozenset[int]
    transfers: frozenset[int]
    ask_card: frozenset[int]

    used: frozenset[int] = attrs.field(init=False)

    @used.default
    def _used(self) -> frozenset[int]:
        return self.inferred | self.transfers


def infer(taps: Iterable[Tap], fares: Fares, known: Mapping[str, str] | None = None) -> Plan:
    """Find each card's product; ``taps`` are in time order, ``known`` are products that cards already have.

    A card without a priced ride, or one whose first price fits nothing, gets the first product of the order.
    """
    return _Inference(fares, known or {}).over(taps)


class _Inference:
    def __init__(self, fares: Fares, fixed: Mapping[str, str]) -> None:
        settings = fares.settings
        known = {product.name: product for product in settings.products}
        order = settings.play.product_order or tuple(known)
        self._fares = fares
        self._order = [known[name] for name in order]
        self._known = known
        self._unmarked = frozenset(settings.play.unmarked_transfer_lines)
        self._window = longest_window(settings)
        self._products = dict(fixed)
        self._fixed = set(fixed)
        self._last: dict[str, tuple[datetime, str]] = {}
        self._inferred: set[int] = set()
        self._transfers: set[int] = set()
        self._ask_card: set[int] = set()

    def over(self, taps: Iterable[Tap]) -> Plan:
        for tap in taps:
            if tap.product is not None:
                if tap.product not in self._known:
                    raise ProductNotConfigured(product=tap.product, known=", ".join(sorted(self._known)))
                self._products.setdefault(tap.card, tap.product)
            elif tap.priced and tap.paid_fen is not None:
                self._priced(tap, tap.paid_fen)
            else:
                self._products.setdefault(tap.card, self._order[0].name)
        return Plan(
            products=self._products,
            inferred=frozenset(self._inferred),
            transfers=frozenset(self._transfers),
            ask_card=frozenset(self._ask_card),
        )

    def _priced(self, tap: Tap, paid_fen: int) -> None:
        transfer = bool(tap.transfer)
        unmarked = not transfer and tap.kind is TapKind.BUS and tap.place in self._unmarked
        if unmarked and self._follows(tap):
            self._ask_card.add(tap.line)
            transfer, unmarked = True, False
        fixed = tap.card in self._fixed
        candidates = [self._product(tap)] if fixed else self._order
        found = self._fitting(tap, paid_fen, candidates, transfer=transfer)
        if found is None and unmarked:
            found = self._fitting(tap, paid_fen, candidates, transfer=True)
            if found is not None:
                self._transfers.add(tap.line)
        if not fixed:
            self._fixed.add(tap.card)
            self._inferred.add(tap.line)
            self._products[tap.card] = (found or self._order[0]).name
        self._last[tap.card] = (tap.at, _line_of(tap))

    def _product(self, tap: Tap) -> Product:
        name = self._products[tap.card]
        if name not in self._known:
            raise ProductNotConfigured(product=name, known=", ".join(sorted(self._known)))
        return self._known[name]

    def _follows(self, tap: Tap) -> bool:
        earlier = self._last.get(tap.card)
        if earlier is None or self._window is None:
            return False
        at, line = earlier
        return line != _line_of(tap) and tap.at - at <= self._window

    def _fitting(
        self, tap: Tap, paid_fen: int, among: Iterable[Product], *, transfer: bool
    ) -> Product | None:
        for product in among:
            if self._price_fen(tap, product, transfer=transfer) == paid_fen:
                return product
        return None

    def _price_fen(self, tap: Tap, product: Product, *, transfer: bool) -> int:
        request = self._fares.request(
            BUS if tap.kind is TapKind.BUS else METRO,
            at=tap.at,
            card_kind=product.kind,
            facts=_NOWHERE,
            list_price_fen=tap.list_price_fen or 0,
            transfer=transfer,
        )
        return self._fares.quote(request).amount_fen


_NOWHERE = RideFacts(place=0)


def _line_of(tap: Tap) -> str:
    return tap.place if tap.kind is TapKind.BUS else METRO
