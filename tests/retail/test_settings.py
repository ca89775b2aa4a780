import pytest

from citycard_retail.errors import RetailValueInvalid, TierUnknown
from citycard_retail.settings import Category, Reduction, RetailSettings, Tier

TIER = Tier(name="t", number=1, bp=60)
SHOP = Category(name="shop", title="Shop", mcc="5399", tiers=("t",))


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"tiers": (TIER, Tier(name="u", number=1, bp=1))}, "tiers: number is '1'"),
        ({"tiers": (TIER, Tier(name="t", number=2, bp=1))}, "tiers: name is 't'"),
        ({"categories": (SHOP, SHOP)}, "categories: name is 'shop'"),
        ({"categories": (Category(name="x", title="X", mcc="1000", tiers=("no",)),)}, "tiers is 'no'"),
        ({"reductions": (Reduction(name="r", percent=5),)}, "card_kinds or only_for"),
        ({"reductions": (Reduction(name="r", percent=5, card_kinds=(1,), categories=("zoo",)),)}, "'zoo'"),
        ({"shopping": {"zoo": "zoo"}}, "shopping is 'zoo'"),
    ],
)
def test_settings_that_contradict_themselves_are_told_by_field(wrong, told):
    with pytest.raises(RetailValueInvalid, match=told):
        RetailSettings(**({"tiers": (TIER,), "categories": (SHOP,)} | wrong))


def test_a_tier_is_at_least_not_more_than_at_most():
    with pytest.raises(RetailValueInvalid, match="most_fen"):
        Tier(name="t", number=1, bp=1, least_fen=10, most_fen=9)


def test_a_category_has_its_tiers_and_no_others():
    settings = RetailSettings()
    assert settings.tier("supermarket").name == "small"
    assert settings.tier("supermarket", "standard").bp == 60
    with pytest.raises(TierUnknown, match="may have catering"):
        settings.tier("restaurant", "small")
    with pytest.raises(RetailValueInvalid, match="category"):
        settings.tier("zoo")
    with pytest.raises(RetailValueInvalid, match="tier"):
        settings.tier_named("gone")
