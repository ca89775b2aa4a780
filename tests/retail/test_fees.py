from hypothesis import given
from hypothesis import strategies as st

from citycard_retail.fees import fee_after, fee_fen
from citycard_retail.settings import Tier

TIERS = st.builds(
    lambda bp, least, more, free, returns: Tier(
        name="any",
        number=1,
        bp=bp,
        least_fen=least,
        most_fen=least + more,
        free_up_to_fen=free,
        returns=returns,
    ),
    st.integers(0, 10_000),
    st.integers(0, 500),
    st.integers(0, 5_000),
    st.integers(0, 2_000),
    st.sampled_from(["none", "voids", "all"]),
)
SALES = st.integers(1, 1_000_000)


def test_a_fee_is_basis_points_rounded_half_up_within_the_bounds():
    tier = Tier(name="t", number=1, bp=60, least_fen=5, most_fen=100, free_up_to_fen=300)
    sales = (1, 300, 301, 1_000, 1_166, 1_167, 16_666, 500_000)
    assert [fee_fen(tier, fen) for fen in sales] == [0, 0, 5, 6, 7, 7, 100, 100]
    assert fee_fen(Tier(name="t", number=1, bp=0, least_fen=20), 7) == 7


@given(TIERS, SALES)
def test_a_fee_is_never_more_than_the_sale_and_never_below_zero(tier, amount_fen):
    assert 0 <= fee_fen(tier, amount_fen) <= amount_fen


@given(TIERS, SALES, st.lists(st.integers(1, 200_000), max_size=6), st.booleans())
def test_in_however_many_parts_a_sale_comes_back_its_fee_comes_back_as_the_tier_says(tier, sold, parts, void):
    fee, left_fen = fee_fen(tier, sold), sold
    first = fee
    for part in [*parts, sold]:
        back_fen = min(part, left_fen)
        if not back_fen:
            continue
        now = fee_after(tier, fee, left_fen, back_fen, void=void)
        assert 0 <= now <= fee
        assert fee - now <= back_fen
        fee, left_fen = now, left_fen - back_fen
    gives_back = tier.returns == "all" or (void and tier.returns == "voids")
    assert (left_fen, fee) == (0, 0 if gives_back else first)


def test_what_is_left_keeps_the_fee_of_what_is_left():
    tier = Tier(name="t", number=1, bp=60, least_fen=2)
    assert fee_after(tier, 60, 10_000, 4_000, void=False) == 36
    assert fee_after(tier, 36, 6_000, 5_999, void=False) == 1
    kept = Tier(name="t", number=1, bp=60, returns="voids")
    assert fee_after(kept, 60, 10_000, 10_000, void=False) == 60
    assert fee_after(kept, 60, 10_000, 10_000, void=True) == 0
