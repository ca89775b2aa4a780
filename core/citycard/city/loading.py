"""The city's side of loading newly enabled domains onto cards in use (``terminal.updating``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from citycard import registry
from citycard.card import ProductVersion
from citycard.city.maintenance import Maintenance
from citycard.errors import OfficeRefused, Phrase, SectorInvalid
from citycard.registry import CardStatus
from citycard.store import reading, writing
from citycard.terminal.maintaining import append_command
from citycard.terminal.updating import WantedRecord

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["DomainLoading"]

_SERVED = frozenset({CardStatus.STOCK, CardStatus.ISSUED})


class DomainLoading(Maintenance):
    """An ``UpdateHost``: it knows what each card should carry, and vouches for those records alone."""

    def __init__(self, city: City, *, actor: str) -> None:
        super().__init__(city)
        self._actor = actor

    def begin(self, asn: str, issuer: str, records: Sequence[bytes]) -> list[WantedRecord]:
        """Return the records that a card lacks of its product's newest version; none when it has them all.

        Raise RegistryMissing for a card nobody made, OfficeRefused for one that is not in use, is another
        city's, or carries something else than the registry says, CardFull when the product is too large.
        """
        # Published first: a domain that was just enabled may be on no card yet.
        self._city.issuing.publish()
        with reading(self._city.engine) as conn:
            card = registry.find_card(conn, asn)
            newest = _newest(conn, card)
        if issuer != self._city.config.city.issuer:
            raise OfficeRefused(
                asn=asn, reason=Phrase("its issuer is {issuer}, which is not this city", issuer=issuer)
            )
        if card.status not in _SERVED:
            raise OfficeRefused(
                asn=asn, reason=Phrase("it is {status}: only a card in use is updated", status=card.status)
            )
        self._check_kept(card, newest)
        _check_records(asn, newest, records, self._id_size)
        initial = self._city.issuing.initial()
        missing = newest.places[len(records) :]
        wanted = [
            WantedRecord(
                sector=place.sector,
                data=place.wrap(initial.get(place.sector, bytes(place.size)), self._id_size),
            )
            for place in missing
        ]
        for record in wanted:
            self.allow(asn, append_command(record.data, self._city.issuing.profile))
        return wanted

    def finish(self, asn: str, records: Sequence[bytes]) -> int:
        """Note the version that a card carries now and return it; OfficeRefused when something is missing.

        The card is changed already: it is held against what was published when it was begun, whatever was
        switched meanwhile.
        """
        with writing(self._city.engine) as conn:
            card = registry.hold_card(conn, asn)
            newest = _newest(conn, card)
            _check_records(asn, newest, records, self._id_size)
            if len(records) < len(newest.places):
                missing = newest.places[len(records)].sector
                raise OfficeRefused(
                    asn=asn,
                    reason=Phrase("sector {missing} is not on it: hold it there again", missing=missing),
                )
            if card.product_version != newest.number:
                before = self._city.issuing.product_version(card.product, card.product_version)
                names = ", ".join(each.sector for each in newest.places if each.sector not in before)
                registry.set_card_version(conn, asn, newest.number)
                registry.note_events(
                    conn,
                    [asn],
                    "updated",
                    f"version {newest.number}: {names}"[:200],
                    actor=self._actor,
                    at=self._city.clock.now(),
                )
            return newest.number

    @property
    def _id_size(self) -> int:
        return self._city.issuing.profile.sector_id_size

    def _check_kept(self, card: registry.Card, newest: ProductVersion) -> None:
        """A sector whose layout changed must be rewritten by its owner; adding records cannot do that."""
        before = self._city.issuing.product_version(card.product, card.product_version)
        for place in before.places:
            if newest.place(place.sector).version != place.version:
                raise OfficeRefused(
                    asn=card.asn,
                    reason=Phrase(
                        "its sector {sector} is of version {version}: replace the card",
                        sector=place.sector,
                        version=place.version,
                    ),
                )


def _newest(conn: Connection, card: registry.Card) -> ProductVersion:
    found = registry.latest_product_version(conn, card.product)
    if found is None:
        raise OfficeRefused(
            asn=card.asn, reason=Phrase("its product {product} has no version", product=card.product)
        )
    return ProductVersion.from_json(found.layout)


def _check_records(asn: str, version: ProductVersion, records: Sequence[bytes], id_size: int) -> None:
    if len(records) > len(version.places):
        raise OfficeRefused(
            asn=asn, reason=Phrase("it carries {count} records, its product has fewer", count=len(records))
        )
    for record, place in zip(records, version.places, strict=False):
        try:
            place.unwrap(record, id_size)
        except SectorInvalid as other:
            raise OfficeRefused(
                asn=asn,
                reason=Phrase(
                    "sector {sector}: {problem}", sector=place.sector, problem=other.data["problem"]
                ),
            ) from None
