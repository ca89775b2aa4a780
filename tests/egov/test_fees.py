"""What services cost: fees, concessions, and versions that follow the settings."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs
import pytest

from citycard.clearing.pricing import PriceRequest, quote
from citycard.errors import PriceUnknown
from citycard.kernel.settings import structure
from citycard_egov.fees import FEE, fee_rules
from citycard_egov.settings import EgovSettings


def asked(item: str, *rights: str) -> PriceRequest:
    return PriceRequest(
        service=FEE, at=dt.datetime(2026, 3, 2, 9), entitlements=frozenset(rights), facts={"item": item}
    )


@pytest.fixture
def made(settings: dict[str, Any]) -> EgovSettings:
    return structure(EgovSettings, settings, where="plugins.egov")


def test_a_service_costs_its_fee_and_the_old_pay_half(made: EgovSettings) -> None:
    rules = list(fee_rules(made))
    assert quote(asked("residence-certificate"), rules).amount_fen == 1000
    assert quote(asked("residence-certificate", "over-65", "student"), rules).amount_fen == 500
    assert quote(asked("residence-certificate", "student"), rules).amount_fen == 1000
    assert quote(asked("hearing"), rules).amount_fen == 0
    with pytest.raises(PriceUnknown):
        quote(asked("passport"), rules)


def test_a_concession_for_some_services_leaves_the_others_alone(made: EgovSettings) -> None:
    only = attrs.evolve(made.concessions[0], services=("hearing",))
    rules = list(fee_rules(attrs.evolve(made, concessions=(only,))))
    assert quote(asked("residence-certificate", "over-65"), rules).amount_fen == 1000


def test_the_version_of_a_rule_changes_with_what_it_says_and_not_otherwise(made: EgovSettings) -> None:
    dearer = attrs.evolve(made.services[0], fee_fen=1200)
    before = {rule.name: rule.version for rule in fee_rules(made)}
    after = {
        rule.name: rule.version
        for rule in fee_rules(attrs.evolve(made, services=(dearer, *made.services[1:])))
    }
    assert before == {rule.name: rule.version for rule in fee_rules(made)}
    assert {name for name in before if before[name] != after[name]} == {"egov-fees"}
