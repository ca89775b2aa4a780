"""What terminals must know to work offline: one document for all of them, numbered, and signed for each.

A terminal writes the number it holds into every record, so that what it knew can be looked up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, select

from citycard import registry
from citycard.city.tariffs import settings_now
from citycard.errors import Phrase, ServiceOff
from citycard.registry.tables import plugin_settings, terminal_configuration
from citycard.store import reading, writing
from citycard.store.bulk import insert_missing
from citycard.terminal.acceptance import ServedIssuer

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.kernel.owned import Owned
    from citycard.kernel.services import Service

__all__ = [
    "Configuration",
    "current_configuration",
    "find_configuration",
    "require_on",
    "served_issuers",
    "switched_on",
]

_DOMAIN = b"citycard terminal configuration\0"
_NUMBER_SIZE = 4
_CONFIGURATIONS = select(
    *(terminal_configuration.c[name] for name in ("number", "digest", "content", "published_at"))
)


@attrs.frozen(kw_only=True)
class Configuration:
    """A published configuration: its number, counted from 1, and the SHA-256 (hex) of its content.

    The content is plain JSON; docs/city.md names its keys.
    """

    number: int
    digest: str
    content: Mapping[str, Any]
    published_at: datetime

    @property
    def signed_bytes(self) -> bytes:
        """Give what a terminal's key signs: a fixed name, the number in 4 bytes, the digest in 32.

        The name keeps the MAC of a configuration from being taken for that of a batch.
        """
        return _DOMAIN + self.number.to_bytes(_NUMBER_SIZE, "big") + bytes.fromhex(self.digest)


def current_configuration(city: City) -> Configuration:
    """Return the configuration in force; when its content has changed, publish it under the next number."""
    settings, sections = settings_now(city)
    content = _content(city) | {"settings": settings}
    digest = hashlib.sha256(_canonical(content)).hexdigest()
    with reading(city.engine) as conn:
        latest = _latest(conn)
    if latest is not None and latest.digest == digest:
        return latest
    with writing(city.engine) as conn:
        insert_missing(conn, plugin_settings, [{"digest": settings, "sections": sections}])
        while (latest := _latest(conn)) is None or latest.digest != digest:
            row = {
                "number": latest.number + 1 if latest else 1,
                "digest": digest,
                "content": content,
                "published_at": city.clock.now(),
                "settings": settings,
            }
            # Where another process took the number a moment ago, its configuration is looked at next.
            insert_missing(conn, terminal_configuration, [row])
        return latest


def find_configuration(conn: Connection, number: int) -> Configuration | None:
    """Return the configuration of a number, such as one that stands in a record, or None."""
    return _made(conn.execute(_CONFIGURATIONS.where(terminal_configuration.c.number == number)).one_or_none())


def _latest(conn: Connection) -> Configuration | None:
    newest = _CONFIGURATIONS.order_by(terminal_configuration.c.number.desc()).limit(1)
    return _made(conn.execute(newest).one_or_none())


def _made(row: Any) -> Configuration | None:
    return Configuration(**row._mapping) if row is not None else None  # noqa: SLF001 - a Row's own way


def _canonical(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _content(city: City) -> dict[str, Any]:
    city.issuing.publish()
    with reading(city.engine) as conn:
        products = {
            product.name: {"kind": product.kind, "versions": _versions(conn, product.name)}
            for product in registry.products(conn)
        }
        blacklist = registry.blacklist_number(conn)
        cities = _cities(conn)
    content = {
        "city": city.config.city.code,
        "issuer": city.config.city.issuer,
        "cities": cities,
        "products": products,
        "rules_version": city.rules_version,
        "blacklist": blacklist,
        "amount_limit_fen": city.terms.amount_limit_fen,
        "signing_key": city.vault.public_key_pem(),
        "enabled": _enabled(city),
        "plugins": city.plugins.terminal_config(),
    }
    # As it will be read again: a mapping's keys are text, a tuple is a list.
    plain: dict[str, Any] = json.loads(json.dumps(content))
    return plain


def served_issuers(content: Mapping[str, Any]) -> tuple[ServedIssuer, ...]:
    """Read from the content of a configuration which cards of other cities are served, and when."""
    return tuple(
        ServedIssuer(
            issuer=one["issuer"],
            first=date.fromisoformat(one["from"]),
            last=None if one["to"] is None else date.fromisoformat(one["to"]),
        )
        for one in content["cities"]
    )


def switched_on(content: Mapping[str, Any], plugin: str, district: str | None, partner: str) -> bool:
    """Say whether a plugin is on for a partner's terminals, by the content of their configuration.

    The partner's own switch goes before its district's, and that before the city's.
    """
    enabled = content["enabled"]
    for scope, owner in (("partners", partner), ("districts", district or "")):
        wanted = enabled[scope].get(owner, {}).get(plugin)
        if wanted is not None:
            return bool(wanted)
    return plugin in enabled["city"]


def require_on(content: Mapping[str, Any], owned: Owned[Service], partner: registry.Partner) -> None:
    """Raise ServiceOff for a service whose plugin is off for a partner's terminals."""
    if not switched_on(content, owned.owner.plugin, partner.district, partner.id):
        raise ServiceOff(service=owned.record.name, where=Phrase("partner {id}", id=partner.id))


def _cities(conn: Connection) -> list[dict[str, Any]]:
    """Give the issuers of other cities with their days: a terminal looks at them on the day of the tap."""
    return [
        {
            "city": city.code,
            "issuer": issuer,
            "from": city.valid_from.isoformat(),
            "to": None if city.valid_to is None else city.valid_to.isoformat(),
        }
        for city in registry.other_cities(conn)
        for issuer in city.issuers
    ]


def _versions(conn: Connection, product: str) -> dict[str, Any]:
    """Give every version of a product: cards carry the one they were made with."""
    return {
        str(each.version): {key: value for key, value in json.loads(each.layout).items() if key == "places"}
        for each in registry.product_versions(conn, product)
    }


def _enabled(city: City) -> dict[str, Any]:
    """Say which plugins are on in the city, and where a district or a partner wants it otherwise."""
    enabled: dict[str, Any] = {"city": [], "districts": {}, "partners": {}}
    for report in city.plugins.reports():
        for scope in report.scopes if report.running else ():
            if scope["scope"] == "city":
                enabled["city"] += [report.name] if scope["wanted"] else []
            else:
                switches = enabled[f"{scope['scope']}s"].setdefault(scope["id"], {})
                switches[report.name] = scope["wanted"]
    return enabled
