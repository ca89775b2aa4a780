"""What plugins declare about services and who is paid, and what they are asked about debits and holders."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import attrs

from citycard.kernel.check import called, matching, words

if TYPE_CHECKING:
    from citycard.clearing.context import Share
    from citycard.clearing.pricing import PriceRequest, Quote
    from citycard.kernel.habits import Habit
    from citycard.registry.records import Partner

__all__ = [
    "CitizenLine",
    "DebitRequest",
    "Entitlement",
    "Holder",
    "Participant",
    "Refusal",
    "Service",
]

_U2 = 0xFFFF
_AMOUNT = ("amount", 4)


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


_optional_layout = matching(
    lambda value: value is None or (isinstance(value, type) and attrs.has(value)),
    "a layout class (attrs), or None",
)


def _amounts(facts: type[Any] | None) -> list[str]:
    """Name the fields of a layout that are amounts as records have them; of another class, none."""
    if facts is None or "__layout__" not in vars(facts):
        return []
    from citycard.card.codec import layout_of

    return [one.name for one in layout_of(facts).fields if (one.kind.name, one.kind.size) == _AMOUNT]


@attrs.frozen(kw_only=True)
class Service:
    """Declare what a card can pay for or be used for; ``number`` stands in its transaction records.

    ``facts`` is the layout class of the 48 bytes that a record leaves to the service (docs/card.md), None
    when it leaves them zero. ``request(record, facts)`` makes the PriceRequest that the fee rules answer;
    left out, the record's own list price stands. ``shares(record, facts, quote)`` gives the Shares (partner
    and weight) that the price is apportioned by, one without a name for the terminal's partner; left out,
    that one gets all of it.
    ``habits()`` gives the Habits of a simulated city (docs/simulate.md); left out, nobody uses it there.

    ``alike(records, facts)`` lets clearing ask once instead of a million times. It is given many records at
    once, as NumPy arrays whose fields are those of the layouts, and gives arrays with one value for each
    record: two records whose values are equal are priced and apportioned alike by ``request``, ``shares``
    and the plugin's own fee rules. Left out, every record is asked about.

    ``spent_today`` names the field of ``facts``, an ``amount()``, in which terminals write what the card paid
    before on the day for services that have one, if prices depend on it: clearing puts there what the card's
    own records say.
    """

    name: str = attrs.field(validator=words)
    number: int = attrs.field(validator=matching(_whole(1, _U2), "a number from 1 to 65535"))
    title: str = attrs.field(validator=words)
    title_zh: str = ""
    facts: type[Any] | None = attrs.field(default=None, validator=_optional_layout)
    request: Callable[[Any, Any], PriceRequest] | None = attrs.field(
        default=None, validator=attrs.validators.optional(called)
    )
    shares: Callable[[Any, Any, Quote], Iterable[Share]] | None = attrs.field(
        default=None, validator=attrs.validators.optional(called)
    )
    habits: Callable[[], Iterable[Habit]] | None = attrs.field(
        default=None, validator=attrs.validators.optional(called)
    )
    spent_today: str = attrs.field(default="")
    alike: Callable[[Any, Any], Iterable[Any]] | None = attrs.field(
        default=None, validator=attrs.validators.optional(called)
    )

    @spent_today.validator
    def _is_an_amount(self, field: attrs.Attribute[str], value: str) -> None:
        expected = f"a field of the facts of service {self.name!r} that is an amount of four bytes"
        matching(lambda name: name == "" or name in _amounts(self.facts), expected)(self, field, value)


@attrs.frozen(kw_only=True)
class Participant:
    """Declare somebody who is paid at the end of the day: the partner to be opened with this id.

    Without ``account_no`` and ``bank_bic`` nothing can be paid out yet; an operator adds them.
    """

    id: str = attrs.field(validator=words)
    name: str = attrs.field(validator=words)
    kind: str = "operator"
    account_name: str = ""
    account_no: str = ""
    bank_bic: str = ""
    district: str | None = None

    def partner(self) -> Partner:
        """Give what the registry adds."""
        from citycard.registry.records import Partner

        return Partner(**attrs.asdict(self))


@attrs.frozen(kw_only=True)
class Holder:
    """Who stands behind a card, as far as entitlements need it."""

    asn: str
    product: str = ""
    holder: str | None = None
    born: date | None = None


@attrs.frozen(kw_only=True)
class Entitlement:
    """A fact about a holder, such as ``student``, that holds until a day (included) or for ever."""

    name: str = attrs.field(validator=words)
    until: date | None = None


@attrs.frozen(kw_only=True)
class CitizenLine:
    """One thing that happened to a citizen: ``at`` the city's local time, a sentence, what it cost or gave.

    ``amount_fen`` is negative for what was paid, None where no money moved; ``path`` leads to more.
    """

    at: datetime = attrs.field(
        validator=matching(
            lambda value: isinstance(value, datetime) and value.tzinfo is None, "the city's local time"
        )
    )
    title: str = attrs.field(validator=words)
    title_zh: str = ""
    amount_fen: int | None = None
    path: str = ""


@attrs.frozen(kw_only=True)
class DebitRequest:
    """An online debit that is about to happen. ``amount_fen`` is positive, ``at`` the city's local time."""

    asn: str
    service: str
    amount_fen: int = attrs.field(validator=attrs.validators.gt(0))
    at: datetime
    partner: str = ""
    district: str = ""
    terminal: str = ""
    product: str = ""


@attrs.frozen(kw_only=True)
class Refusal:
    """A no to a debit: a stable ``code`` and a sentence for the till. The kernel adds ``plugin``."""

    code: str = attrs.field(validator=words)
    reason: str = attrs.field(validator=words)
    plugin: str = ""
