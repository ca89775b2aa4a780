"""A vault answers for columns of records what it answers for each record."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.errors import ColumnInvalid, KeyVersionUnknown, VaultClosed
from citycard.keys import Algorithm, Pkcs11Vault, checks
from citycard.testing.tacs import make_purchase_tacs

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20)
ROOT = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
CITY = bytes.fromhex("5840000000000001")
PIN = "135790"
LABELS = (f"column token {number}" for number in itertools.count())


def purchases(count, versions=(1,), cards=7, seed=1):
    """Draw records of a few cards, as columns without TACs."""
    dice = np.random.default_rng(seed)
    asns = dice.integers(0, 256, (cards, 8), dtype=np.uint8)
    return {
        "asn8": asns[dice.integers(0, cards, count)],
        "key_version": dice.choice(np.array(versions, dtype=np.uint8), count),
        "amount_fen": dice.integers(0, 1 << 32, count),
        "tti": dice.integers(0, 256, count, dtype=np.uint8),
        "terminal6": dice.integers(0, 256, (count, 6), dtype=np.uint8),
        "serial": dice.integers(0, 1 << 32, count, dtype=np.uint32),
        "datetime7": dice.integers(0, 256, (count, 7), dtype=np.uint8),
    }


def records(count, terminals=5, seed=1):
    dice = np.random.default_rng(seed)
    numbers = dice.integers(0, 256, (terminals, 6), dtype=np.uint8)
    return numbers[dice.integers(0, terminals, count)], dice.integers(0, 256, (count, 122), dtype=np.uint8)


def plain(value):
    return value.tobytes() if isinstance(value, np.ndarray) else int(value)


def each(vault, columns):
    """Ask the vault record by record."""
    return [vault.check_purchase_tac(*map(plain, row)) for row in zip(*columns.values(), strict=True)]


def each_mac(vault, *columns):
    return [vault.check_terminal_mac(*map(plain, row)) for row in zip(*columns, strict=True)]


@pytest.fixture
def softhsm_vault(softhsm, tmp_path):
    label = next(LABELS)
    softhsm.token(label, PIN)
    vault = Pkcs11Vault.create(tmp_path / "vault.json", softhsm.module, label, PIN, CITY, root=ROOT)
    yield vault
    vault.close()


@pytest.fixture
def rolled(vault):
    """Return a vault with four versions of which the third is retired: 3DES, SM4, AES, 3DES."""
    for algorithm in (Algorithm.SM4, Algorithm.AES, Algorithm.TDES):
        vault.roll("purchase", algorithm)
    vault.retire("purchase", 3)
    return vault


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 500])
def test_tacs_that_cards_made_are_accepted_and_those_of_others_are_not(vault, count):
    one = purchases(count)
    one["tac4"] = make_purchase_tacs(vault, **one)
    one["tac4"][::3] ^= 1
    expected = [place % 3 != 0 for place in range(count)]
    assert expected == vault.check_purchase_tacs(**one).tolist() == each(vault, one)


@pytest.mark.parametrize("bit", range(32))
def test_one_flipped_bit_of_a_tac_is_noticed(vault, bit):
    one = purchases(3)
    tacs = make_purchase_tacs(vault, **one)
    tacs[1, bit // 8] ^= 1 << bit % 8
    assert vault.check_purchase_tacs(**one, tac4=tacs).tolist() == [True, False, True]


@pytest.mark.parametrize("field", ["asn8", "amount_fen", "tti", "terminal6", "serial", "datetime7"])
def test_a_tac_of_another_record_is_refused(vault, field):
    one = purchases(3)
    tacs = make_purchase_tacs(vault, **one)
    one[field] = one[field].copy()
    one[field][1] ^= 1
    assert vault.check_purchase_tacs(**one, tac4=tacs).tolist() == [True, False, True]


def test_every_version_is_checked_by_its_own_cipher_and_a_retired_or_unknown_one_is_refused(rolled):
    one = purchases(200, versions=(1, 2, 4))
    one["tac4"] = make_purchase_tacs(rolled, **one)
    one["key_version"][:9] = [0, 3, 5, 255, 1, 2, 4, 3, 0]
    answers = rolled.check_purchase_tacs(**one).tolist()
    assert answers == each(rolled, one)
    assert all(answers[9:])
    assert answers[:4] == [False] * 4


@shared
@given(data=st.data())
def test_whatever_is_asked_in_columns_is_answered_as_record_by_record(vault, data):
    if 2 not in {row.version for row in vault.versions()}:
        vault.roll("purchase", Algorithm.SM4)
    one = purchases(data.draw(st.integers(1, 80)), versions=(1, 2), seed=data.draw(st.integers(0, 99)))
    tacs = make_purchase_tacs(vault, **one)
    for place in data.draw(st.lists(st.integers(0, len(tacs) - 1))):
        tacs[place] = list(data.draw(st.binary(min_size=4, max_size=4)))
    one["tac4"] = tacs
    assert each(vault, one) == vault.check_purchase_tacs(**one).tolist()


def test_records_on_both_sides_of_a_span_are_answered_alike(rolled, monkeypatch):
    one = purchases(50, versions=(1, 2, 4))
    one["tac4"] = make_purchase_tacs(rolled, **one)
    one["tac4"][[9, 10, 29, 30]] ^= 0x80
    expected = rolled.check_purchase_tacs(**one).tolist()
    monkeypatch.setattr(checks, "SPAN", 10)
    assert expected == rolled.check_purchase_tacs(**one).tolist() == each(rolled, one)


def test_terminals_macs_are_accepted_and_those_of_others_are_not(vault):
    terminals, data = records(100)
    macs = vault.make_terminal_macs(terminals, data)
    assert [vault.terminal_mac(*map(plain, row))[:4] for row in zip(terminals, data, strict=True)] == [
        mac.tobytes() for mac in macs
    ]
    macs[7, 3] ^= 0x80
    data[8, 121] ^= 1
    terminals[9, 0] ^= 1
    answers = vault.check_terminal_macs(terminals, data, macs).tolist()
    assert answers == each_mac(vault, terminals, data, macs)
    assert [place for place, answer in enumerate(answers) if not answer] == [7, 8, 9]


def test_a_terminals_mac_may_be_by_any_version_that_is_honoured(vault):
    terminals, data = records(60)
    macs = vault.make_terminal_macs(terminals, data)
    vault.roll("batch")
    macs[30:] = vault.make_terminal_macs(terminals, data)[30:]
    assert vault.check_terminal_macs(terminals, data, macs).all()
    vault.retire("batch", 1)
    assert vault.check_terminal_macs(terminals, data, macs).tolist() == [False] * 30 + [True] * 30


def test_records_of_a_terminal_in_several_spans_are_answered_alike(vault, monkeypatch):
    terminals, data = records(50)
    macs = vault.make_terminal_macs(terminals, data)
    macs[[0, 19, 20]] ^= 1
    monkeypatch.setattr(checks, "SPAN", 20)
    monkeypatch.setattr(checks, "MACS", 3)
    expected = [place not in {0, 19, 20} for place in range(50)]
    assert expected == vault.check_terminal_macs(terminals, data, macs).tolist()


def test_no_records_get_no_answers(vault):
    terminals, data = records(0)
    assert vault.check_terminal_macs(terminals, data, np.zeros((0, 4), np.uint8)).tolist() == []
    assert vault.make_terminal_macs(terminals, data).shape == (0, 4)


def test_a_token_answers_what_memory_answers_and_is_asked_once_per_version(vault, softhsm_vault, monkeypatch):
    for one in (vault, softhsm_vault):
        one.roll("purchase")
    columns = purchases(300, versions=(1, 2), cards=50)
    columns["tac4"] = make_purchase_tacs(vault, **columns)
    columns["tac4"][:5] ^= 1
    terminals, data = records(100)
    macs = vault.make_terminal_macs(terminals, data)
    macs[:5] ^= 1
    asked = []
    encrypted = type(softhsm_vault._keys).encrypted
    monkeypatch.setattr(
        type(softhsm_vault._keys),
        "encrypted",
        lambda keys, *args: asked.append(args) or encrypted(keys, *args),
    )
    assert softhsm_vault.check_purchase_tacs(**columns).tolist() == [False] * 5 + [True] * 295
    assert len(asked) == 2
    assert softhsm_vault.check_terminal_macs(terminals, data, macs).tolist() == [False] * 5 + [True] * 95
    assert len(asked) == 3


def test_a_closed_vault_answers_nothing(vault):
    one = purchases(3)
    tacs = make_purchase_tacs(vault, **one)
    vault.close()
    with pytest.raises(VaultClosed):
        vault.check_purchase_tacs(**one, tac4=tacs)
    with pytest.raises(VaultClosed):
        vault.check_terminal_macs(*records(3), tacs)


def test_a_tac_of_a_retired_version_is_not_made(rolled):
    with pytest.raises(KeyVersionUnknown):
        make_purchase_tacs(rolled, **purchases(3, versions=(3,)))


@pytest.mark.parametrize("field", [*purchases(0), "tac4"])
def test_a_column_of_another_length_is_refused(vault, field):
    one = {**purchases(3), "tac4": np.zeros((3, 4), np.uint8)}
    with pytest.raises(ColumnInvalid):
        vault.check_purchase_tacs(**{**one, field: one[field][:2]})


@pytest.mark.parametrize("place", range(3))
def test_a_column_of_macs_of_another_length_is_refused(vault, place):
    columns = [*records(3), np.zeros((3, 4), np.uint8)]
    columns[place] = columns[place][:2]
    with pytest.raises(ColumnInvalid):
        vault.check_terminal_macs(*columns)


def test_the_keys_of_a_column_of_cards_are_those_of_each(vault):
    asns = purchases(20)["asn8"]
    expected = [vault.card_key("tac", asn.tobytes(), 1) for asn in asns]
    assert expected == [key.tobytes() for key in vault.card_key_column("tac", asns, 1)]
