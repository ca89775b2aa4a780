import json
from uuid import UUID

from citycard.ledger.judging import digest_of
from citycard.ledger.leaves import (
    ACCOUNT_FIELDS,
    REFUSAL_FIELDS,
    TRANSFER_FIELDS,
    accounts_query,
    content_digest,
    leaf,
    refusals_query,
    transfers_query,
)
from citycard.store import reading


def test_a_leaf_says_every_column_as_it_is_stored(busy, store):
    dialect = store.dialect.name
    with reading(store) as conn:
        transfer = conn.execute(transfers_query(dialect)).first()
        refusal = conn.execute(refusals_query(dialect)).first()
        account = conn.execute(accounts_query(dialect).order_by("address")).first()
    kind, *values = json.loads(leaf("transfer", transfer))
    said = dict(zip(TRANSFER_FIELDS, values, strict=True))
    assert (kind, said["posted_seq"], said["id"], said["amount_fen"]) == ("transfer", 1, f"{1:032x}", 500)
    assert (said["event_time"], said["business_date"]) == ("2018-09-01 08:30:00.000000", "2018-09-01")
    assert (said["result"], said["answered_seq"], said["limits"]) == ("posted", 1, None)
    assert len(said["digest"]) == 32
    assert said["posted_at"] == said["first_seen"]
    kind, *values = json.loads(leaf("refusal", refusal))
    assert (kind, dict(zip(REFUSAL_FIELDS, values, strict=True))["result"]) == (
        "refusal",
        "debit_account_missing",
    )
    kind, *values = json.loads(leaf("account", account))
    said = dict(zip(ACCOUNT_FIELDS, values, strict=True))
    assert (kind, said["address"], said["guard"]) == ("account", "bank", "none")


def test_a_hold_says_the_limits_it_counts_under(busy, store):
    with reading(store) as conn:
        rows = conn.execute(transfers_query(store.dialect.name)).all()
    assert {row.limits for row in rows if row.kind == "pending"} == {'["online/1/day"]'}
    assert {row.limits for row in rows if row.kind != "pending"} == {None}


def test_the_digest_of_a_row_is_the_one_its_answer_keeps(busy, store):
    with reading(store) as conn:
        rows = conn.execute(transfers_query(store.dialect.name)).all()
        posted = busy.find(conn, [row_id(row) for row in rows])
    assert {row.kind for row in rows} == {"single", "pending", "post", "void"}
    for row in rows:
        assert content_digest(row) == row.digest == digest_of(posted[row_id(row)].transfer).hex()


def row_id(row):

    return UUID(row.id)
