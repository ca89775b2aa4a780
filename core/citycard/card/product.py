"""Card products, and the places their sectors take on a card: allocated once, kept for ever."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from citycard.card.sector import OWN_RECORD_IDS, SECTOR_HEADER_SIZE, SectorLayout, WriteAccess
from citycard.errors import CardFull, ProductInvalid, SectorInvalid

if TYPE_CHECKING:
    from citycard.card.files import CardProfile

__all__ = ["CardProduct", "Place", "ProductVersion", "allocate"]

_KINDS = range(1, 255)
_PURSE_LIMIT_FEN: int | None = 100_000


@attrs.frozen(kw_only=True)
class CardProduct:
    """Describe a kind of card that can be issued.

    ``kind`` is the card kind of EF 17 (CardKind; a city may number its own from 6). ``sectors`` names what is
    on it; None means every sector that is claimed when a version is made. ``purse_limit_fen`` is the most
    that a load may leave on the purse, 1,000 yuan as on anonymous cards; None is any amount.
    """

    name: str = attrs.field(validator=attrs.validators.matches_re(r"[a-z][a-z0-9_.-]{0,39}"))
    title: str = ""
    title_zh: str = ""
    kind: int = attrs.field(default=1, validator=attrs.validators.in_(_KINDS))
    entitlements: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    validity_years: int = attrs.field(default=10, validator=attrs.validators.in_(range(1, 100)))
    deposit_fen: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    price_fen: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    purse_limit_fen: int | None = attrs.field(
        default=_PURSE_LIMIT_FEN, validator=attrs.validators.optional(attrs.validators.gt(0))
    )
    sectors: tuple[str, ...] | None = attrs.field(default=None, converter=attrs.converters.optional(tuple))


@attrs.frozen(kw_only=True)
class Place:
    """Where one sector lies: its record's ``number`` and ``record_id``, its body's ``size`` in bytes.

    ``write`` says whether a composite purchase may write it, or only the maintenance key.
    """

    sector: str
    version: int
    number: int
    record_id: int
    size: int
    write: WriteAccess = attrs.field(default=WriteAccess.PURCHASE, converter=WriteAccess)

    @property
    def record_size(self) -> int:
        """Return the bytes of the whole record, header included."""
        return SECTOR_HEADER_SIZE + self.size

    @property
    def header(self) -> bytes:
        """Return the three bytes before the body: record id and length."""
        return self.record_id.to_bytes(2, "big") + bytes([self.size])

    @property
    def short_header(self) -> bytes:
        """Return what is before the body on cards whose records have one-byte ids: the number and length."""
        return bytes((self.number, self.size))

    def wrap(self, body: bytes, id_size: int = 2) -> bytes:
        """Return the whole record for a sector's body; SectorInvalid when its length is not the place's.

        ``id_size``: the bytes of a record id on the card, ``sector_id_size`` of its profile.
        """
        if len(body) != self.size:
            raise SectorInvalid(sector=self.sector, problem=f"{len(body)} bytes for a place of {self.size}")
        return self._header(id_size) + body

    def unwrap(self, record: bytes, id_size: int = 2) -> bytes:
        """Return the body of a whole record read from a card; SectorInvalid when it is not this sector's."""
        header = self._header(id_size)
        size = len(header)
        if record[:size] != header or len(record) < size + self.size:
            found = record[:size].hex().upper()
            raise SectorInvalid(
                sector=self.sector,
                problem=f"record {self.number} starts with {found}, expected {header.hex().upper()}",
            )
        return record[size : size + self.size]

    def _header(self, id_size: int) -> bytes:
        return self.short_header if id_size == 1 else self.header


@attrs.frozen(kw_only=True)
class ProductVersion:
    """A product as cards carry it: its number, counted from 1, and its places in order of record number."""

    product: str
    number: int = attrs.field(validator=attrs.validators.ge(1))
    profile: str
    places: tuple[Place, ...]
    _by_name: Mapping[str, Place] = attrs.field(init=False, repr=False, eq=False)

    @_by_name.default
    def _index(self) -> dict[str, Place]:
        return {place.sector: place for place in self.places}

    def __contains__(self, sector: str) -> bool:
        return sector in self._by_name

    def place(self, sector: str) -> Place:
        """Return where a sector lies; SectorInvalid when cards of this version do not carry it."""
        if sector not in self._by_name:
            raise SectorInvalid(
                sector=sector, problem=f"it is not on cards of product {self.product} version {self.number}"
            )
        return self._by_name[sector]

    def to_json(self) -> str:
        """Write the version as JSON, keys sorted, for the registry."""
        return json.dumps(
            {
                "product": self.product,
                "number": self.number,
                "profile": self.profile,
                "places": [attrs.asdict(place) for place in self.places],
            },
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, written: str) -> ProductVersion:
        """Read a version back; ProductInvalid when the text is not one."""
        try:
            data: dict[str, Any] = json.loads(written)
            places = tuple(Place(**place) for place in data.pop("places"))
            return cls(places=places, **data)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ProductInvalid(product="(stored)", problem=f"its version cannot be read: {error}") from None


