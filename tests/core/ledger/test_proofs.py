"""What a proof proves, anybody can check; what was changed in it, anybody can see."""

import json
from uuid import UUID

import attrs
import pytest

from citycard.errors import NotSealed, ProofInvalid, TransferUnknown
from citycard.keys import CORE_PURPOSES, Vault
from citycard.keys.versions import KeyVersions
from citycard.ledger.proofs import check_proof, prove
from citycard.ledger.seals import find_seal
from citycard.store import reading


@pytest.fixture
def keys(vault):
    return {key.id: key for key in vault.seal_keys()}


@pytest.fixture
def proof(busy, store):
    def proof(number):
        with reading(store) as conn:
            return json.loads(json.dumps(attrs.asdict(prove(conn, UUID(int=number)))))

    return proof


@pytest.mark.parametrize("number", [1, 2, 3, 5, 10, 13, 20, 22, 24, 25, 27, 28])
def test_every_posted_transfer_can_be_proven(proof, keys, number):
    proven = check_proof(json.dumps(proof(number)), keys)
    assert (proven.kind, proven.says["id"], proven.says["result"]) == ("transfer", f"{number:032x}", "posted")


@pytest.mark.parametrize(
    ("number", "result"),
    [(4, "debit_account_missing"), (6, "debits_exceed_credits"), (29, "debit_account_missing")],
)
def test_that_a_transfer_was_refused_can_be_proven_too(proof, keys, number, result):
    proven = check_proof(json.dumps(proof(number)), keys)
    assert (proven.kind, proven.says["id"], proven.says["result"]) == ("refusal", f"{number:032x}", result)


def test_the_published_hash_of_a_seal_is_as_good_as_a_key(proof, store):
    text = json.dumps(proof(13))
    with reading(store) as conn:
        hash32 = find_seal(conn, json.loads(proof(13)["seal"])["seq"]).hash32
    assert check_proof(text, {}, seal_hash=hash32.hex()).seal_hash == hash32.hex()
    with pytest.raises(ProofInvalid, match="has another hash"):
        check_proof(text, {}, seal_hash="00" * 32)


def test_any_change_to_a_proof_shows(proof, keys):
    right = proof(13)
    assert right["path"]
    for name, value in right.items():
        if isinstance(value, str):
            changes = [value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :] for place in (0, -2)]
            changes = [change for change in changes if len(change) == len(value)]
        elif isinstance(value, int):
            changes = [value + 1]
        else:
            changes = [value[1:], [*value, "00" * 32], ["11" * 32, *value[1:]]]
        for change in changes:
            with pytest.raises(ProofInvalid):
                check_proof(json.dumps(right | {name: change}), keys)


def test_another_citys_key_proves_nothing(proof):
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    stranger = Vault(bytes(16), versions)
    with pytest.raises(ProofInvalid, match="which is not among those given"):
        check_proof(json.dumps(proof(1)), {key.id: key for key in stranger.seal_keys()})


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"leaf": 3}', "null"])
def test_what_is_no_proof_is_told_so(keys, text):
    with pytest.raises(ProofInvalid, match="it is not a proof"):
        check_proof(text, keys)


def test_what_was_never_answered_or_is_not_sealed_yet_cannot_be_proven(proof, post, move):
    post(move(80, "purse/1", "shop", 1), move(81, "nowhere", "shop", 1))
    for number in (80, 81):
        with pytest.raises(NotSealed):
            proof(number)
    with pytest.raises(TransferUnknown):
        proof(99)
