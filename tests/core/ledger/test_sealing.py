"""Sealing covers everything once, whoever is killed on the way, and holds up nobody."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, text

from citycard.clock import FixedClock, SystemClock
from citycard.errors import LedgerAltered
from citycard.ledger import AccountSpec, Ledger
from citycard.ledger.sealing import seal_ledger, waits_for_seal
from citycard.ledger.seals import last_seal, seals
from citycard.ledger.tables import account_seal, request
from citycard.ledger.tables import ledger as ledger_row
from citycard.ledger.verifying import verify_ledger
from citycard.store import open_store, reading, writing
from citycard.store.migrate import upgrade

CHILD = Path(__file__).with_name("seal_child.py")


def chain_of(store):
    with reading(store) as conn:
        return list(seals(conn))


def test_a_ledger_without_anything_has_no_seal(store, vault):
    assert seal_ledger(store, vault.seal_signer(), SystemClock()) == []


def test_accounts_are_sealed_before_anything_moves(ledger, seal, store):
    made = seal()
    assert [(one.accounts, one.transfers, one.refusals) for one in made] == [(5, 0, 0), (1, 0, 0)]
    assert seal() == []


def test_each_seal_follows_on_the_one_before(busy, store):
    chain = chain_of(store)
    assert [one.seq for one in chain] == [1, 2, 3, 4, 5, 6]
    assert chain[0].prev_hash == bytes(32)
    for before, after in pairwise(chain):
        assert after.prev_hash == before.hash32
        assert after.first_posted_seq == before.last_posted_seq + 1
        assert after.refused_until >= before.refused_until
    assert sum(one.accounts for one in chain) == 9


def test_nothing_new_makes_no_seal(busy, seal, store):
    with reading(store) as conn:
        assert not waits_for_seal(conn)
    assert seal() == []


def test_sums_say_what_was_moved_so_far(busy, store):
    with reading(store) as conn:
        trial = busy.trial_balance(conn)
        last = last_seal(conn)
    money = {"debits": trial.debits_fen, "credits": trial.credits_fen}
    assert last.sums["CNY"] == (money["debits"], money["credits"])
    assert last.sums["PTS"] == (9, 9)


def test_a_ledger_has_the_same_roots_on_both_databases(tmp_path, postgresql_server, vault, move):
    roots = []
    for url in (f"sqlite:///{tmp_path / 'city.db'}", postgresql_server.create_database()):
        engine = open_store(url)
        upgrade(engine)
        clock = FixedClock(datetime(2018, 9, 1, 0, 30, tzinfo=UTC))
        ledger = Ledger(engine, clock)
        with writing(engine) as conn:
            ledger.open_accounts(
                conn, [AccountSpec(address=name, code=1001) for name in ("bank", "\u57ce\u5e02 \U0001f68c")]
            )
            ledger.post(
                conn,
                [
                    move(1, "bank", "\u57ce\u5e02 \U0001f68c", 5, ref='a "quoted" \\ ref'),
                    move(2, "bank", "nowhere", 5),
                ],
            )
        roots.append([one.content for one in seal_ledger(engine, vault.seal_signer(), clock)])
        engine.dispose()
    assert roots[0] == roots[1]


def test_a_refusal_whose_clock_is_behind_comes_under_the_next_seal(store, vault, move):
    """A seal's line in time holds for whoever read the clock before it was drawn."""
    clock = FixedClock(datetime(2018, 9, 1, tzinfo=UTC))
    ledger = Ledger(store, clock)
    with writing(store) as conn:
        ledger.post(conn, [move(1, "nowhere", "bank", 1)])
    seal_ledger(store, vault.seal_signer(), clock)
    clock.moment -= timedelta(hours=1)
    with writing(store) as conn:
        ledger.post(conn, [move(2, "nowhere", "bank", 1)])
    (second,) = seal_ledger(store, vault.seal_signer(), clock)
    assert (second.seq, second.refusals) == (2, 1)
    assert verify_ledger(store, vault.seal_keys()).holds


def test_two_who_seal_at_once_make_one_chain(ledger, post, move, vault, store):
    for number in range(1, 40):
        post(move(number, "bank", "purse/1", number), move(100 + number, "nowhere", "bank", 1))

    def work(_):
        return seal_ledger(store, vault.seal_signer(), SystemClock(), span=4)

    with ThreadPoolExecutor(3) as pool:
        made = [one for some in pool.map(work, range(3)) for one in some]
    assert sorted(one.seq for one in made) == [one.seq for one in chain_of(store)]
    assert len(chain_of(store)) == 10
    assert verify_ledger(store, vault.seal_keys()).holds


def test_sealing_beside_posting_misses_nothing(ledger, post, move, vault, store):
    def postings(start):
        for number in range(start, start + 60):
            post(move(number, "bank", "purse/1", 1), move(5000 + number, "nowhere", "bank", 1))
        return []

    def sealing(_):
        return [one for _ in range(20) for one in seal_ledger(store, vault.seal_signer(), SystemClock())]

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda job: job[0](job[1]), [(postings, 1), (postings, 1000), (sealing, 0)]))
    seal_ledger(store, vault.seal_signer(), SystemClock())
    seen = verify_ledger(store, vault.seal_keys())
    assert seen.findings == ()
    assert (seen.transfers, seen.refusals) == (120, 120)
    assert (seen.unsealed_transfers, seen.unsealed_refusals) == (0, 0)


def test_a_transfer_without_an_answer_is_not_sealed(ledger, post, move, vault, store):
    post(move(1, "bank", "purse/1", 5))
    with writing(store) as conn:
        off = "ALTER TABLE request DISABLE TRIGGER ALL"
        conn.execute(text(off if conn.dialect.name == "postgresql" else "DROP TRIGGER request_no_delete"))
        conn.execute(delete(request))
    with pytest.raises(LedgerAltered, match="transfer number 1 or its answer is not there"):
        seal_ledger(store, vault.seal_signer(), SystemClock())


def test_whoever_is_killed_while_sealing_leaves_one_chain(store_url):
    engine = open_store(store_url)
    upgrade(engine)
    engine.dispose()
    ran = subprocess.run([sys.executable, CHILD, store_url], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert len(told["attempts"]) > 15
    assert [died for died, _ in told["attempts"]] == [9] * (len(told["attempts"]) - 1) + [0]
    assert {again for _, again in told["attempts"]} == {0}
    assert told["findings"] == []
    assert told["unsealed"] == [0, 0, 0]
    assert told["transfers"] == 3 * len(told["attempts"])
    # Three transfers in spans of two: two seals each time, wherever the first one died.
    spans = [tuple(one[1:3]) for one in told["chain"]]
    rounds = range(len(told["attempts"]))
    assert spans == [span for n in rounds for span in ((3 * n + 1, 3 * n + 2), (3 * n + 3, 3 * n + 3))]


def test_accounts_of_an_earlier_ledger_wait_for_the_first_seal(ledger, store):
    with reading(store) as conn:
        assert conn.scalar(select(func.count()).where(account_seal.c.seal.is_(None))) == 6
        assert conn.scalar(select(func.count()).select_from(ledger_row)) == 0