def allocate(
    product: CardProduct,
    layouts: Iterable[SectorLayout],
    previous: ProductVersion | None = None,
    *,
    profile: CardProfile | None = None,
) -> ProductVersion:
    """Give every sector of a product its place, the same for the same input whatever its order.

    What ``previous`` placed keeps its number and id, also when its layout is no longer among ``layouts``: its
    plugin may be disabled while cards with it are in use. New sectors take the number of a published id where
    that is free, all others the lowest free number, by name. ``profile`` is that of transit cards when left
    out. Returns ``previous`` itself when nothing changed. Raises CardFull, ProductInvalid and SectorInvalid.
    The rules are in docs/card.md.
    """
    if profile is None:
        # Imported here: who declares a product, as a plugin does, needs no layout of any file.
        from citycard.card.files import TRANSIT_PROFILE

        profile = TRANSIT_PROFILE
    wanted = _wanted(product, layouts)
    kept = {place.sector: place for place in previous.places} if previous else {}
    fresh = [wanted[name] for name in sorted(wanted) if name not in kept]
    places = [_renewed(place, wanted.get(place.sector)) for place in kept.values()]
    places += _placed(fresh, kept)
    places.sort(key=lambda place: place.number)
    _check_ids(product, places)
    _check_room(product, places, profile.sector_room)
    if previous and tuple(places) == previous.places and previous.profile == profile.name:
        return previous
    number = previous.number + 1 if previous else 1
    return ProductVersion(product=product.name, number=number, profile=profile.name, places=tuple(places))


def _wanted(product: CardProduct, layouts: Iterable[SectorLayout]) -> dict[str, SectorLayout]:
    wanted: dict[str, SectorLayout] = {}
    for sector in layouts:
        if product.sectors is not None and sector.name not in product.sectors:
            continue
        if sector.name in wanted:
            raise ProductInvalid(product=product.name, problem=f"two sectors are named {sector.name}")
        wanted[sector.name] = sector
    return wanted


def _renewed(place: Place, sector: SectorLayout | None) -> Place:
    if sector is None or sector.version == place.version:
        if sector is not None and sector.size != place.size:
            raise SectorInvalid(
                sector=sector.name,
                problem=f"it changed from {place.size} to {sector.size} bytes under version {place.version}: "
                "give the changed layout a new version",
            )
        return place
    return attrs.evolve(place, version=sector.version, size=sector.size, write=sector.write)


def _placed(fresh: list[SectorLayout], kept: Mapping[str, Place]) -> list[Place]:
    taken = {place.number for place in kept.values()}
    free = [number for number in range(1, len(fresh) + len(taken) + 1) if number not in taken]
    numbers: dict[str, int] = {}
    for sector in fresh:
        own = (sector.record_id or 0) & 0xFF
        if own in free:
            numbers[sector.name] = own
            free.remove(own)
    for sector in fresh:
        if sector.name not in numbers:
            numbers[sector.name] = free.pop(0)
    return [
        Place(
            sector=sector.name,
            version=sector.version,
            number=numbers[sector.name],
            record_id=sector.record_id or OWN_RECORD_IDS | numbers[sector.name],
            size=sector.size,
            write=sector.write,
        )
        for sector in fresh
    ]


def _check_ids(product: CardProduct, places: list[Place]) -> None:
    seen: dict[int, str] = {}
    for place in places:
        other = seen.setdefault(place.record_id, place.sector)
        if other != place.sector:
            both = " and ".join(sorted((other, place.sector)))
            raise ProductInvalid(
                product=product.name, problem=f"sectors {both} both want record id {place.record_id:04X}"
            )


def _check_room(product: CardProduct, places: list[Place], room: int) -> None:
    needed, first_without = 0, None
    for place in places:
        needed += place.record_size
        if needed > room and first_without is None:
            first_without = place.sector
    if first_without is not None:
        raise CardFull(product=product.name, needed=needed, room=room, sector=first_without)
