"""What a card entitles to: the product, the registry's word on card and holder, and the plugins'."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import pytest

from citycard import registry
from citycard.city import Right
from citycard.errors import RegistryMissing
from citycard.store import writing

ASN = "01019901000000000001"
HOLDER = UUID(int=7)
AT = datetime(2018, 9, 1, 8, 30)


@pytest.fixture
def card(city):
    issued = city.issuing.card(ASN, "yard-pass", AT.date())
    with writing(city.engine) as conn:
        registry.add_cards(conn, [issued])
    return issued


def grant(city, name, *, starts=date(2018, 1, 1), ends=None, **whose):
    with writing(city.engine) as conn:
        right = registry.Entitlement(name=name, source="town-hall", starts_on=starts, ends_on=ends, **whose)
        registry.add_entitlements(conn, [right])


def test_product_and_plugins_say_what_a_card_entitles_to(city, card):
    assert city.entitlements(ASN, AT) == (
        Right(name="cyclist", source="product"),
        Right(name="early-bird", source="plugin yard", until=date(2018, 12, 31)),
    )


def test_the_registry_adds_what_holds_on_that_day(city, card):
    grant(city, "student", ends=date(2018, 9, 1), asn=ASN)
    grant(city, "pupil", ends=date(2018, 8, 31), asn=ASN)
    grant(city, "pensioner", starts=date(2018, 9, 2), asn=ASN)

    named = {right.name: right for right in city.entitlements(ASN, AT)}

    assert sorted(named) == ["cyclist", "early-bird", "student"]
    assert (named["student"].source, named["student"].until) == ("town-hall", date(2018, 9, 1))


def test_a_holders_rights_are_those_of_each_card(city, card):
    person = registry.Holder(id=HOLDER, name="王伟", id_number="440301199001011234")
    with writing(city.engine) as conn:
        registry.add_holders(conn, [person], sealer=registry.AesGcmSealer(bytes(32)))
        registry.assign_card(conn, ASN, HOLDER)
    grant(city, "resident", holder=HOLDER)

    assert "resident" in {right.name for right in city.entitlements(ASN, AT)}


def test_a_plugin_that_raises_vouches_for_nothing(city, card):
    city.plugins.enable("loud", by="a test")

    assert len(city.entitlements(ASN, AT)) == 2
    assert city.plugins.report("loud").failures == 1


def test_a_card_that_never_was_is_told(city):
    with pytest.raises(RegistryMissing, match=ASN):
        city.entitlements(ASN, AT)
