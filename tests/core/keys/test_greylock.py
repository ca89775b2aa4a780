"""The codes of the grey lock, against a few lines of DES that know nothing of ``citycard.keys``."""

from __future__ import annotations

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from hypothesis import given
from hypothesis import strategies as st

from citycard.keys import greylock
from citycard.keys.suite import AES_SUITE, SM4_SUITE

KEY = bytes.fromhex("404142434445464748494A4B4C4D4E4F")
TERMINAL = bytes.fromhex("001122334455")
WHEN = bytes.fromhex("20260102030405")


def des(key: bytes, block: bytes) -> bytes:
    whole = key * 3 if len(key) == 8 else key + key[:8]
    return Cipher(TripleDES(whole), modes.ECB()).encryptor().update(block)


def mac(key: bytes, message: bytes) -> bytes:
    message += b"\x80" + bytes(-(len(message) + 1) % 8)
    chain = bytes(8)
    for start in range(0, len(message), 8):
        block = message[start : start + 8]
        chain = des(key, bytes(a ^ b for a, b in zip(chain, block, strict=True)))
    return chain[:4]


def halves(key: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(key[:8], key[8:], strict=True))


def u(number: int, size: int) -> bytes:
    return number.to_bytes(size, "big")


amounts = st.integers(0, 0xFFFFFFFF)
counters = st.integers(0, 0xFFFF)
sized = {size: st.binary(min_size=size, max_size=size) for size in (4, 6, 7, 8, 16)}


@given(sized[16], sized[4], counters, amounts, sized[4])
def test_the_session_key_is_a_single_des_step_behind_a_3des_step(key, rnd, counter, serial, term_rnd):
    first = des(key, rnd + u(counter, 2) + u(serial, 4)[2:])
    expected = des(first, term_rnd + bytes.fromhex("80000000"))
    assert expected == greylock.grey_session_key(key, rnd, counter, serial, term_rnd)


@given(sized[8], st.integers(0, 255), sized[6], sized[7])
def test_mac1_covers_type_terminal_and_time(session, tti, terminal, at):
    assert mac(session, u(tti, 1) + terminal + at) == greylock.grey_lock_mac1(session, tti, terminal, at)


@given(sized[8], amounts)
def test_the_gmac_covers_the_amount_alone(session, amount):
    assert mac(session, u(amount, 4)) == greylock.gmac(session, amount)


@given(sized[8], amounts, counters)
def test_mac2_of_a_lock_is_the_gmac_of_no_amount_it_names(session, balance, counter):
    given_away = greylock.grey_lock_mac2(session, balance, counter, 0x91, TERMINAL)
    assert mac(session, u(balance, 4) + u(counter, 2) + b"\x91" + TERMINAL) == given_away
    assert given_away != greylock.gmac(session, balance)


@given(sized[16], amounts, counters, amounts)
def test_gtac_and_tac_are_made_under_both_halves_of_the_tac_key(key, balance, counter, serial):
    place = TERMINAL + u(serial, 4) + WHEN
    locked = mac(halves(key), u(balance, 4) + u(counter, 2) + b"\x91" + place)
    assert locked == greylock.grey_lock_gtac(key, balance, counter, 0x91, TERMINAL, serial, WHEN)
    paid = mac(halves(key), u(balance, 4) + b"\x93" + place)
    assert paid == greylock.unlock_tac(key, balance, 0x93, TERMINAL, serial, WHEN)


@given(sized[16], sized[4], counters, amounts, amounts)
def test_the_online_unlock_is_computed_like_a_load(key, rnd, online, balance, amount):
    session = greylock.online_unlock_session_key(key, rnd, online)
    assert des(key, rnd + u(online, 2) + b"\x80\x00") == session
    mac1 = mac(session, u(balance, 4) + u(7, 2) + b"\x95" + TERMINAL)
    assert mac1 == greylock.online_unlock_mac1(session, balance, 7, 0x95, TERMINAL)
    mac2 = mac(session, u(amount, 4) + b"\x95" + TERMINAL + WHEN)
    assert mac2 == greylock.online_unlock_mac2(session, amount, 0x95, TERMINAL, WHEN)
    mac3 = mac(session, u(balance, 4) + u(online, 2) + u(amount, 4) + b"\x95" + TERMINAL + WHEN)
    assert mac3 == greylock.online_unlock_mac3(session, balance, online, amount, 0x95, TERMINAL, WHEN)


@pytest.mark.parametrize("suite", [AES_SUITE, SM4_SUITE])
def test_the_experimental_suites_lock_with_16_byte_sessions(suite):
    session = greylock.grey_session_key(KEY, bytes(4), 0, 0, bytes(4), suite=suite)
    codes = {
        greylock.grey_lock_mac1(session, 0x91, TERMINAL, WHEN, suite=suite),
        greylock.grey_lock_mac2(session, 1, 0, 0x91, TERMINAL, suite=suite),
        greylock.gmac(session, 1, suite=suite),
        greylock.grey_lock_gtac(KEY, 1, 0, 0x91, TERMINAL, 1, WHEN, suite=suite),
    }
    assert (len(session), len(codes), {len(code) for code in codes}) == (16, 4, {4})


def test_the_six_types_are_six():
    types = [getattr(greylock, name) for name in greylock.__all__ if name.startswith("TTI_")]
    assert list(range(0x91, 0x97)) == sorted(types)
