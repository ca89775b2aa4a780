"""A transit card that is ready to be put into a slot, and one way to offer it."""

from __future__ import annotations

import datetime as dt
import time
from types import SimpleNamespace

import pytest

from citycard.card import CardProduct, allocate
from citycard.chip import Chip, personalise, prepare_blank
from citycard.keys.cipher import Algorithm
from citycard.keys.records import CardKeys
from citycard.pcsc import VpcdSlot

KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
ASN = "03105170070104791381"
PURPOSES = ("purchase", "load", "tac", "internal")
NAMES = ("purchase", "load", "tac", "maintenance", "authentication", "internal", "pin_unblock", "pin_reload")
PRODUCT = CardProduct(name="adult")
VERSION = allocate(PRODUCT, [])


def keys():
    return CardKeys(
        **dict.fromkeys(NAMES, KEY),
        versions=dict.fromkeys(PURPOSES, 1),
        algorithms=dict.fromkeys(PURPOSES, Algorithm.TDES),
    )


@pytest.fixture(scope="session")
def issue():
    """What a card is prepared for, and what makes it one holder's."""
    data = {
        "asn": ASN,
        "issuer": "01011000FFFFFFFF",
        "product": PRODUCT,
        "keys": keys(),
        "start": dt.date(2024, 1, 1),
        "expiry": dt.date(2034, 1, 1),
    }
    return SimpleNamespace(version=VERSION, data=data)


@pytest.fixture(scope="session")
def issued(issue):
    """A personalised card without power; clone it."""
    card = prepare_blank(VERSION).clone()
    personalise(card, **issue.data)
    return card


@pytest.fixture
def card(issued) -> Chip:
    return issued.clone()


@pytest.fixture
def offered(pcscd):
    """Put cards into the first slots of the virtual readers for the length of a test."""
    slots = []

    def offer(*cards, **options):
        for place, one in zip(pcscd.slots[len(slots) :], cards, strict=False):
            slot = VpcdSlot(one, port=place.port, **options)
            slot.insert()
            slots.append(slot)
        return slots[-1] if len(cards) == 1 else list(slots)

    yield offer
    for slot in slots:
        slot.remove()
    # The reader notices an empty slot at its next look; a test that follows must not see the old card.
    time.sleep(0.5)
