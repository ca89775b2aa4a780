"""What a card paid before on its day is added up from its own records, and no terminal is believed."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.clearing.columns import digits
from citycard.clearing.context import Rating
from citycard.clearing.explanation import explain
from citycard.clearing.intake import receive
from citycard.clearing.pricing import Adjustment, FeeRule, PriceRequest, Stage, quote
from citycard.clearing.queries import card_taps
from citycard.clearing.run import clear

AT = datetime.fromisoformat("2018-09-01T07:00")
EARLIER = AT - timedelta(days=7)
GATE = "344000000001"
CAP_FEN, RIDE_FEN = 500, 200
SHOP, NOBODYS = 7, 9


def cap(request, amount_fen):
    left_fen = max(0, CAP_FEN - request.history["spent"])
    return Adjustment(amount_fen=left_fen, reason="cap") if amount_fen > left_fen else None


RULES = [FeeRule(name="cap", stage=Stage.CAP, apply=cap)]


@pytest.fixture
def capped(town):
    return with_cap(town)


def with_cap(town):
    """Let terminals write into the first four bytes of the facts what a card paid on the day."""

    def rate(record):
        spent_fen = int.from_bytes(record.facts[:4])
        request = PriceRequest(
            service="ride", at=record.at, list_price_fen=record.list_price_fen, history={"spent": spent_fen}
        )
        return Rating(quote=quote(request, RULES))

    def claimed_fen(service, records):
        if service == SHOP:
            return None
        facts = np.ascontiguousarray(digits(records, "facts")[:, :4])
        return facts.view(">u4")[:, 0].astype(np.int64)

    def with_claims(_service, records, spent_fen):
        told = records.copy()
        told["facts"][:, :4] = spent_fen.astype(">u4").view("u1").reshape(-1, 4)
        return told

    def of_day(service):
        return None if service == NOBODYS else service != SHOP

    town.rate, town.claimed_fen, town.with_claims, town.of_day = rate, claimed_fen, with_claims, of_day
    return town


@pytest.fixture
def card(capped):
    (card,) = capped.issue(1)
    capped.load(card, 10_000)
    return card


def ride(town, card, paid_fen, claimed_fen, at, *, keep=True, **changes):
    facts = claimed_fen.to_bytes(4) + bytes(44)
    return town.tap(card, paid_fen, at, list_price_fen=RIDE_FEN, facts=facts, keep=keep, **changes)


def cleared(town):
    receive(town, [town.batch()])
    clear(town)


def told(town, card):
    taps = sorted(card_taps(town, card.asn), key=lambda one: one.counter)
    return [(tap.code, tap.price_fen) for tap in taps]


@pytest.mark.parametrize("runs", [1, 4])
def test_a_terminal_that_tells_nothing_of_the_day_charges_too_much_in_whichever_run(capped, card, runs):
    for turn in range(4):
        ride(capped, card, RIDE_FEN, 0, AT + timedelta(hours=turn))
        if runs > 1:
            cleared(capped)
    if runs == 1:
        cleared(capped)
    assert told(capped, card) == [("OK", 200), ("OK", 200), ("P01", 100), ("P01", 0)]


def test_a_terminal_that_claims_more_than_was_paid_charges_too_little(capped, card):
    ride(capped, card, 0, 500, AT)
    cleared(capped)
    assert told(capped, card) == [("P01", 200)]


def test_what_was_bought_of_a_service_that_asks_for_no_day_is_no_part_of_it(capped, card):
    ride(capped, card, 200, 0, AT)
    capped.tap(card, 900, AT + timedelta(hours=1), service=SHOP, list_price_fen=900)
    ride(capped, card, 200, 200, AT + timedelta(hours=2))
    cleared(capped)
    capped.tap(card, 900, AT + timedelta(hours=3), service=SHOP, list_price_fen=900)
    ride(capped, card, 100, 400, AT + timedelta(hours=4))
    cleared(capped)
    assert [price_fen for _, price_fen in told(capped, card)] == [200, 500, 200, 500, 100]


def test_where_nobody_knows_whether_a_debit_counts_a_terminal_that_says_so_is_believed(capped, card):
    ride(capped, card, 200, 0, AT)
    ride(capped, card, 200, 200, AT + timedelta(hours=1), service=NOBODYS)
    ride(capped, card, 100, 400, AT + timedelta(hours=2))
    ride(capped, card, 200, 300, AT + timedelta(hours=3))
    cleared(capped)
    assert [price_fen for _, price_fen in told(capped, card)] == [200, 200, 100, 200]


def test_what_honest_terminals_charge_is_in_order_and_the_next_day_begins_anew(capped, card):
    rides = ((200, 0, 0), (200, 200, 1), (100, 400, 2), (0, 500, 3), (200, 0, 24))
    for paid_fen, claimed_fen, hours in rides:
        ride(capped, card, paid_fen, claimed_fen, AT + timedelta(hours=hours))
    cleared(capped)
    assert [code for code, _ in told(capped, card)] == ["OK"] * 5


def test_while_a_debit_is_missing_a_terminal_that_saw_more_on_the_card_is_believed(capped, card):
    ride(capped, card, 200, 0, AT)
    late = ride(capped, card, 200, 200, AT + timedelta(hours=1), keep=False)
    ride(capped, card, 100, 400, AT + timedelta(hours=2))
    cleared(capped)
    assert told(capped, card) == [("OK", 200), ("C01", 100)]
    capped.terminals[GATE].records.append(late)
    cleared(capped)
    assert told(capped, card)[1] == ("L01", 200)


def test_while_a_debit_is_missing_no_less_than_what_is_known_is_believed(capped, card):
    ride(capped, card, 200, 0, AT)
    ride(capped, card, 200, 0, AT, keep=False)
    ride(capped, card, 200, 0, AT + timedelta(hours=1))
    ride(capped, card, 200, 0, AT + timedelta(hours=2))
    cleared(capped)
    assert told(capped, card) == [("OK", 200), ("C01", 200), ("P01", 100)]


def test_a_debit_that_is_lost_leaves_its_own_day_unknown_and_no_other(capped, card):
    ride(capped, card, 200, 0, EARLIER)
    ride(capped, card, 200, 0, EARLIER, keep=False)
    ride(capped, card, 0, 500, EARLIER + timedelta(hours=1))
    cleared(capped)
    for day in (1, 2):
        ride(capped, card, 200, 0, EARLIER + timedelta(days=day))
        cleared(capped)
        # Nothing is missing since yesterday, so the terminal that claims too much is not believed.
        ride(capped, card, 0, 500, EARLIER + timedelta(days=day, hours=1))
        cleared(capped)
    assert [code for code, _ in told(capped, card)] == ["OK", "C01", "OK", "P01", "OK", "P01"]


def test_of_a_card_that_was_followed_before_days_were_its_first_day_alone_is_unknown(capped, card):
    ride(capped, card, 200, 0, EARLIER)
    cleared(capped)
    for path in (capped.folder / "cards").rglob("*.parquet"):
        table = pq.read_table(pa.BufferReader(path.read_bytes()))
        pq.write_table(table.drop_columns(["spent_day", "spent_today_fen", "day_whole"]), path)
    for hours in (1, 24, 25):
        ride(capped, card, 0, 500, EARLIER + timedelta(hours=hours))
        cleared(capped)
    assert [code for code, _ in told(capped, card)] == ["OK", "OK", "P01", "P01"]


@pytest.mark.parametrize("again", [False, True])
def test_what_comes_late_or_twice_takes_nothing_from_what_is_known_of_today(capped, card, again):
    yesterday = ride(capped, card, 200, 0, AT - timedelta(days=1), keep=again)
    for hours, paid_fen, claimed_fen in ((0, 200, 0), (1, 200, 200), (2, 100, 400)):
        ride(capped, card, paid_fen, claimed_fen, AT + timedelta(hours=hours))
    cleared(capped)
    capped.terminals[GATE].records.append(yesterday)
    # The terminal tells nothing of the 500 fen of today: by the cap this ride is free.
    ride(capped, card, 200, 0, AT + timedelta(hours=3))
    cleared(capped)
    assert told(capped, card)[-1] == ("P01", 0)


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(st.integers(-1, 20), st.sampled_from([0, 300, 500]), st.booleans(), st.booleans()),
        max_size=8,
    )
)
def test_how_runs_are_cut_changes_no_price(towns_of, story):
    """A story has rides: hours since the one before, what is claimed, is it lost, does a run end."""
    found = []
    for cut in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            town = with_cap(towns_of(Path(folder)))
            (card,) = town.issue(1)
            town.load(card, 10_000)
            at = EARLIER
            for hours, claimed_fen, lost, ends in story:
                at += timedelta(hours=hours)
                ride(town, card, 100, claimed_fen, at, keep=not lost)
                if cut and ends:
                    cleared(town)
            cleared(town)
            found.append(told(town, card))
            town.engine.dispose()
    assert found[0] == found[1]


def test_a_clock_that_goes_back_makes_the_day_unknown(capped, card):
    ride(capped, card, 200, 0, AT)
    ride(capped, card, 200, 0, AT - timedelta(days=1))
    ride(capped, card, 0, 500, AT + timedelta(hours=1))
    cleared(capped)
    assert [code for code, _ in told(capped, card)] == ["OK"] * 3


def test_the_explanation_shows_the_price_of_the_run_and_its_reason(capped, card):
    for hours in range(3):
        ride(capped, card, RIDE_FEN, 0, AT + timedelta(hours=hours))
    cleared(capped)
    price = explain(capped, f"{GATE}-1-3").price
    assert (price.amount_fen, [step.reason for step in price.steps]) == (100, ["cap"])


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("D03", {"terminal_serial": 1}),
        ("R05", {"balance_after_fen": 9_599}),
        ("R06", {"tti": 7}),
        ("R07", {"algorithm": 9}),
    ],
)
def test_the_explanation_leaves_out_what_the_run_did_not_count(capped, card, code, changes):
    ride(capped, card, RIDE_FEN, 0, AT)
    ride(capped, card, RIDE_FEN, 0, AT + timedelta(hours=1))
    before = card.counter, card.balance_fen
    ride(capped, card, RIDE_FEN, 0, AT + timedelta(hours=2), **changes)
    card.counter, card.balance_fen = before[0] + 1, before[1]
    ride(capped, card, RIDE_FEN, 0, AT + timedelta(hours=3))
    cleared(capped)
    assert [one for one, _ in told(capped, card)][2] == code
    price = explain(capped, f"{GATE}-1-4").price
    assert (price.amount_fen, [step.reason for step in price.steps]) == (100, ["cap"])
