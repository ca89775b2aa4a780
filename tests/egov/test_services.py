"""What an office's terminals record, and what clearing and the simulator make of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from citycard.card import encode
from citycard.kernel.settings import structure
from citycard.testing.town import Town
from citycard_egov.fees import FEE
from citycard_egov.sectors import FeeFacts
from citycard_egov.services import NUMBERS, participants, services
from citycard_egov.settings import EgovSettings


def test_records_with_the_same_service_and_rights_are_alike_and_no_others(settings: dict[str, Any]) -> None:
    fee, _ = services(structure(EgovSettings, settings, where="plugins.egov"))
    assert fee.alike is not None
    facts = np.array([(7, 0), (7, 1), (8, 0), (7, 0)], dtype=[("item", "u2"), ("rights", "u2")])
    keys = list(zip(*(column.tolist() for column in fee.alike(None, facts)), strict=True))
    assert [keys.index(key) for key in keys] == [0, 1, 2, 0]


def test_every_habit_of_the_simulator_is_a_fee_of_a_department(hall: Town, settings: dict[str, Any]) -> None:
    made = structure(EgovSettings, settings, where="plugins.egov")
    fee, _ = services(made)
    offices = {one.id for one in participants(made)}
    assert fee.habits is not None
    taps = [tap for habit in fee.habits() for tap in habit.there]
    assert [(tap.partner in offices, tap.facts) for tap in taps] == [(True, FeeFacts(item=7))]
    assert len(encode(taps[0].facts)) <= 48
    assert hall.city.plugins.service(NUMBERS[FEE]).record.name == FEE
    content = hall.city.configuration().content
    assert "residence-certificate" in str(content)
