"""A card proves its holder's identity: no replay, no late answer, and no answer without the PIN."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from citycard import registry
from citycard.registry import CardStatus
from citycard.store import writing
from citycard.testing.town import Town, TownCard
from citycard_egov import register
from citycard_egov.errors import IdentityRefused, PinRefused, ProofRefused, ResidentUnknown
from citycard_egov.identity import IDENTITY_KEY, activate, answer, check_proof, draw, reset_pin
from citycard_egov.identitycard import IdentityCard, prove
from citycard_egov.office import Office

PIN = "246810"


@pytest.fixture
def card(town: Town, office: Office, number: Callable[..., str]) -> TownCard:
    made = town.card()
    register.tell(office, number(1), "police", {"name": "Li"}, day=dt.date(2026, 2, 1), actor="test")
    activate(office, made.reader, number(1), "123456", PIN, actor="clerk")
    return made


def answered(town: Town, card: TownCard, challenge: str) -> bytes:
    return prove(card.reader, town.city.issuing.profile, PIN, bytes.fromhex(challenge))


def test_the_card_answers_only_after_its_pin_and_the_proof_is_good_for_minutes(
    town: Town, office: Office, card: TownCard
) -> None:
    asked = draw(office, card.asn, asked_by="me")
    device = IdentityCard(card.reader, town.city.issuing.profile)
    device.open()
    with pytest.raises(IdentityRefused, match="only after its PIN was verified"):
        device.answer(bytes.fromhex(asked.challenge))
    made = answer(office, asked.id, answered(town, card, asked.challenge), asked_by="me")
    assert (made.asn, made.expires_at) == (card.asn, office.city.clock.now() + dt.timedelta(minutes=10))
    assert check_proof(office, made.proof, card.asn, asked_by="me")
    for shown, asn, by, reason in (
        (made.proof, card.asn, "you", "not given to you"),
        ("guessed", card.asn, "me", "not given to you"),
        (made.proof, "0" * 20, "me", "another card"),
    ):
        with pytest.raises(ProofRefused, match=reason):
            check_proof(office, shown, asn, asked_by=by)
    town.pass_time(dt.timedelta(minutes=10))
    with pytest.raises(ProofRefused, match="time is over"):
        check_proof(office, made.proof, card.asn, asked_by="me")


def test_a_replay_a_late_answer_and_an_answer_to_another_challenge_are_refused(
    town: Town, office: Office, card: TownCard
) -> None:
    first = draw(office, card.asn, asked_by="me")
    response = answered(town, card, first.challenge)
    with pytest.raises(IdentityRefused, match="no such challenge of yours"):
        answer(office, first.id, response, asked_by="somebody else")
    answer(office, first.id, response, asked_by="me")
    with pytest.raises(IdentityRefused, match="answered before"):
        answer(office, first.id, response, asked_by="me")

    second = draw(office, card.asn, asked_by="me")
    with pytest.raises(IdentityRefused, match="answer is wrong"):
        answer(office, second.id, response, asked_by="me")
    with pytest.raises(IdentityRefused, match="answered before"):
        answer(office, second.id, answered(town, card, second.challenge), asked_by="me")

    third = draw(office, card.asn, asked_by="me")
    response = answered(town, card, third.challenge)
    town.pass_time(dt.timedelta(seconds=60))
    with pytest.raises(IdentityRefused, match="too late"):
        answer(office, third.id, response, asked_by="me")


def test_another_card_with_its_own_right_pin_proves_nothing(
    town: Town, office: Office, card: TownCard, number: Callable[..., str]
) -> None:
    other = town.card()
    register.tell(office, number(2), "police", {"name": "Wu"}, day=dt.date(2026, 2, 1), actor="test")
    with pytest.raises(ResidentUnknown):
        draw(office, other.asn, asked_by="me")
    activate(office, other.reader, number(2), "123456", PIN, actor="clerk")
    asked = draw(office, card.asn, asked_by="me")
    with pytest.raises(IdentityRefused, match="answer is wrong"):
        answer(office, asked.id, answered(town, other, asked.challenge), asked_by="me")


def test_a_wrong_pin_costs_a_try_three_lock_it_and_a_window_helps(
    town: Town, office: Office, card: TownCard, number: Callable[..., str]
) -> None:
    device = IdentityCard(card.reader, town.city.issuing.profile)
    device.open()
    for left in (2, 1, 0):
        with pytest.raises(PinRefused, match=f"{left} tries are left"):
            device.verify_pin("000000")
    with pytest.raises(PinRefused, match="locked"):
        device.verify_pin(PIN)
    with pytest.raises(PinRefused, match="4 to 6 digits"):
        device.verify_pin("12a4")
    # A window that has seen the holder gives a new one; nobody else gets it done.
    with pytest.raises(ResidentUnknown):
        reset_pin(office, card.reader, number(9), "135790")
    register.tell(office, number(9), "police", {"name": "Wu"}, day=dt.date(2026, 2, 1), actor="test")
    with pytest.raises(IdentityRefused, match="another resident's"):
        reset_pin(office, card.reader, number(9), "135790")
    assert reset_pin(office, card.reader, number(1), "135790") == card.asn
    device.open()
    device.verify_pin("135790")


def test_a_card_that_is_lost_or_not_activated_is_refused(
    town: Town, office: Office, card: TownCard, number: Callable[..., str]
) -> None:
    linked = town.card()
    register.link_card(office, number(1), linked.asn, actor="clerk")
    with pytest.raises(IdentityRefused, match="no identity key yet"):
        draw(office, linked.asn, asked_by="me")
    asked = draw(office, card.asn, asked_by="me")
    response = answered(town, card, asked.challenge)
    with writing(office.engine) as conn:
        registry.set_card_status(
            conn, card.asn, CardStatus.LOST, actor="clerk", at=office.city.clock.now(), reason="told"
        )
    with pytest.raises(IdentityRefused, match="lost"):
        answer(office, asked.id, response, asked_by="me")
    with pytest.raises(IdentityRefused, match="lost"):
        activate(office, card.reader, number(1), PIN, PIN, actor="clerk")


def test_activation_may_be_repeated_and_follows_a_rolled_key(
    town: Town, office: Office, card: TownCard, number: Callable[..., str]
) -> None:
    office.city.vault.roll(IDENTITY_KEY.name)
    asked = draw(office, card.asn, asked_by="me")
    assert answer(office, asked.id, answered(town, card, asked.challenge), asked_by="me")
    activate(office, card.reader, number(1), PIN, PIN, actor="clerk")
    asked = draw(office, card.asn, asked_by="me")
    assert answer(office, asked.id, answered(town, card, asked.challenge), asked_by="me")
    office.city.vault.retire(IDENTITY_KEY.name, 1)
    asked = draw(office, card.asn, asked_by="me")
    assert answer(office, asked.id, answered(town, card, asked.challenge), asked_by="me")
