from __future__ import annotations

import datetime as dt

import attrs
import pytest

from citycard.card.files import CardIdentity, EnableFlag
from citycard.errors import CardRefused
from citycard.terminal.acceptance import Acceptance, Refusal, ServedIssuer, refuse

TODAY = dt.date(2026, 3, 2)
CARD = CardIdentity(
    issuer="01015840FFFFFFFF",
    asn="03105170070104791381",
    start=dt.date(2026, 1, 1),
    expiry=dt.date(2036, 1, 1),
    city="5840",
)
LOCAL = Acceptance(home_issuer="01015840")
ELSEWHERE = Acceptance(home_issuer="01011000")


def reason(acceptance: Acceptance, today: dt.date = TODAY, **changes: object) -> str | None:
    try:
        acceptance.check(attrs.evolve(CARD, **changes), today)
    except CardRefused as refused:
        return refused.data["reason"]
    return None


@pytest.mark.parametrize("today", [dt.date(2026, 1, 1), TODAY, dt.date(2036, 1, 1)])
def test_first_and_last_day_are_included(today: dt.date) -> None:
    assert reason(LOCAL, today) is None


@pytest.mark.parametrize(
    ("today", "expected"),
    [(dt.date(2025, 12, 31), "not-yet-valid"), (dt.date(2036, 1, 2), "expired")],
)
def test_a_card_outside_its_days_is_refused(today: dt.date, expected: str) -> None:
    assert reason(LOCAL, today) == expected


@pytest.mark.parametrize("field", ["start", "expiry"])
def test_a_card_without_days_is_refused(field: str) -> None:
    assert reason(LOCAL, **{field: None}) == "dates-missing"


@pytest.mark.parametrize(
    ("enabled", "expected"), [(EnableFlag.NOT_ENABLED, "not-enabled"), (EnableFlag.STOPPED, "stopped")]
)
def test_a_card_that_is_not_enabled_is_refused(enabled: EnableFlag, expected: str) -> None:
    assert reason(LOCAL, enabled=enabled) == expected


def test_an_application_of_another_type_is_no_purse() -> None:
    assert reason(LOCAL, has_purse=False) == "no-purse"


def test_only_interoperable_cards_of_known_kinds_are_served_away_from_home() -> None:
    assert reason(ELSEWHERE) is None
    assert reason(ELSEWHERE, interoperable=False) == "local-only"
    assert [reason(ELSEWHERE, kind=kind) for kind in (0, 5, 6, 255)] == [
        "kind-unknown",
        None,
        "kind-unknown",
        "kind-unknown",
    ]


def test_cards_of_other_cities_are_served_on_the_days_that_their_issuer_is_listed_for() -> None:
    day = dt.timedelta(days=1)

    def served(first: dt.date, last: dt.date | None, issuer: str = CARD.issuer) -> str | None:
        others = (ServedIssuer(issuer=issuer, first=first, last=last),)
        return reason(attrs.evolve(ELSEWHERE, others=others))

    assert [served(TODAY, None), served(TODAY, TODAY)] == [None, None]
    assert [served(TODAY + day, None), served(TODAY - day, TODAY - day)] == ["not-served", "not-served"]
    assert served(TODAY, None, "01019903FFFFFFFF") == "not-served"
    # The city's own cards need not be listed.
    assert reason(attrs.evolve(LOCAL, others=())) is None


def test_a_citys_own_kinds_and_local_cards_are_served_at_home() -> None:
    assert reason(LOCAL, kind=42, interoperable=False) is None


def test_a_blacklisted_card_is_refused() -> None:
    assert reason(Acceptance(blacklist={CARD.asn})) == "blacklisted"


@pytest.mark.parametrize("word", Refusal)
def test_every_reason_has_a_sentence(word: Refusal) -> None:
    assert str(refuse(word)).startswith(f"card refused ({word.value}): ")


def test_a_debit_above_the_limit_is_refused_and_one_at_it_is_not() -> None:
    limited = Acceptance(amount_limit_fen=100_000)
    limited.check_amount(100_000)
    Acceptance().check_amount(100_001)
    with pytest.raises(CardRefused, match=r"\(amount\)"):
        limited.check_amount(100_001)
