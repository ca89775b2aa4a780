"""Fare rules: against prices read off the published taps, and against what no rule may ever do."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice, permutations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.clearing.pricing import PriceRequest, RuleBook
from citycard.errors import PriceUnknown
from citycard_transit.errors import NetworkInvalid, RuleInvalid
from citycard_transit.fares import fee_rules, tiered
from citycard_transit.settings import (
    BaseFare,
    Cap,
    Concession,
    Discount,
    Matrix,
    Operator,
    Product,
    Rounding,
    Tier,
    Transfer,
    TransitSettings,
)

AT = datetime(2018, 9, 1, 8, 30)

# Read off the published file by hand: price before discount, price paid, price paid after a transfer.
METRO_STANDARD = [
    (200, 190, 150), (300, 285, 245), (400, 380, 340), (500, 475, 435), (600, 570, 530), (700, 665, 625),
    (800, 760, 720), (900, 855, 815), (1000, 950, 910), (1100, 1045, 1005), (1200, 1140, 1100),
    (1300, 1235, 1195),
]  # fmt: skip
BUS_STANDARD = [
    (100, 80, 40), (200, 160, 120), (250, 200, 160), (300, 240, 200), (400, 315, 275), (500, 390, 350),
    (600, 465, 425), (700, 530, 490), (800, 595, 555), (1000, 725, 685),
]  # fmt: skip
RIDERS = {"half": ["half-price"], "free": ["free-rides"], "full": ["full-price"]}


def price(
    settings: TransitSettings,
    list_price_fen: int | None,
    *entitlements: str,
    service: str = "bus",
    **more: object,
) -> int:
    request = PriceRequest(
        service=service, at=AT, list_price_fen=list_price_fen, entitlements=frozenset(entitlements), **more
    )
    return RuleBook(fee_rules(settings)).quote(request).amount_fen


@pytest.mark.parametrize(("service", "table"), [("metro", METRO_STANDARD), ("bus", BUS_STANDARD)])
def test_standard_riders_pay_what_the_published_taps_show(
    shenzhen: TransitSettings, service: str, table: list[tuple[int, int, int]]
) -> None:
    computed = [
        (
            listed,
            price(shenzhen, listed, service=service),
            price(shenzhen, listed, service=service, transfer=True),
        )
        for listed, _, _ in table
    ]
    assert computed == table


@pytest.mark.parametrize("service", ["metro", "bus"])
@pytest.mark.parametrize(
    ("rider", "paid"), [("half", [75, 125, 350]), ("free", [0, 0, 0]), ("full", [150, 250, 700])]
)
def test_riders_with_a_concession_get_no_further_discount_and_no_transfer(
    shenzhen: TransitSettings, service: str, rider: str, paid: list[int]
) -> None:
    for transfer in (False, True):
        computed = [
            price(shenzhen, listed, *RIDERS[rider], service=service, transfer=transfer)
            for listed in (150, 250, 700)
        ]
        assert computed == paid


@given(
    listed=st.integers(0, 100_000),
    service=st.sampled_from(["metro", "bus"]),
    rider=st.sampled_from([[], *RIDERS.values()]),
)
def test_a_price_is_never_negative_never_above_the_base_and_never_raised_by_a_transfer(
    shenzhen: TransitSettings, listed: int, service: str, rider: list[str]
) -> None:
    alone = price(shenzhen, listed, *rider, service=service)
    connected = price(shenzhen, listed, *rider, service=service, transfer=True)
    assert 0 <= connected <= alone <= listed


tiers_of = st.lists(st.tuples(st.integers(1, 2000), st.integers(0, 100)), max_size=4).map(
    lambda pairs: tuple(
        Tier(above_fen=above, percent=percent) for above, percent in [(0, 90), *sorted(dict(pairs).items())]
    )
)


@given(tiers=tiers_of, amount_fen=st.integers(0, 5000))
def test_tiers_are_marginal_like_a_tax(tiers: tuple[Tier, ...], amount_fen: int) -> None:
    # The model goes through the price fen by fen and asks which tier each one is in.
    hundredths = sum(
        [tier.percent for tier in tiers if tier.above_fen <= fen][-1] for fen in range(amount_fen)
    )
    assert tiered(Discount(name="d", tiers=tiers), amount_fen) == (2 * hundredths + 100) // 200


def test_the_order_in_which_rules_are_written_never_changes_a_price(haibin: TransitSettings) -> None:
    rules = list(fee_rules(haibin))
    request = PriceRequest(service="metro", at=AT, facts={"origin": "101", "place": "310"}, transfer=True)
    books = [RuleBook(order) for order in islice(permutations(rules), 0, 5_000, 100)]
    # 8.00: 4.00 at 95 % and 4.00 at 85 % are 7.20, less 0.80 for the transfer.
    assert {book.quote(request).amount_fen for book in books} == {640}


def test_a_matrix_gives_the_same_price_in_both_directions_and_the_highest_without_an_entry(
    haibin: TransitSettings,
) -> None:
    def ride(origin: str, place: str) -> int:
        facts = {"origin": origin, "place": place}
        return price(haibin, None, "full-price", service="metro", facts=facts)

    assert (ride("106", "105"), ride("105", "106")) == (300, 300)
    assert (ride("101", "310"), ride("", "106")) == (800, 800)


def test_a_place_outside_every_zone_has_no_price(haibin: TransitSettings) -> None:
    with pytest.raises(PriceUnknown):
        price(haibin, None, service="metro", facts={"origin": "106", "place": "999"})


def test_a_flat_fare_may_differ_by_line(haibin: TransitSettings) -> None:
    fares = [price(haibin, None, "full-price", facts={"place": line}) for line in ("901", "903")]
    assert fares == [300, 200]


def test_a_transfer_counts_from_the_entry_and_ends_with_its_window(haibin: TransitSettings) -> None:
    def ride(minutes: int) -> int:
        facts = {"origin": "106", "place": "105", "previous_at": AT - timedelta(minutes=minutes)}
        return price(haibin, None, service="metro", facts=facts, transfer=True)

    assert [ride(minutes) for minutes in (0, 60, 61, -1)] == [200, 200, 280, 280]


def test_a_day_is_capped_by_what_was_spent_before(haibin: TransitSettings) -> None:
    def ride(spent_fen: int) -> int:
        return price(
            haibin, None, "full-price", facts={"place": "901"}, history={"spent_today_fen": spent_fen}
        )

    assert [ride(spent) for spent in (0, 1200, 1350, 1500, 9000)] == [300, 300, 150, 0, 0]


def test_rules_can_be_kept_to_some_operators() -> None:
    settings = TransitSettings(
        bases=(BaseFare(name="gate", source="gate"),),
        concessions=(Concession(name="ours", percent=50, operators=("ours",)),),
        operators=(Operator(id="ours", name="Ours", number=1),),
    )
    assert [price(settings, 300, facts={"operator": partner}) for partner in ("ours", "theirs")] == [150, 300]


def test_the_lowest_of_two_concessions_wins_and_the_other_is_named() -> None:
    settings = TransitSettings(
        products=(Product(name="p", title="p", entitlements=("a", "b")),),
        bases=(BaseFare(name="gate", source="gate"),),
        concessions=(
            Concession(name="a", percent=50, only_for=("a",)),
            Concession(name="b", percent=30, only_for=("b",)),
        ),
    )
    request = PriceRequest(service="bus", at=AT, list_price_fen=200, entitlements=frozenset({"a", "b"}))
    quote = RuleBook(fee_rules(settings)).quote(request)
    assert (quote.amount_fen, quote.steps[-1].rule, quote.steps[-1].overruled) == (60, "b", ("a",))


def test_rounding_goes_down() -> None:
    settings = TransitSettings(
        bases=(BaseFare(name="gate", source="gate"),), roundings=(Rounding(name="jiao", to_fen=10),)
    )
    assert [price(settings, listed) for listed in (200, 205, 209)] == [200, 200, 200]


def test_a_rule_has_another_version_when_it_answers_differently(haibin: TransitSettings) -> None:
    dearer = attrs.evolve(haibin.matrices[0], unknown_fen=900)
    changed = attrs.evolve(haibin, matrices=(dearer,))
    assert RuleBook(fee_rules(haibin)).version == RuleBook(fee_rules(haibin)).version
    assert RuleBook(fee_rules(haibin)).version != RuleBook(fee_rules(changed)).version


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: BaseFare(name="b", source="flat"), 'source "flat" needs flat_fen'),
        (lambda: BaseFare(name="b", source="gate", flat_fen=1), '"gate" neither'),
        (lambda: Discount(name="d", tiers=(Tier(above_fen=1, percent=1),)), "tiers begin at above_fen = 0"),
        (
            lambda: Matrix(name="m", prices_fen={"a": {"b": 1}, "b": {"a": 2}}),
            "negative, or differs by direction",
        ),
        (
            lambda: TransitSettings(
                transfers=(Transfer(name="t", off_fen=1),), caps=(Cap(name="t", day_fen=1),)
            ),
            "this rule is declared twice",
        ),
    ],
)
def test_a_rule_that_contradicts_itself_is_refused(make: object, words: str) -> None:
    with pytest.raises(RuleInvalid) as refused:
        make()
    assert words in str(refused.value)


def test_a_rule_for_an_entitlement_nobody_has_is_refused() -> None:
    with pytest.raises(NetworkInvalid, match="'studnet' is not declared"):
        TransitSettings(concessions=(Concession(name="c", percent=50, only_for=("studnet",)),))
