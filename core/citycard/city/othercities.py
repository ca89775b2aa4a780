"""Put other cities on the list, with notice: who they are, how their files are believed, what is agreed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import attrs

from citycard import registry
from citycard.errors import CityIsOurs
from citycard.registry.cities import NOTICE_TO_ADD, NOTICE_TO_REMOVE, CityChange, CityFee, OtherCity
from citycard.store import reading, writing

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = [
    "CityView",
    "add_other_city",
    "agree_fee",
    "believe_key",
    "change_other_city",
    "listed_cities",
    "remove_other_city",
]


@attrs.frozen(kw_only=True)
class CityView:
    """A city on the list: whether it takes part today, the ids of its keys, every fee and every change."""

    city: OtherCity
    takes_part: bool
    keys: tuple[str, ...]
    fees: tuple[CityFee, ...]
    changes: tuple[CityChange, ...]


def add_other_city(city: City, other: OtherCity | dict[str, object], pem: str = "") -> CityView:
    """Add a city, and believe its key where one is given; again without harm.

    Given as a mapping, a city without ``valid_from`` takes part after 30 days. Raise CityIsOurs,
    RegistryConflict, RegistryInvalid, or SealKeyInvalid.
    """
    today = city.now_local().date()
    with writing(city.engine) as conn:
        if isinstance(other, dict):
            there = [one for one in registry.other_cities(conn) if one.code == other["code"]]
            first = there[0].valid_from if there else today + NOTICE_TO_ADD
            other = OtherCity(**{"valid_from": first} | other)  # type: ignore[arg-type]
        own = city.config.city
        if other.code == own.code or own.issuer in other.issuers:
            raise CityIsOurs(code=other.code, issuer=other.issuers[0])
        registry.add_city(conn, other)
        if pem:
            registry.add_city_key(conn, other.code, pem, at=city.clock.now())
    return _view(city, other.code)


def change_other_city(
    city: City, code: str, wanted: Mapping[str, str], *, reason: str, actor: str
) -> CityView:
    """Change the name, address or account of a city; raise RegistryMissing, RegistryInvalid.

    What changed, why and who did it is kept. The next settlement pays the new account; a payment that was
    ordered goes where it was ordered to.
    """
    with writing(city.engine) as conn:
        registry.change_city(conn, code, wanted, reason=reason[:200], actor=actor[:100], at=city.clock.now())
    return _view(city, code)


def remove_other_city(city: City, code: str, last: date | None = None) -> CityView:
    """Let a city take part for the last time on a day, 7 days from now unless given; RegistryMissing.

    What was tapped until then is still exchanged, answered and settled.
    """
    with writing(city.engine) as conn:
        registry.remove_city(conn, code, last or city.now_local().date() + NOTICE_TO_REMOVE)
    return _view(city, code)


def believe_key(city: City, code: str, pem: str) -> CityView:
    """Believe one more key of a city; raise RegistryMissing, SealKeyInvalid."""
    with writing(city.engine) as conn:
        registry.add_city_key(conn, code, pem, at=city.clock.now())
    return _view(city, code)


def agree_fee(city: City, fee: CityFee) -> CityView:
    """Agree on a fee; raise RegistryMissing, RegistryConflict."""
    with writing(city.engine) as conn:
        registry.set_city_fee(conn, fee)
    return _view(city, fee.city)


def listed_cities(city: City) -> list[CityView]:
    """List every city that takes part, did, or will, by code."""
    with reading(city.engine) as conn:
        codes = [other.code for other in registry.other_cities(conn)]
    return [_view(city, code) for code in codes]


def _view(city: City, code: str) -> CityView:
    with reading(city.engine) as conn:
        other = registry.find_city(conn, code)
        return CityView(
            city=other,
            takes_part=other.takes_part(city.now_local().date()),
            keys=tuple(key.id.rpartition("/")[2] for key in registry.city_keys(conn, code)),
            fees=tuple(registry.city_fees(conn, code)),
            changes=tuple(registry.city_history(conn, code)),
        )
