"""Transit's endpoints: what a ride costs and why, which lines there are, and the rules in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from citycard_transit.explain import explained, facts_of, product_kind
from citycard_transit.rulewords import riders, scopes_of, wording
from citycard_transit.services import Fares
from citycard_transit.settings import SERVICE_NAMES

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = ["FareQuery", "FareRule", "Rules", "TransitLine"]

_MOST_FEN = 10_000_000


def _whole(most: int) -> int:
    field: int = attrs.field(
        default=0, metadata={"expected": f"a whole number up to {most}", "range": (0, most)}
    )
    return field


@attrs.frozen(kw_only=True)
class FareQuery:
    """A ride somebody asks the price of. ``minutes_after`` is how long ago the ride before was; 0 is none."""

    service: str = "bus"
    product: str = ""
    list_price_fen: int = _whole(_MOST_FEN)
    place: int = _whole(0xFFFFFFFF)
    origin: int = _whole(0xFFFFFFFF)
    minutes_after: int = _whole(1440)
    spent_today_fen: int = _whole(_MOST_FEN)


@attrs.frozen(kw_only=True)
class TransitLine:
    """A line with its places, by number and name."""

    line: str
    places: Mapping[str, str]


@attrs.frozen(kw_only=True)
class FareRule:
    """A fare rule in force: when it speaks, for which rides, and what it does, in words and in Chinese."""

    stage: str
    name: str
    services: Sequence[str]
    words: str
    words_zh: str
    riders: str
    operators: Sequence[str]
    version: str


@attrs.frozen(kw_only=True)
class Rules:
    """The fare rules in force: their version, and each with its stage and services."""

    version: str
    rules: Sequence[FareRule]


async def fare(fares: Fares, request: Request) -> Response:
    from citycard.errors import Phrase, QueryInvalid
    from citycard.web import city_of, json_answer, read_query

    query: FareQuery = read_query(request, FareQuery)
    if query.service not in SERVICE_NAMES:
        expected = Phrase("one of {known}", known=", ".join(SERVICE_NAMES))
        raise QueryInvalid(field="service", text=query.service, expected=expected)
    kind = product_kind(fares.settings, query.product or None)
    at = city_of(request).now_local()
    after = query.minutes_after or None
    asked = fares.request(
        query.service,
        at=at,
        card_kind=kind,
        facts=facts_of(
            at=at,
            place=query.place,
            origin=query.origin,
            minutes_after=after,
            spent_today_fen=query.spent_today_fen,
        ),
        list_price_fen=query.list_price_fen,
        transfer=after is not None,
    )
    quote = fares.quote(asked)
    return json_answer(
        explained(fares, quote, service=query.service, transfer=asked.transfer, card_kind=kind)
    )


def lines(request: Request) -> Response:
    """Answer with every line; a plain function, since it reads the database."""
    from citycard import registry
    from citycard.store import reading
    from citycard.web import city_of, json_answer

    with reading(city_of(request).engine) as conn:
        places = registry.places(conn)
    lines: dict[str, dict[str, str]] = {}
    for place in places:
        lines.setdefault(place.line, {})[str(place.code)] = place.name
    return json_answer([TransitLine(line=line, places=found) for line, found in sorted(lines.items())])


async def rules(fares: Fares, _: Request) -> Response:
    from citycard.web import json_answer

    scopes = scopes_of(fares.settings)
    listed = [
        FareRule(
            stage=rule.stage.name.lower(),
            name=rule.name,
            services=tuple(sorted(rule.services)),
            words=wording(scopes[rule.name])[0],
            words_zh=wording(scopes[rule.name])[1],
            riders=riders(scopes[rule.name]),
            operators=scopes[rule.name].operators,
            version=rule.version,
        )
        for rule in sorted(fares.book.rules, key=lambda rule: (rule.stage, rule.name))
    ]
    return json_answer(Rules(version=fares.book.version, rules=listed))
