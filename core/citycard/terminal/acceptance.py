"""Which cards a terminal serves, and the words for why not (JT/T 978, JT/T 1356; docs/terminal.md)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container
from enum import StrEnum

import attrs

from citycard.card.files import CardIdentity, CardKind, EnableFlag
from citycard.errors import CardRefused

__all__ = ["Acceptance", "Refusal", "ServedIssuer", "refuse"]

_KINDS = frozenset(int(kind) for kind in CardKind)


class Refusal(StrEnum):
    """Why a terminal does not serve a card."""

    NO_PURSE = "no-purse"
    OTHER_MAKE = "other-make"
    UNREADABLE = "unreadable"
    NOT_ENABLED = "not-enabled"
    STOPPED = "stopped"
    DATES_MISSING = "dates-missing"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    BLACKLISTED = "blacklisted"
    LOCAL_ONLY = "local-only"
    NOT_SERVED = "not-served"
    KIND_UNKNOWN = "kind-unknown"
    AMOUNT = "amount"
    FUNDS = "funds"
    KEY = "key"
    BLOCKED = "blocked"
    LOCKED = "locked"
    CARD_BLOCKED = "card-blocked"
    CLONED = "cloned"
    UNFINISHED = "unfinished"
    GREY_LOCKED = "grey-locked"
    NOT_GENUINE = "not-genuine"

    @property
    def explanation(self) -> str:
        """Return the words for the holder; the core's catalogue has them in Chinese (docs/terminal.md)."""
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    Refusal.NO_PURSE: "there is no transit purse on it",
    Refusal.OTHER_MAKE: "it is a city card of another make, which this terminal does not serve",
    Refusal.UNREADABLE: "its data cannot be read",
    Refusal.NOT_ENABLED: "it was not enabled yet; enable it at a service point",
    Refusal.STOPPED: "its purse was stopped by the issuer",
    Refusal.DATES_MISSING: "it carries no first or last day",
    Refusal.NOT_YET_VALID: "its first day has not come",
    Refusal.EXPIRED: "its last day has passed; renew it at a service point",
    Refusal.BLACKLISTED: "it was reported lost or misused",
    Refusal.LOCAL_ONLY: "it is valid only in the city that issued it",
    Refusal.NOT_SERVED: "this city does not serve cards of the city that issued it",
    Refusal.KIND_UNKNOWN: "this city does not know cards of its kind",
    Refusal.AMOUNT: "the amount is above what may be taken from a card at once; take it in parts",
    Refusal.FUNDS: "its balance is too small; load the purse",
    Refusal.KEY: "its keys are of a version this terminal does not have",
    Refusal.BLOCKED: "its application is blocked; a service point can open it again",
    Refusal.LOCKED: "its application is locked for good; have it replaced at a service point",
    Refusal.CARD_BLOCKED: "the whole card is blocked for good; have it replaced at a service point",
    Refusal.CLONED: "its counter went back, so there is a copy of it; hand it to the staff",
    Refusal.UNFINISHED: "it was never finished by its issuer; return it to where it came from",
    Refusal.GREY_LOCKED: "it is locked for a filling that was not finished; unlock it at a filling station",
    Refusal.NOT_GENUINE: "its answer does not carry a valid MAC",
}


def refuse(reason: Refusal) -> CardRefused:
    """Make the error for a refusal."""
    return CardRefused(reason=reason.value, explanation=reason.explanation)


@attrs.frozen(kw_only=True)
class ServedIssuer:
    """The issuer id of another city's cards, and from when until when they are served, both days included."""

    issuer: str
    first: dt.date
    last: dt.date | None = None

    def serves(self, issuer: str, today: dt.date) -> bool:
        """Say whether a card of an issuer is served on a day because of this one."""
        return issuer == self.issuer and self.first <= today and (self.last is None or today <= self.last)


@attrs.frozen(kw_only=True)
class Acceptance:
    """The rules a terminal applies to a card before it touches the purse.

    ``home_issuer`` is how the issuer id of the city's own cards begins (hexadecimal); empty takes every card
    for one of the city's own. ``others`` are the issuers of other cities whose cards are served as well; None
    serves every interoperable card. ``blacklist`` holds card numbers of 20 digits, ``blacklist_number`` is
    its version. ``amount_limit_fen`` bounds one debit, as clearing does (``[clearing]`` of city.toml); None
    is no bound. ``reads_log``: also refuse a card whose log is ahead of its counter, for one more command a
    tap.
    """

    home_issuer: str = ""
    others: tuple[ServedIssuer, ...] | None = None
    blacklist: Container[str] = frozenset()
    blacklist_number: int = 0
    amount_limit_fen: int | None = None
    reads_log: bool = False

    def check(self, card: CardIdentity, today: dt.date) -> None:
        """Check enabled, dates, home or roaming and blacklist, in this order; CardRefused says why."""
        if not card.has_purse:
            raise refuse(Refusal.NO_PURSE)
        if card.enabled is not EnableFlag.ENABLED:
            stopped = card.enabled is EnableFlag.STOPPED
            raise refuse(Refusal.STOPPED if stopped else Refusal.NOT_ENABLED)
        if card.start is None or card.expiry is None:
            raise refuse(Refusal.DATES_MISSING)
        if today < card.start:
            raise refuse(Refusal.NOT_YET_VALID)
        if today > card.expiry:
            raise refuse(Refusal.EXPIRED)
        if not card.issuer.startswith(self.home_issuer):
            self._check_guest(card, today)
        if card.asn in self.blacklist:
            raise refuse(Refusal.BLACKLISTED)

    def _check_guest(self, card: CardIdentity, today: dt.date) -> None:
        if not card.interoperable:
            raise refuse(Refusal.LOCAL_ONLY)
        if self.others is not None and not any(one.serves(card.issuer, today) for one in self.others):
            raise refuse(Refusal.NOT_SERVED)
        if card.kind not in _KINDS:
            raise refuse(Refusal.KIND_UNKNOWN)

    def check_amount(self, amount_fen: int) -> None:
        """Refuse a debit that clearing would reject for its amount, before the card is asked for it."""
        if self.amount_limit_fen is not None and amount_fen > self.amount_limit_fen:
            raise refuse(Refusal.AMOUNT)
