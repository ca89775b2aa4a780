"""How a price comes to be: rules in stages, each step with its reason. Values in, values out.

A rule never sees what another rule of its stage did. Every rule of a stage is shown the amount that
entered the stage, the lowest answer wins, and ties go to the earlier name: so the order in which rules
were declared, plugins were found or files were read never changes a price (docs/clearing.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import IntEnum
from typing import Any

import attrs

from citycard.errors import PriceUnknown, RuleAnswerInvalid, RuleFailed, RuleTwice

__all__ = [
    "Adjustment",
    "FeeRule",
    "PriceRequest",
    "Quote",
    "RuleBook",
    "Stage",
    "Step",
    "quote",
]


class Stage(IntEnum):
    """Say when a rule is asked; lower numbers first. The gaps leave room for a city's own stages."""

    BASE = 10
    CONCESSION = 20
    DISCOUNT = 30
    TRANSFER = 40
    CAP = 50
    ROUNDING = 60
    FEE = 70


@attrs.frozen(kw_only=True)
class PriceRequest:
    """Ask for the price of one use of one service by one card.

    ``at`` is the city's local time; ``list_price_fen`` is the price that the gate or the menu gave, if any;
    ``facts`` are the service's own fields of the record; ``history`` holds running totals that caps and
    tiers look at, such as ``{"spent_today_fen": 1200}``.
    """

    service: str
    at: datetime
    list_price_fen: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.ge(0))
    )
    entitlements: frozenset[str] = attrs.field(default=frozenset(), converter=frozenset)
    transfer: bool = False
    product: str = ""
    district: str = ""
    partner: str = ""
    facts: Mapping[str, Any] = attrs.field(factory=dict)
    history: Mapping[str, int] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Adjustment:
    """Answer a request: the amount after this rule, in fen and never negative, and why."""

    amount_fen: int
    reason: str

    def __attrs_post_init__(self) -> None:
        if type(self.amount_fen) is not int or self.amount_fen < 0:
            raise RuleAnswerInvalid(amount=self.amount_fen, reason=self.reason)


Apply = Callable[[PriceRequest, int], Adjustment | None]


@attrs.frozen(kw_only=True)
class FeeRule:
    """Declare one rule: its name, the services it prices (empty means all), its stage and its function.

    ``apply(request, amount_fen)`` answers with an Adjustment, or None when the rule has nothing to say. It
    must depend on its arguments alone. ``owner`` is filled in by the kernel; ``version`` changes whenever the
    rule would answer differently, and goes into the digest of a clearing run.
    """

    name: str = attrs.field(validator=attrs.validators.min_len(1))
    stage: Stage = attrs.field(converter=Stage)
    apply: Apply
    services: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    owner: str = ""
    version: str = "1"


@attrs.frozen(kw_only=True)
class Step:
    """Record what the winning rule of one stage did; ``overruled`` names those that answered higher."""

    rule: str
    stage: Stage
    owner: str
    before_fen: int
    after_fen: int
    reason: str
    overruled: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Quote:
    """Hold a price in fen with every step that led to it and the version of the rules that were asked."""

    amount_fen: int
    steps: tuple[Step, ...]
    rules_version: str


class RuleBook:
    """Keep a set of rules sorted and versioned, ready to price many requests.

    ``version`` is a digest over owner, name, stage, services and version of every rule. Two rules of the same
    owner and name raise RuleTwice, since then the order would decide.
    """

    __slots__ = ("_by_service", "rules", "version")

    def __init__(self, rules: Iterable[FeeRule]) -> None:
        self.rules = tuple(sorted(rules, key=_order))
        for earlier, later in zip(self.rules, self.rules[1:], strict=False):
            if _order(earlier) == _order(later):
                raise RuleTwice(rule=later.name, owner=later.owner or "the same owner")
        listing = "\n".join(
            "\x1f".join((r.owner, r.name, str(int(r.stage)), ",".join(sorted(r.services)), r.version))
            for r in self.rules
        )
        self.version = hashlib.sha256(listing.encode()).hexdigest()[:16]
        self._by_service: dict[str, tuple[tuple[Stage, tuple[FeeRule, ...]], ...]] = {}

    def stages(self, service: str) -> tuple[tuple[Stage, tuple[FeeRule, ...]], ...]:
        """List the stages of one service, lowest first, each with its rules by name."""
        found = self._by_service.get(service)
        if found is None:
            found = self._by_service[service] = self._sort_out(service)
        return found

    def _sort_out(self, service: str) -> tuple[tuple[Stage, tuple[FeeRule, ...]], ...]:
        mine = [rule for rule in self.rules if not rule.services or service in rule.services]
        stages = sorted({rule.stage for rule in mine})
        return tuple((stage, tuple(r for r in mine if r.stage is stage)) for stage in stages)

    def quote(self, request: PriceRequest) -> Quote:
        """Price one request; raise PriceUnknown when neither a rule nor the gate gives a base price."""
        amount_fen = request.list_price_fen
        steps: list[Step] = []
        for stage, rules in self.stages(request.service):
            if amount_fen is None and stage is not Stage.BASE:
                break
            step = _ask(stage, rules, request, amount_fen or 0)
            if step is not None:
                steps.append(step)
                amount_fen = step.after_fen
        if amount_fen is None:
            raise PriceUnknown(service=request.service)
        return Quote(amount_fen=amount_fen, steps=tuple(steps), rules_version=self.version)


def quote(request: PriceRequest, rules: RuleBook | Iterable[FeeRule]) -> Quote:
    """Price one request by the rules given, in whatever order they come.

    Hand in a RuleBook when there are many requests. Raise PriceUnknown when nothing gives a base price,
    RuleFailed when a rule raised, RuleAnswerInvalid when it answered with anything but fen >= 0.
    """
    book = rules if isinstance(rules, RuleBook) else RuleBook(rules)
    return book.quote(request)


def _order(rule: FeeRule) -> tuple[str, str]:
    return (rule.name, rule.owner)


def _ask(stage: Stage, rules: tuple[FeeRule, ...], request: PriceRequest, before_fen: int) -> Step | None:
    answers = [
        (answer.amount_fen, place, answer.reason)
        for place, rule in enumerate(rules)
        if (answer := _answer(rule, request, before_fen)) is not None
    ]
    if not answers:
        return None
    after_fen, place, reason = min(answers)
    winner = rules[place]
    return Step(
        rule=winner.name,
        stage=stage,
        owner=winner.owner,
        before_fen=before_fen,
        after_fen=after_fen,
        reason=reason,
        overruled=tuple(rules[other].name for _, other, _ in answers if other != place),
    )


def _answer(rule: FeeRule, request: PriceRequest, before_fen: int) -> Adjustment | None:
    try:
        answer = rule.apply(request, before_fen)
    except RuleAnswerInvalid:
        raise
    except Exception as error:  # a plugin's rule: whatever it raises must name the rule, not end the run
        raise RuleFailed(
            rule=rule.name, owner=rule.owner or "its owner", error=f"{type(error).__name__}: {error}"
        ) from error
    if answer is not None and not isinstance(answer, Adjustment):
        raise RuleAnswerInvalid(amount=answer, reason=f"rule {rule.name!r} must answer Adjustment or None")
    return answer
