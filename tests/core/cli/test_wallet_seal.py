"""``citycard wallet`` seals, verifies and proves, and says by its exit code how it went."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from citycard.cli.wallet import group
from citycard.errors import NotSealed, ProofInvalid, SealKeyInvalid, TransferUnknown
from citycard.ids import new_id
from citycard.ledger import AccountSpec, Transfer
from citycard.store import writing

CITY = '[city]\nname = "Wallet town"\ncode = "9901"\n'
ID, REFUSED = new_id(), new_id()


@pytest.fixture
def city(found_city, tmp_path):
    template = tmp_path / "template.toml"
    template.write_text(CITY)
    made = found_city(tmp_path / "town", template)
    at = made.now_local()
    with writing(made.engine) as conn:
        made.ledger.open_accounts(
            conn,
            [
                AccountSpec(address="trust/bank", code=1001),
                AccountSpec(address="account/1", code=2002, guard="dr<=cr", owner="1"),
                AccountSpec(address="account/2", code=2002, guard="dr<=cr"),
            ],
        )
        made.ledger.post(
            conn,
            [
                Transfer(
                    id=identity,
                    debit_address=debit,
                    credit_address="account/1",
                    amount_fen=1234,
                    code=10,
                    event_time=at,
                    business_date=at.date(),
                )
                for identity, debit in ((ID, "trust/bank"), (REFUSED, "account/2"))
            ],
        )
    yield made
    made.close()


@pytest.fixture
def call(city):
    def call(*arguments):
        words = [str(one) for one in arguments]
        if "--key" not in words and "--hash" not in words:
            words += ["--city", str(city.folder)]
        done = CliRunner().invoke(group, words, standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return done

    return call


def test_sealing_twice_makes_one_seal(call):
    (one,) = json.loads(call("seal", "--json").stdout)
    assert (one["seal"], one["transfers"], one["refusals"], one["accounts"]) == (1, 1, 1, 3)
    assert one["sums"] == {"CNY": {"debits": 1234, "credits": 1234}}
    again = call("seal")
    assert (again.stdout, again.stderr) == ("", "nothing waits to be sealed\n")
    assert json.loads(call("seals", "--json").stdout) == [one]
    assert one["hash"] in call("seals").stdout


def test_a_ledger_in_order_is_verified_with_exit_code_0(call):
    call("seal")
    done = call("verify")
    assert done.return_value == 0
    assert done.stdout.startswith("the ledger holds: 1 transfers, 1 refusals, 3 accounts, 1 seals;")
    assert "verifying balances" in done.stderr
    told = json.loads(call("verify", "--json").stdout)
    (sealed,) = json.loads(call("seals", "--json").stdout)
    assert (told["holds"], told["findings"]) == (True, [])
    assert told["head"] == {"seal": 1, "hash": sealed["hash"]}


def test_an_altered_ledger_is_told_line_by_line_with_exit_code_1(call, city):
    call("seal")
    with writing(city.engine) as conn:
        conn.execute(text("UPDATE balance SET cr_posted_fen = 1000000 WHERE cr_posted_fen = 1234"))
    done = call("verify")
    assert done.return_value == 1
    assert done.stdout.splitlines()[0] == (
        "balance: cr_posted_fen of the balance of account/1 is 1000000; its transfers make 1234"
    )
    told = json.loads(call("verify", "--json").stdout)
    first = told["findings"][0]
    assert (told["holds"], first["part"], first["id"]) == (False, "balance", "account/1")
    assert first["field"] == "cr_posted_fen"


def test_a_seal_that_was_noted_elsewhere_must_still_be_there(call):
    (one,) = json.loads(call("seal", "--json").stdout)
    assert call("verify", "--head", f"1:{one['hash']}").return_value == 0
    assert call("verify", "--head", f"1:{'00' * 32}").return_value == 1
    done = call("verify", "--head", f"7:{one['hash']}")
    assert (done.return_value, "seals were taken away" in done.stdout) == (1, True)
    with pytest.raises(Exception, match="is no NUMBER:HASH of a seal"):
        call("verify", "--head", "seven")


@pytest.mark.parametrize(("identity", "kind"), [(ID, "transfer"), (REFUSED, "refusal")])
def test_a_proof_is_checked_without_the_city(call, tmp_path, identity, kind):
    (one,) = json.loads(call("seal", "--json").stdout)
    proof, pem = tmp_path / "proof.json", tmp_path / "key.pem"
    proof.write_text(call("prove", identity).stdout)
    assert call("prove", identity, "--json").stdout == proof.read_text()
    pem.write_text(call("key").stdout)
    for how in (("--key", pem), ("--hash", one["hash"]), ()):
        told = json.loads(call("check-proof", proof, *how, "--json").stdout)
        assert (told["kind"], told["says"]["id"], told["seal"]) == (kind, identity.hex, 1)
    assert f"the {kind} is under seal 1" in call("check-proof", proof, "--key", pem).stdout


def test_a_proof_that_was_changed_does_not_hold(call, tmp_path):
    call("seal")
    file = tmp_path / "proof.json"
    file.write_text(call("prove", ID).stdout.replace("1234", "1235"))
    with pytest.raises(ProofInvalid, match=r"proof.json: the proof does not hold: its leaf is not among"):
        call("check-proof", file)
    file.write_text("{}")
    with pytest.raises(ProofInvalid, match="it is not a proof"):
        call("check-proof", file)
    other = tmp_path / "other.pem"
    other.write_text("nonsense")
    with pytest.raises(SealKeyInvalid):
        call("check-proof", file, "--key", other)


def test_what_is_not_sealed_or_not_known_is_told(call):
    with pytest.raises(NotSealed):
        call("prove", ID)
    with pytest.raises(TransferUnknown):
        call("prove", new_id())


def test_keys_are_listed_with_their_versions(call, city):
    city.vault.roll("seal")
    told = json.loads(call("key", "--json").stdout)
    assert [(one["version"], one["honoured"]) for one in told] == [(1, True), (2, True)]
    assert call("key").stdout == told[1]["pem"]
    assert call("key", "--version", 1).stdout == told[0]["pem"]
    with pytest.raises(Exception, match="there is no version 3"):
        call("key", "--version", 3)
