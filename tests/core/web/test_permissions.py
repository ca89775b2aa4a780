from __future__ import annotations

import pytest

from citycard.web.permissions import OWN, PERMISSIONS, PUBLIC, ROLES, Actor, Reach, Role, reach


def test_every_role_has_its_permissions_written_down_and_all_of_them_exist():
    assert set(ROLES) == set(Role)
    assert frozenset().union(*ROLES.values()) == frozenset(PERMISSIONS)


def test_what_is_public_is_open_to_every_role():
    assert {reach(role, PUBLIC) for role in Role} == {Reach.ALL}


def test_the_public_may_nothing_else():
    assert {reach(Role.PUBLIC, name) for name in PERMISSIONS if name != PUBLIC} == {Reach.NONE}


@pytest.mark.parametrize("role", sorted(OWN))
def test_whoever_sees_only_their_own_sees_nothing_of_others(role):
    actor = Actor(role=role, token="t", subject="mine")
    for name in ROLES[role] - {PUBLIC}:
        assert (actor.may(name), actor.may(name, "mine"), actor.may(name, "yours")) == (True, True, False)


@pytest.mark.parametrize("role", sorted(OWN))
def test_an_actor_without_a_subject_owns_nothing(role):
    assert not any(Actor(role=role, token="t").may(name, "") for name in ROLES[role] - {PUBLIC})


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        ("zoo.read-visits", {Role.OPERATOR, Role.AUDITOR}),
        ("zoo.change-prices", {Role.OPERATOR}),
        ("city.unheard-of", set()),
    ],
)
def test_a_plugins_permission_belongs_to_operators_and_a_reading_one_to_auditors(permission, roles):
    assert {role for role in Role if reach(role, permission) is not Reach.NONE} == roles


def test_an_actor_is_named_by_the_role_and_the_token_behind_it():
    assert Actor(role=Role.CLERK, token="0f1e2d").name == "clerk 0f1e2d"
    assert Actor().name == "public"
