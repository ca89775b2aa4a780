import attrs
import pytest

from citycard import registry
from citycard.errors import RegistryConflict, RegistryInvalid
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard_retail.errors import ApplicationDiffers, ApplicationRefused, ApplicationUnknown, MerchantUnknown
from citycard_retail.merchants import (
    applications,
    apply,
    decide,
    find_application,
    merchant_of_terminal,
    merchants,
    tills,
)
from citycard_retail.tables import application


def known(shops):
    with reading(shops.town.city.engine) as conn:
        return {one.partner: one for one in merchants(shops.market, conn)}


def test_an_approved_merchant_is_a_partner_with_tills_and_a_tier(shops):
    shops.open("corner-kiosk", "kiosk", terminals=2, district="harbour")
    shops.open("grand-hotel", "hotel")
    shops.open("corner-kiosk", "kiosk", terminals=1, district="harbour")
    kiosk, hotel = known(shops)["corner-kiosk"], known(shops)["grand-hotel"]
    assert (kiosk.code, hotel.code) == ("990159940000001", "990170110000002")
    assert [number[4:] for number in (*kiosk.terminals, *hotel.terminals)] == [
        "20000001", "20000002", "20000004", "20000003",
    ]  # fmt: skip
    with reading(shops.town.city.engine) as conn:
        partner = registry.find_partner(conn, "corner-kiosk")
        assert merchant_of_terminal(conn, "990120000004") == "corner-kiosk"
        with pytest.raises(MerchantUnknown):
            merchant_of_terminal(conn, "990199999999")
    assert (partner.kind, partner.district, partner.bank_bic) == ("kiosk", "harbour", "CITYCNBJXXX")


def test_an_application_stands_for_one_thing_and_is_decided_once_by_somebody_else(shops):
    wish = shops.wish("corner-kiosk", "kiosk")
    made = apply(shops.market, wish, actor="Li")
    assert apply(shops.market, wish, actor="Li") == made
    for field, value in (("name", "Other"), ("contact", "Mr Zhou"), ("terminals", 3)):
        with pytest.raises(ApplicationDiffers, match=field):
            apply(shops.market, attrs.evolve(wish, **{field: value}), actor="Li")
    with pytest.raises(ApplicationRefused, match="a second person"):
        decide(shops.market, wish.id, approve=True, actor="Li")
    with pytest.raises(ApplicationRefused, match="needs a reason"):
        decide(shops.market, wish.id, approve=False, actor="Wang")
    assert known(shops) == {}
    done = decide(shops.market, wish.id, approve=False, reason="no licence", actor="Wang")
    assert decide(shops.market, wish.id, approve=False, reason="again", actor="Wang") == done
    with pytest.raises(ApplicationRefused, match="it was rejected by Wang"):
        decide(shops.market, wish.id, approve=True, actor="Zhou")
    with pytest.raises(ApplicationUnknown):
        decide(shops.market, new_id(), approve=True, actor="Wang")
    with reading(shops.town.city.engine) as conn:
        assert applications(conn, state="open") == ()
        assert find_application(conn, wish.id) == done
        kept = conn.execute(application.select()).one()
    assert "Chen" not in kept.contact
    assert shops.market.open(kept.contact) == "Mrs Chen, 13800000000"


def test_what_no_partner_may_have_is_told_when_it_is_applied_for(shops):
    for field, value in (("account_no", "12"), ("bank_bic", "x"), ("partner", "A B")):
        wish = attrs.evolve(shops.wish("kiosk-1", "kiosk"), **{field: value})
        with pytest.raises(RegistryInvalid):
            apply(shops.market, wish, actor="Li")


def test_a_partner_that_is_somebody_else_already_stays_so(shops):
    shops.town.partner("harbour-mart", kind="museum")
    wish = shops.wish("harbour-mart", "supermarket")
    apply(shops.market, wish, actor="Li")
    with pytest.raises(RegistryConflict):
        decide(shops.market, wish.id, approve=True, actor="Wang")
    assert known(shops) == {}
    with reading(shops.town.city.engine) as conn:
        assert find_application(conn, wish.id).state == "open"
    shops.open("corner-kiosk", "kiosk")
    with pytest.raises(ApplicationRefused, match="which does not change"):
        shops.open("corner-kiosk", "hotel")


def test_tills_are_told_their_tier_unless_their_merchant_is_suspended(shops):
    shops.open("corner-kiosk", "kiosk")
    shops.open("grand-hotel", "hotel")
    city = shops.town.city
    assert city.configuration().content["plugins"]["retail"]["tills"] == {
        "990120000001": {"merchant": "corner-kiosk", "tier": 2, "mcc": "5994"},
        "990120000002": {"merchant": "grand-hotel", "tier": 4, "mcc": "7011"},
    }
    with writing(city.engine) as conn:
        conn.exec_driver_sql("UPDATE partner SET status = 'suspended' WHERE id = 'grand-hotel'")
    with reading(city.engine) as conn:
        assert list(tills(shops.market, conn)) == ["990120000001"]
