"""A ledger that older tables hold is carried over whole: the same balances, answers and histories."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import attrs
import pytest
from sqlalchemy import Uuid, bindparam, text

from citycard.ledger import Kind, Ledger, Transfer
from citycard.ledger.records import account_id
from citycard.store import migrate, open_store, reading, writing
from citycard.store.metadata import LocalTime, UtcTime
from citycard.store.schema import CORE

OLD = "citycard_0005"
GROUPS = [UUID(int=1000 + number) for number in range(20)]
START = datetime(2018, 9, 1, tzinfo=UTC)
SIDES = {
    "bank": ("D", 1001),
    "purse/1": ("C", 2001),
    "purse/2": ("C", 2001),
    "shop": ("C", 2101),
    "idle": ("C", 2001),
}


def to(engine, revision):
    """Bring the core's tables up or down to a revision."""
    scripts = migrate.scripts_of(CORE)
    known = [one.revision for one in scripts.walk_revisions()]
    with migrate._locked(engine) as conn:
        current = migrate.schema_state(conn).current
        up = current is None or known.index(revision) < known.index(current)
        steps = scripts._upgrade_revs if up else scripts._downgrade_revs
        migrate._run(conn, CORE, scripts, lambda at: steps(revision, at))


def drawn(number):
    """Give a transfer as anybody may have posted it before there were holds."""
    dice = Random(number)
    debit, credit = dice.sample(["bank", "purse/1", "purse/2", "shop", "nowhere"], 2)
    return Transfer(
        id=UUID(int=number),
        debit_address=debit,
        credit_address=credit,
        amount_fen=dice.randint(1, 500),
        code=dice.choice([10, 20]),
        event_time=datetime(2018, 9, 1, 8, dice.randrange(60)),
        business_date=date(2018, 9, 1),
        group=dice.choice(GROUPS) if dice.random() < 0.2 else None,
        ref=dice.choice(["", "run/1"]),
    )


def old_digest(one):
    text = (
        f"{one.debit_address}\x1f{one.credit_address}\x1f{one.amount_fen}\x1f{one.code}\x1f{one.event_time}\x1f"
        f"{one.business_date}\x1f{one.group}\x1f{one.ref}"
    )
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def put(conn, table, **values):
    types = {UUID: Uuid(), datetime: UtcTime()}
    names = ", ".join(values)
    binds = [
        bindparam(name, value, LocalTime() if name == "event_time" else types.get(type(value)))
        for name, value in values.items()
    ]
    listed = ", ".join(f":{name}" for name in values)
    conn.execute(text(f"INSERT INTO {table} ({names}) VALUES ({listed})").bindparams(*binds))


@pytest.fixture
def before(store_url):
    """Give an engine with the tables of then, and what was posted and refused in them, in its order."""
    engine = open_store(store_url)
    to(engine, OLD)
    posted, refused = [], {}
    sums = {address: [0, 0] for address in SIDES}
    broken = {
        one.group
        for one in map(drawn, range(1, 301))
        if one.group and "nowhere" in {one.debit_address, one.credit_address}
    }
    with writing(engine) as conn:
        for address, (side, code) in SIDES.items():
            opened = {"code": code, "side": side, "guard": "none", "owner": "", "opened_at": START}
            put(conn, "account", id=account_id(address), address=address, **opened)
        for number in range(1, 301):
            one = drawn(number)
            # The clock was set back once in a while.
            now = START + timedelta(minutes=number - number % 7)
            result = "posted"
            if one.group in broken:
                result = "group_failed"
            elif "nowhere" in {one.debit_address, one.credit_address}:
                result = (
                    "debit_account_missing" if one.debit_address == "nowhere" else "credit_account_missing"
                )
            put(conn, "request", id=one.id, digest=old_digest(one), result=result, first_seen=now)
            if result != "posted":
                refused[one] = result
                continue
            posted.append(one)
            sums[one.debit_address][0] += one.amount_fen
            sums[one.credit_address][1] += one.amount_fen
            put(
                conn,
                "transfer",
                id=one.id,
                dr_account=account_id(one.debit_address),
                cr_account=account_id(one.credit_address),
                amount_fen=one.amount_fen,
                code=one.code,
                kind="single",
                group_id=one.group,
                event_time=one.event_time,
                business_date=one.business_date,
                ref=one.ref,
                posted_seq=len(posted),
                posted_at=now,
            )
        for address, (debits, credits_) in sums.items():
            none = {"guard": "none", "dr_pending_fen": 0, "cr_pending_fen": 0}
            key = account_id(address)
            put(conn, "balance", account_id=key, dr_posted_fen=debits, cr_posted_fen=credits_, **none)
        put(conn, "ledger", id=1, currency="CNY", scale=2, posted_seq=len(posted))
    yield engine, posted, refused
    engine.dispose()


