from datetime import date
from uuid import UUID

import pytest

from citycard.errors import RegistryMissing
from citycard.registry import (
    AesGcmSealer,
    Entitlement,
    Holder,
    add_entitlements,
    add_holders,
    assign_card,
    end_entitlement,
    entitlements_of,
    entitlements_on,
)

ONE, TWO = f"{1:020d}", f"{2:020d}"
PERSON = UUID(int=5)
START, END = date(2018, 9, 1), date(2019, 8, 31)
STUDENT = Entitlement(name="student", source="school", starts_on=START, ends_on=END, asn=ONE)
SENIOR = Entitlement(name="over-65", source="police", starts_on=START, holder=PERSON)


@pytest.fixture
def held(conn):
    add_holders(conn, [Holder(id=PERSON, name="Wang Wei")], sealer=AesGcmSealer(bytes(32)))
    for asn in (ONE, TWO):
        assign_card(conn, asn, PERSON)
    return conn


@pytest.mark.parametrize(
    ("day", "names"),
    [(date(2018, 8, 31), set()), (START, {"student"}), (END, {"student"}), (date(2019, 9, 1), set())],
)
def test_a_right_holds_from_its_first_to_its_last_day(conn, day, names):
    add_entitlements(conn, [STUDENT])
    assert entitlements_of(conn, ONE, on=day) == names


def test_a_card_has_its_own_rights_and_its_holders(held):
    assert add_entitlements(held, [STUDENT, SENIOR]) == 2
    assert add_entitlements(held, [STUDENT, SENIOR]) == 0
    expected = {ONE: {"student", "over-65"}, TWO: {"over-65"}}
    assert entitlements_on(held, None, on=START) == expected
    assert entitlements_on(held, [ONE, TWO, "9" * 20], on=START) == expected
    assert entitlements_of(held, "9" * 20, on=START) == frozenset()


def test_a_right_can_be_ended(conn):
    add_entitlements(conn, [STUDENT])
    end_entitlement(conn, STUDENT, ends_on=START)
    assert entitlements_of(conn, ONE, on=date(2018, 9, 2)) == frozenset()
    with pytest.raises(RegistryMissing, match="entitlement 'over-65'"):
        end_entitlement(conn, SENIOR, ends_on=START)


def test_a_right_of_nobody_is_refused(conn):
    with pytest.raises(RegistryMissing, match="holder"):
        add_entitlements(conn, [SENIOR])
