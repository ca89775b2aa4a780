"""The purse computes what two real cards answered, whose keys were published with their traces."""

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from hypothesis import given
from hypothesis import strategies as st

from citycard.keys import purse
from citycard.keys.suite import AES_SUITE, SM4_SUITE

H = bytes.fromhex

# Card A: its purse keys and its DTK are the same key.
KEY_A = H("00112233445566778899AABBCCDDEEFF")
TERMINAL_A = H("001122334455")
AMOUNT_A = 0x2000
LOADED_A = H("20161216105800")
PAID_A = H("20161216134600")

# Card B.
DLK_B = b"\x3f" * 8 + H("1122334455667788")
DTK_B = b"\x34" * 8 + H("1122334455667788")
TERMINAL_B = H("666666666666")
LOADED_B = H("20240411212121")


@pytest.mark.parametrize(
    ("rnd", "session", "mac1"),  # Trace VA: "load #1 SESLK, MAC1" and "load #2 SESLK, MAC1"
    [("E0B84748", "7C45FBFB5B3A68F5", "EA411F90"), ("C903814D", "11FDF264E8AEEFA3", "03976C22")],
)
def test_card_a_opens_a_load(rnd, session, mac1):
    key = purse.load_session_key(KEY_A, H(rnd), 0)
    assert (H(session), H(mac1)) == (key, purse.load_mac1(key, 0, AMOUNT_A, purse.TTI_LOAD_EP, TERMINAL_A))


def test_card_a_accepts_the_load_and_proves_it():
    # Trace VA: "load #2 MAC2", "load #2 TAC".
    key = purse.load_session_key(KEY_A, H("C903814D"), 0)
    assert H("8AFA5718") == purse.load_mac2(key, AMOUNT_A, 2, TERMINAL_A, LOADED_A)
    assert H("FA00066D") == purse.load_tac(KEY_A, AMOUNT_A, 0, AMOUNT_A, 2, TERMINAL_A, LOADED_A)


def test_card_a_pays():
    # Trace VA: "purchase SESPK", "purchase MAC1", "purchase MAC2", "purchase TAC".
    key = purse.purchase_session_key(KEY_A, H("584633C9"), 0, 0)
    assert H("C08346DF9F1D457A") == key
    assert H("D45737C5") == purse.purchase_mac1(key, 1, purse.TTI_PURCHASE_EP, TERMINAL_A, PAID_A)
    assert H("66B54A6B") == purse.purchase_mac2(key, 1)
    assert H("8AF270DC") == purse.purchase_tac(KEY_A, 1, 6, TERMINAL_A, 0, PAID_A)


def test_card_b_loads_with_3des_although_it_reports_algorithm_1():
    # Trace VB: the line of SESLK, MAC1, MAC2 and TAC.
    key = purse.load_session_key(DLK_B, H("4E066548"), 0)
    assert H("3B75C79CFA8C2327") == key
    assert H("0D39ADBB") == purse.load_mac1(key, 0, 0x10, 2, TERMINAL_B)
    assert H("097E98FE") == purse.load_mac2(key, 0x10, 2, TERMINAL_B, LOADED_B)
    assert H("A802863E") == purse.load_tac(DTK_B, 0x10, 0, 0x10, 2, TERMINAL_B, LOADED_B)


def test_card_b_with_single_des_would_have_had_another_session_key():
    # Trace VB: "single DES with the left half would be".
    assert H("94E0A2912E8C3914") == purse.load_session_key(DLK_B[:8], H("4E066548"), 0)


def test_a_kept_session_answers_as_card_a():
    session = purse.PurchaseSession(KEY_A, H("584633C9"), 0, 0, 1)
    assert (H("D45737C5"), H("66B54A6B")) == (session.mac1(6, TERMINAL_A, PAID_A), session.mac2())


amounts = st.integers(0, 0xFFFFFFFF)
sized = {size: st.binary(min_size=size, max_size=size) for size in (4, 6, 7, 16)}


@given(sized[16], sized[4], st.integers(0, 0xFFFF), amounts, amounts, st.integers(0, 255), sized[6], sized[7])
def test_a_kept_session_says_the_same_as_the_functions(key, rnd, atc, serial, amount, tti, terminal, at):
    kept = purse.PurchaseSession(key, rnd, atc, serial, amount)
    session = purse.purchase_session_key(key, rnd, atc, serial)
    assert purse.purchase_mac1(session, amount, tti, terminal, at) == kept.mac1(tti, terminal, at)
    assert purse.purchase_mac2(session, amount) == kept.mac2()


