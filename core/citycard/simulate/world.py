"""What all blocks of a simulation share: plan, tariff, ground, and what the city writes on cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import attrs
import numpy as np

from citycard import registry
from citycard.keys.versions import KeyStatus
from citycard.simulate.columns import Ints
from citycard.simulate.ground import Ground
from citycard.simulate.plan import SimulationPlan
from citycard.simulate.tariff import Prices, Tariff
from citycard.store import reading

if TYPE_CHECKING:
    from citycard.card import CardProduct
    from citycard.city import City
    from citycard.clearing.context import Rates

__all__ = ["World"]

_HEAD = "0310"
_ASN, _TERMINAL = 20, 12
# What simulated cards and terminals have behind the city's code: a city that counts from 0 never gets there.
_SIMULATED = "9"


@attrs.frozen(kw_only=True, eq=False)
class World:
    """A city ready to be simulated. ``first_asn`` and ``first_terminal`` are the first simulated numbers.

    ``terminals`` are the numbers of all terminals by place: those that habits name have their own.
    ``list_number`` is the blacklist that is out before the simulation; the next one comes out at its first
    noon. ``key_version`` and ``algorithm`` are what cards answer to INITIALIZE.
    """

    plan: SimulationPlan
    tariff: Tariff
    ground: Ground
    products: tuple[CardProduct, ...]
    issuer: bytes
    first_asn: int
    first_terminal: int
    terminals: Ints
    key_version: int
    algorithm: int
    config: int
    list_number: int
    price_limit_fen: int
    amount_limit_fen: int

    @classmethod
    def of(cls, city: City, plan: SimulationPlan) -> Self:
        """Ask the city; raise HabitsMissing, HabitInvalid or SimulationPlanInvalid."""
        tariff = Tariff.of(city, plan.domains, evenly=plan.evenly)
        ground = Ground.of(plan, tariff)
        products = tuple(city.issuing.products())
        key = next(
            row
            for row in city.vault.versions()
            if row.purpose == "purchase" and row.status is KeyStatus.CURRENT
        )
        with reading(city.engine) as conn:
            list_number = registry.blacklist_number(conn)
        code = city.config.city.code
        head = (city.issuing.profile.own_numbers or _HEAD) + code + _SIMULATED
        first_terminal = int((code + _SIMULATED).ljust(_TERMINAL, "0"))
        terminals = first_terminal + np.arange(plan.terminals)
        for start, number in zip(ground.starts, tariff.terminals, strict=True):
            terminals[start] = int(number or terminals[start])
        return cls(
            plan=plan,
            tariff=tariff,
            ground=ground,
            products=products,
            issuer=bytes.fromhex(city.config.city.issuer),
            first_asn=int(head.ljust(_ASN, "0")),
            first_terminal=first_terminal,
            terminals=terminals,
            key_version=key.version,
            algorithm=int(key.algorithm),
            config=city.configuration().number,
            list_number=list_number,
            price_limit_fen=city.terms.price_limit_fen,
            amount_limit_fen=city.terms.amount_limit_fen,
        )

    def prices(self, rates: Rates) -> Prices:
        """Give what taps cost, as the city's plugins say."""
        return Prices(
            rates,
            self.tariff,
            [product.kind for product in self.products],
            self.plan.midnight,
            issuer=self.issuer,
            limit_fen=self.amount_limit_fen,
        )

    def asn(self, card: int) -> str:
        """Give the 20 digits of a card."""
        return f"{self.first_asn + card:020d}"

    def terminal(self, place: int) -> str:
        """Give the 12 digits of a terminal by its place."""
        return f"{self.terminals[place]:012d}"
