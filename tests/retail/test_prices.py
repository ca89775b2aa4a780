from datetime import datetime

import attrs
import pytest

from citycard.clearing.pricing import PriceRequest, RuleBook
from citycard_retail.prices import fee_rules
from citycard_retail.settings import Reduction, RetailSettings

AT = datetime.fromisoformat("2026-11-29T10:00")
SENIORS = Reduction(name="seniors", percent=95, categories=("supermarket",), card_kinds=(3,))
STAFF = Reduction(name="staff", percent=90, only_for=("city-staff",))
SETTINGS = RetailSettings(reductions=(SENIORS, STAFF))


def priced(asked_fen, service="retail-sale", settings=SETTINGS, entitlements=(), **facts):
    request = PriceRequest(
        service=service, at=AT, list_price_fen=asked_fen, entitlements=frozenset(entitlements), facts=facts
    )
    return RuleBook(fee_rules(settings)).quote(request).amount_fen


@pytest.mark.parametrize(
    ("told", "price_fen"),
    [
        ({"mcc": "5411", "card_kind": 3}, 9_500),
        ({"mcc": "5812", "card_kind": 3}, 10_000),
        ({"mcc": "5411", "card_kind": 1}, 10_000),
        ({"mcc": "5411", "card_kind": 3, "entitlements": ["city-staff"]}, 9_000),
        ({"entitlements": ["city-staff"], "service": "retail-order"}, 9_000),
        ({"entitlements": ["city-staff"], "service": "retail-void"}, 10_000),
    ],
)
def test_customers_pay_what_is_asked_less_what_is_for_them(told, price_fen):
    assert priced(10_000, **told) == price_fen


def test_a_rule_has_another_version_when_it_would_answer_differently():
    def versions(settings):
        return {rule.name: rule.version for rule in fee_rules(settings)}

    cheaper = RetailSettings(reductions=(attrs.evolve(SENIORS, percent=90), STAFF))
    changed = {name for name, version in versions(cheaper).items() if versions(SETTINGS)[name] != version}
    assert changed == {"seniors"}
