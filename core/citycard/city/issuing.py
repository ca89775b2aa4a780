"""Making cards: a product's sectors get their places once, a blank is prepared once, each chip is a clone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from citycard import registry
from citycard.card import CARD_PROFILES, CardProduct, ProductVersion, allocate
from citycard.card.files import CardProfile, EnableFlag
from citycard.chip import Chip, ChipProfile, personalise, prepare_blank
from citycard.chip.personalise import chip_profile
from citycard.chip.script import IssuableCard
from citycard.errors import Phrase, ProductInvalid, ProductUnknown, RegistryInvalid
from citycard.keys.records import CardKeys
from citycard.store import reading, writing

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["Issuing"]

# A card from a personalisation job is loaded before it is sold, where a city sells cards with money on them.
_LOADABLE = frozenset({registry.CardStatus.STOCK, registry.CardStatus.ISSUED})


@attrs.frozen
class _Ready:
    product: CardProduct
    version: ProductVersion
    blank: Chip


class Issuing:
    """Issue the card products that a city's plugins declare.

    ``chip`` makes the card and ``card`` its entry in the registry; add those of many at once.
    """

    def __init__(self, city: City) -> None:
        self._city = city
        self._earlier: dict[tuple[str, int], Chip] = {}
        # What can be issued, as the plugins were switched at that epoch.
        self._made: tuple[int, Mapping[str, _Ready]] | None = None

    @cached_property
    def profile(self) -> CardProfile:
        """The make of the city's cards and their purse algorithms, as [cards] of ``city.toml`` says."""
        cards = self._city.config.cards
        return attrs.evolve(CARD_PROFILES[cards.profile], algorithms=cards.algorithms)

    @cached_property
    def chip_profile(self) -> ChipProfile:
        """The make of their chips."""
        return chip_profile(self.profile)

    def blank(self, product: str, number: int) -> Chip:
        """Return a blank chip prepared for a version of a product, to be cloned; RegistryMissing."""
        ready = self._find(product)
        if number == ready.version.number:
            return ready.blank
        if (product, number) not in self._earlier:
            version = self.product_version(product, number)
            self._earlier[product, number] = prepare_blank(version, self.profile, initial=self.initial())
        return self._earlier[product, number]

    def product_version(self, product: str, number: int) -> ProductVersion:
        """Return a version of a product as cards carry it; RegistryMissing when there never was one."""
        with reading(self._city.engine) as conn:
            return ProductVersion.from_json(registry.find_product_version(conn, product, number).layout)

    def initial(self) -> dict[str, bytes]:
        """Return what each sector starts with on a new card, by its name."""
        return {owned.record.name: owned.record.initial for owned in self._city.plugins.sectors()}

    def product(self, name: str) -> CardProduct:
        """Return a product as its plugin declares it; ProductUnknown names those there are."""
        return self._find(name).product

    def purse_limit_fen(self, asn: str) -> int | None:
        """Return how much a card's purse may hold, by its product; None for any amount."""
        limits = {product.name: product.purse_limit_fen for product in self._products()}
        if not any(limits.values()):
            return None
        with reading(self._city.engine) as conn:
            card = registry.cards_by_asn(conn, [asn]).get(asn)
        return limits.get(card.product) if card is not None else None

    def unfit_for_load(self, asn: str, amount_fen: int) -> str | None:
        """Say why no money goes onto a card: lost, blocked, replaced or returned; None when it may.

        A card that the registry does not know is for the desk's other checks.
        """
        with reading(self._city.engine) as conn:
            card = registry.cards_by_asn(conn, [asn]).get(asn)
        if card is None or card.status in _LOADABLE:
            return None
        return Phrase("card {asn} is {status}: only a card in use is loaded", asn=asn, status=card.status)

    def expiry(self, product: str, on: dt.date) -> dt.date:
        """Return the last day of a card of this product whose first day is ``on``."""
        return _years_later(on, self.product(product).validity_years)

    def personalise(
        self,
        chip: IssuableCard,
        asn: str,
        product: CardProduct,
        keys: CardKeys,
        *,
        start: dt.date,
        expiry: dt.date,
        enabled: EnableFlag = EnableFlag.ENABLED,
    ) -> None:
        """Make a prepared card the card ``asn``; PersonalisationFailed names the step it refused.

        ``product`` is what ``product()`` gave before the card was prepared: nothing is looked up any more.
        """
        self.check_number(asn)
        city = self._city.config.city
        personalise(
            chip,
            asn=asn,
            issuer=city.issuer,
            city=city.code,
            product=product,
            keys=keys,
            start=start,
            expiry=expiry,
            profile=self.profile,
            enabled=enabled,
        )

    def check_number(self, asn: str) -> None:
        """Refuse a number that cards of the city's make cannot carry whole; RegistryInvalid."""
        head = self.profile.own_numbers
        if not asn.startswith(head):
            raise RegistryInvalid(
                record="card", key=asn, field="asn", value=asn, expected=f"{head} and 16 digits, as its make"
            )

    @property
    def _ready(self) -> Mapping[str, _Ready]:
        epoch = self._city.plugins.epoch
        if self._made is None or self._made[0] != epoch:
            products, versions = self._products(), self.publish()
            initial = self.initial()
            self._made = (
                epoch,
                {
                    product.name: _Ready(
                        product, version, prepare_blank(version, self.profile, initial=initial)
                    )
                    for product, version in zip(products, versions, strict=True)
                },
            )
        return self._made[1]

    def products(self) -> list[CardProduct]:
        """List the products that can be issued, by plugin and then as declared."""
        return [ready.product for ready in self._ready.values()]

    def publish(self) -> list[ProductVersion]:
        """Write into the registry what cards of each product carry from now on; again without harm.

        The plugins that run now are asked; the versions come in the order of their products.
        """
        return self._publish(self._products())

    def _products(self) -> list[CardProduct]:
        products = list(self._city.config.cards.products)
        for owned in self._city.plugins.card_products():
            product = owned.record
            if any(product.name == one.name or product.kind == one.kind for one in products):
                problem = (
                    f"plugin {owned.owner.plugin} has another product of this name or kind {product.kind}"
                )
                raise ProductInvalid(product=product.name, problem=problem)
            products.append(product)
        return products

    def declared(self) -> list[CardProduct]:
        """List the products of the city and its plugins, whether cards of them can be made now or not."""
        return self._products()

    def version(self, product: str) -> ProductVersion:
        """Return the version that new cards of a product carry; ProductUnknown names those there are."""
        return self._find(product).version

    def chip(self, asn: str, product: str, on: dt.date) -> Chip:
        """Personalise a chip with its own keys; ``asn`` has 20 digits, ``on`` is its first day."""
        ready = self._find(product)
        chip = ready.blank.clone()
        keys = self._city.vault.card_keys(bytes.fromhex(asn[4:]))
        expiry = _years_later(on, ready.product.validity_years)
        self.personalise(chip, asn, ready.product, keys, start=on, expiry=expiry)
        return chip

    def restored(self, image: bytes) -> Chip:
        """Return the city's card that ``image`` saved; raises ``CardImageInvalid``."""
        return Chip.from_image(image, self.chip_profile)

    def card(self, asn: str, product: str, on: dt.date) -> registry.Card:
        """Return the registry's entry of a card, to be added with ``registry.add_cards``."""
        ready = self._find(product)
        return registry.Card(
            asn=asn,
            issuer=self._city.config.city.issuer,
            product=ready.product.name,
            product_version=ready.version.number,
            kind=ready.product.kind,
            issued_on=on,
            expires_on=_years_later(on, ready.product.validity_years),
        )

    def _find(self, product: str) -> _Ready:
        if product not in self._ready:
            raise ProductUnknown(product=product, known=", ".join(sorted(self._ready)) or "none")
        return self._ready[product]

    def _publish(self, products: list[CardProduct]) -> list[ProductVersion]:
        layouts = [owned.record for owned in self._city.plugins.sectors()]
        with reading(self._city.engine) as conn:
            known = {
                product.name: registry.latest_product_version(conn, product.name) for product in products
            }
            kinds = {product.name: product.kind for product in registry.products(conn)}
        versions = []
        for product in products:
            stored, kind = known[product.name], kinds.get(product.name, product.kind)
            if kind != product.kind:
                problem = f"its cards are of kind {kind}, and it is declared with kind {product.kind}"
                raise ProductInvalid(product=product.name, problem=f"{problem}: give it another name")
            previous = ProductVersion.from_json(stored.layout) if stored else None
            if previous is not None and previous.profile != self.profile.name:
                makes = f"{previous.profile}, and [cards] profile of city.toml says {self.profile.name}"
                problem = f"its cards are of make {makes}: a city keeps its make"
                raise ProductInvalid(product=product.name, problem=problem)
            versions.append(allocate(product, layouts, previous, profile=self.profile))
        fresh = [
            registry.ProductVersion(product=version.product, version=version.number, layout=version.to_json())
            for version in versions
            if (stored := known[version.product]) is None or stored.version != version.number
        ]
        if fresh:
            with writing(self._city.engine) as conn:
                registry.add_products(conn, [_entry(product) for product in products])
                registry.add_product_versions(conn, fresh)
        return versions


def _entry(product: CardProduct) -> registry.Product:
    return registry.Product(
        name=product.name, title=product.title or product.name, title_zh=product.title_zh, kind=product.kind
    )


def _years_later(day: dt.date, years: int) -> dt.date:
    try:
        return day.replace(year=day.year + years) - dt.timedelta(days=1)
    except ValueError:  # 29 February
        return dt.date(day.year + years, 2, 28)