@given(sized[16], sized[4], st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_only_the_low_half_of_the_terminals_serial_enters_the_session_key(key, rnd, atc, low, high):
    whole = purse.purchase_session_key(key, rnd, atc, high << 16 | low)
    assert purse.purchase_session_key(key, rnd, atc, low) == whole


@pytest.mark.parametrize("suite", [AES_SUITE, SM4_SUITE])
def test_the_experimental_suites_give_16_byte_sessions_and_4_byte_codes(suite):
    session = purse.purchase_session_key(KEY_A, H("584633C9"), 0, 0, suite=suite)
    codes = [
        purse.purchase_mac1(session, 1, 6, TERMINAL_A, PAID_A, suite=suite),
        purse.purchase_mac2(session, 1, suite=suite),
        purse.purchase_tac(KEY_A, 1, 6, TERMINAL_A, 0, PAID_A, suite=suite),
        purse.load_tac(KEY_A, 1, 0, 1, 2, TERMINAL_A, PAID_A, suite=suite),
    ]
    assert (len(session), [len(code) for code in codes], len(set(codes))) == (16, [4] * 4, 4)


# ── unload, withdrawal, overdraft: no card's trace is published, so they are recomputed with plain DES ──


def des(key, block):
    whole = key * 3 if len(key) == 8 else key + key[:8]
    return Cipher(TripleDES(whole), modes.ECB()).encryptor().update(block)


def mac(key, message):
    message += b"\x80" + bytes(-(len(message) + 1) % 8)
    chain = bytes(8)
    for start in range(0, len(message), 8):
        block = message[start : start + 8]
        chain = des(key, bytes(a ^ b for a, b in zip(chain, block, strict=True)))
    return chain[:4]


def u(number, size):
    return number.to_bytes(size, "big")


def test_the_plain_des_of_these_tests_says_what_card_a_said():
    # Trace VA: "load #2 SESLK", "load #2 TAC".
    assert H("11FDF264E8AEEFA3") == des(KEY_A, H("C903814D00008000"))
    assert H("FA00066D") == mac(H("88" * 8), H("00002000000000002000") + b"\2" + TERMINAL_A + LOADED_A)


@given(sized[16], sized[4], st.integers(0, 0xFFFF), amounts, amounts, sized[6], sized[7])
def test_an_unload_proves_itself_with_the_session_key(key, rnd, online, balance, amount, terminal, at):
    session = purse.unload_session_key(key, rnd, online)
    assert des(key, rnd + u(online, 2) + b"\x80\x00") == session
    mac1 = mac(session, u(balance, 4) + u(amount, 4) + b"\3" + terminal)
    assert mac1 == purse.unload_mac1(session, balance, amount, purse.TTI_UNLOAD, terminal)
    mac2 = mac(session, u(amount, 4) + b"\3" + terminal + at)
    assert mac2 == purse.unload_mac2(session, amount, purse.TTI_UNLOAD, terminal, at)
    mac3 = mac(session, u(balance, 4) + u(online, 2) + u(amount, 4) + b"\3" + terminal + at)
    assert mac3 == purse.unload_mac3(session, balance, online, amount, purse.TTI_UNLOAD, terminal, at)


limits = st.integers(0, 0xFFFFFF)


@given(sized[16], sized[4], st.integers(0, 0xFFFF), amounts, limits, sized[6], sized[7])
def test_a_limit_travels_in_three_bytes(key, rnd, online, balance, limit, terminal, at):
    session = purse.overdraft_session_key(key, rnd, online)
    assert des(key, rnd + u(online, 2) + b"\x80\x00") == session
    mac1 = mac(session, u(balance, 4) + u(limit, 3) + b"\7" + terminal)
    assert mac1 == purse.overdraft_mac1(session, balance, limit, purse.TTI_OVERDRAFT, terminal)
    mac2 = mac(session, u(limit, 3) + b"\7" + terminal + at)
    assert mac2 == purse.overdraft_mac2(session, limit, purse.TTI_OVERDRAFT, terminal, at)
    halves = bytes(a ^ b for a, b in zip(key[:8], key[8:], strict=True))
    tac = mac(halves, u(balance, 4) + u(online, 2) + u(limit, 3) + b"\7" + terminal + at)
    assert tac == purse.overdraft_tac(key, balance, online, limit, purse.TTI_OVERDRAFT, terminal, at)


@pytest.mark.parametrize("suite", [AES_SUITE, SM4_SUITE])
def test_the_experimental_suites_unload_and_set_limits(suite):
    session = purse.unload_session_key(KEY_A, bytes(4), 1, suite=suite)
    codes = {
        purse.unload_mac1(session, 9, 1, 3, TERMINAL_A, suite=suite),
        purse.unload_mac2(session, 1, 3, TERMINAL_A, PAID_A, suite=suite),
        purse.unload_mac3(session, 8, 1, 1, 3, TERMINAL_A, PAID_A, suite=suite),
        purse.overdraft_mac1(session, 9, 1, 7, TERMINAL_A, suite=suite),
        purse.overdraft_mac2(session, 1, 7, TERMINAL_A, PAID_A, suite=suite),
        purse.overdraft_tac(KEY_A, 9, 1, 1, 7, TERMINAL_A, PAID_A, suite=suite),
    }
    assert (len(session), len(codes), {len(code) for code in codes}) == (16, 6, {4})
