"""Claims between any number of cities are netted so that each window sums to zero."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from citycard.exchange.positions import Claim, Position, multilateral

DAY = dt.date(2026, 3, 2)


def claim(debtor, creditor, gross_fen, fee_fen=0, day=DAY):
    return Claim(
        window=day,
        debtor=debtor,
        creditor=creditor,
        number=1,
        gross_fen=gross_fen,
        fee_fen=fee_fen,
        settled=False,
    )


def test_three_cities_in_a_ring_owe_only_what_is_left():
    found = multilateral([claim("1", "2", 100), claim("2", "3", 80, 5), claim("3", "1", 60)])
    assert found == [
        Position(window=DAY, city="1", net_fen=-40),
        Position(window=DAY, city="2", net_fen=25),
        Position(window=DAY, city="3", net_fen=15),
    ]


claims = st.builds(
    claim,
    st.sampled_from(["1", "2", "3", "4"]),
    st.sampled_from(["5", "6", "7"]),
    st.integers(0, 10**9),
    st.just(0),
    st.sampled_from([DAY, DAY + dt.timedelta(days=1)]),
)


@given(st.lists(claims))
def test_every_window_sums_to_zero(drawn):
    sums = {}
    for position in multilateral(drawn):
        sums[position.window] = sums.get(position.window, 0) + position.net_fen
    assert set(sums.values()) <= {0}