def check(engine, posted, refused):
    """Compare everything that can be asked of a ledger with what was posted."""
    ledger = Ledger(engine)
    with reading(engine) as conn:
        assert ledger.audit(conn) == []
        for address, (side, _) in SIDES.items():
            own = [one for one in posted if address in {one.debit_address, one.credit_address}]
            history = ledger.transfers_of(conn, address)
            assert [one.transfer for one in reversed(history)] == own
            net = sum(one.amount_fen if one.debit_address == address else -one.amount_fen for one in own)
            assert ledger.balance_fen(conn, address) == (net if side == "D" else -net)
            assert ledger.balance(conn, address).transfers == len(own)
            between = ledger.transfers_between(conn, address, START - timedelta(1), START + timedelta(9))
            assert [one.transfer for one in between] == own
        found = ledger.find(conn, [one.id for one in (*posted, *refused)])
        assert [found[one.id].posted_seq for one in posted] == list(range(1, len(posted) + 1))
        assert len(found) == len(posted)
        moments = [found[one.id].posted_at for one in posted]
        assert moments == sorted(moments)
    with writing(engine) as conn:
        sent = [*posted, *refused]
        outcomes = ledger.post(conn, sent)
        assert [str(one.result) for one in outcomes] == ["exists"] * len(posted) + list(refused.values())
        other = attrs.evolve(posted[0], amount_fen=posted[0].amount_fen + 1)
        assert ledger.post(conn, [other])[0].result == "exists_with_different_amount_fen"


def rows(engine):
    names = "posted_seq, id, dr_account, cr_account, amount_fen, code, kind, group_id, ref"
    with reading(engine) as conn:
        answers = conn.execute(text("SELECT id, digest, result FROM request ORDER BY id")).all()
        return conn.execute(text(f"SELECT {names} FROM transfer ORDER BY 1")).all(), [
            (one.id, bytes(one.digest), one.result) for one in answers
        ]


def test_a_ledger_of_older_tables_is_carried_over_and_back_and_over_again(before):
    engine, posted, refused = before
    assert len(posted) > 100
    assert {*refused.values()} == {"group_failed", "debit_account_missing", "credit_account_missing"}
    then = rows(engine)
    to(engine, migrate.scripts_of(CORE).get_current_head())
    check(engine, posted, refused)
    to(engine, OLD)
    assert rows(engine) == then
    to(engine, migrate.scripts_of(CORE).get_current_head())
    check(engine, posted, refused)
    with writing(engine) as conn:
        # Other packages' tables are not known here, and would be "removed".
        assert [one for one in migrate.drift(conn) if not one.startswith("('remove_")] == []


def test_an_upgraded_ledger_goes_on_where_it_was(before):
    engine, posted, _ = before
    migrate.upgrade(engine)
    ledger = Ledger(engine)
    held = attrs.evolve(posted[0], id=UUID(int=9001), kind=Kind.PENDING, group=None)
    with writing(engine) as conn:
        assert ledger.post_all(conn, [held])
        assert ledger.find(conn, [held.id])[held.id].posted_seq == len(posted) + 1
        assert ledger.audit(conn) == []
    # The tables of then cannot say what a hold is.
    with pytest.raises(AssertionError, match="older tables"):
        to(engine, OLD)
    with reading(engine) as conn:
        assert ledger.hold(conn, held.id).state == "pending"


def test_an_empty_ledger_is_carried_over_too(store_url):
    engine = open_store(store_url)
    to(engine, OLD)
    migrate.upgrade(engine)
    with reading(engine) as conn:
        assert Ledger(engine).audit(conn) == []
    to(engine, OLD)
    engine.dispose()
