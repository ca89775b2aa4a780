"""The settings of health: what contradicts itself is refused with its place."""

from __future__ import annotations

import copy

import pytest

from citycard.errors import SettingsInvalid
from citycard.kernel.settings import structure
from citycard_health.errors import SettingInvalid
from citycard_health.settings import HealthSettings


def read(content):
    return structure(HealthSettings, content, where="plugins.health")


def test_the_towns_settings_are_read(content):
    """Plans, items, vaccines and venues are found by their names."""
    found = read(content)
    assert found.plan("employee").percents == {"A": 80, "B": 70}
    assert found.item("scan").price_fen == 20_001
    assert found.vaccine("mmr").cvx == "03"
    assert found.entitlements(57) == {"senior"}
    assert found.plan("none") is found.item("none") is found.vaccine("none") is found.venue("none") is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c["plans"][0].update(insurer="nobody"), "insurer 'nobody' is not declared"),
        (lambda c: c["plans"][0]["percents"].update(Z=10), "no item is of class Z"),
        (lambda c: c["items"].append(c["items"][0]), "blood is declared twice"),
        (lambda c: c["clinics"].append({"id": "swim-hall", "name": "x"}), "swim-hall is declared twice"),
        (lambda c: c["vaccines"][0]["doses"].reverse(), "in the order of their age"),
        (lambda c: c["concessions"][0].update(only_for=["poet"]), "no product has poet"),
    ],
)
def test_what_contradicts_itself_is_refused(content, change, said):
    """The error names the place and what is there."""
    wrong = copy.deepcopy(content)
    change(wrong)
    with pytest.raises((SettingInvalid, SettingsInvalid), match=said):
        read(wrong)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["plans"][0]["percents"].update(A=101),
        lambda c: c["plans"][0].update(ceiling_fen=-1),
        lambda c: c["items"][0].update(price_fen=0),
        lambda c: c["products"][0].update(kind=60),
        lambda c: c.update(booking_days=0),
        lambda c: c["levels"][0].update(fee_fen="5"),
    ],
)
def test_values_out_of_bounds_are_refused(content, change):
    """A percentage above 100, a negative amount, another's kind of card."""
    wrong = copy.deepcopy(content)
    change(wrong)
    with pytest.raises((SettingInvalid, SettingsInvalid)):
        read(wrong)
