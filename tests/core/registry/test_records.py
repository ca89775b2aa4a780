from datetime import date, datetime
from uuid import UUID

import pytest

from citycard.errors import RegistryInvalid
from citycard.registry import Card, District, Entitlement, Holder, Partner, Place, Product, Terminal

DAY = date(2018, 9, 1)
CARD = {
    "asn": "0" * 20,
    "issuer": "5840000100000000",
    "product": "adult",
    "kind": 1,
    "issued_on": DAY,
    "expires_on": DAY,
}


@pytest.mark.parametrize(
    ("kind", "good", "field", "value", "said"),
    [
        (
            District,
            {"id": "futian", "name": "Futian"},
            "id",
            "Fu Tian",
            "district 'Fu Tian': id is 'Fu Tian'",
        ),
        (District, {"id": "futian", "name": "Futian"}, "name", " ", "district 'futian': name is ' '"),
        (Partner, {"id": "m1", "name": "M"}, "bank_bic", "abc", "partner 'm1': bank_bic is 'abc'"),
        (Partner, {"id": "m1", "name": "M"}, "account_no", "1 2", "partner 'm1': account_no is '1 2'"),
        (Partner, {"id": "m1", "name": "M"}, "district", "", "partner 'm1': district is ''"),
        (Place, {"code": 1, "name": "P"}, "code", 0, "place '0': code is 0: expected a number from 1"),
        (
            Terminal,
            {"number": "1" * 12, "partner": "m1", "opened_on": DAY},
            "number",
            "12",
            "terminal '12': number is '12': expected 12 decimal digits, not beginning with 8 zeros",
        ),
        (Terminal, {"number": "1" * 12, "partner": "m1"}, "opened_on", "2018-09-01", "expected a day"),
        (Product, {"name": "adult", "title": "Adult"}, "kind", 256, "product 'adult': kind is 256"),
        (Card, CARD, "asn", "123", "card '123': asn is '123': expected 20 decimal digits"),
        (Card, CARD, "issuer", "58", "expected 16 upper-case hexadecimal digits"),
        (Card, CARD, "expires_on", date(2017, 1, 1), "expected a day not before 2018-09-01"),
        (Card, CARD, "issued_on", datetime(2018, 9, 1), "issued_on is"),
    ],
)
def test_a_wrong_field_is_named_with_its_record(kind, good, field, value, said):
    with pytest.raises(RegistryInvalid) as caught:
        kind(**good | {field: value})
    assert said in str(caught.value)


def test_an_entitlement_belongs_to_a_card_or_to_a_holder():
    base = {"name": "student", "source": "school", "starts_on": DAY}
    assert Entitlement(**base, asn="0" * 20).holder is None
    for more in ({}, {"asn": "0" * 20, "holder": UUID(int=1)}):
        with pytest.raises(RegistryInvalid, match="either a card or a holder"):
            Entitlement(**base, **more)


def test_an_entitlement_does_not_end_before_it_starts():
    with pytest.raises(RegistryInvalid, match="ends_on is"):
        Entitlement(name="student", source="school", starts_on=DAY, ends_on=date(2018, 8, 31), asn="0" * 20)


def test_a_holder_does_not_show_in_a_log():
    assert "Wang" not in repr(Holder(id=UUID(int=1), name="Wang Wei", id_number="440301"))
