"""The double-entry ledger: accounts, transfers that are never changed, and one answer per id for ever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from citycard.clock import Clock, SystemClock
from citycard.errors import AccountConflict, PostingFailed
from citycard.ledger import audit, history, posting, reading
from citycard.ledger.audit import Violation
from citycard.ledger.reading import TrialBalance
from citycard.ledger.records import (
    AccountSpec,
    Balance,
    Hold,
    Outcome,
    PostedTransfer,
    Transfer,
    account_id,
)
from citycard.ledger.tables import account, account_seal, balance
from citycard.store.bulk import insert_missing, select_in

__all__ = ["Ledger"]

_COMPARED = ("code", "side", "guard", "owner", "currency")
_NOTHING = dict.fromkeys(
    ("dr_posted_fen", "cr_posted_fen", "dr_pending_fen", "cr_pending_fen", "last_seq", "transfers"), 0
)


class Ledger:
    """The city's ledger in one currency (CNY, in fen).

    Every method works in the transaction of the connection it is given, so that what the caller writes
    beside the postings is committed with them or not at all. ``clock`` gives posting times.
    """

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self.engine = engine
        self.clock = clock or SystemClock()

    def open_accounts(self, conn: Connection, specs: Sequence[AccountSpec]) -> int:
        """Open accounts and return how many are new; those that are open as wanted are left alone.

        Raise AccountConflict when an address is open with another code, side, guard, owner or currency.
        """
        wanted: dict[UUID, AccountSpec] = {}
        for spec in specs:
            first = wanted.setdefault(account_id(spec.address), spec)
            if first is not spec:
                self._compare(first, spec)
        existing = self._existing(conn, wanted)
        # In one order for everybody: two who open the same accounts wait for one another, but not both.
        missing = sorted(key for key in wanted if key not in existing)
        if not missing:
            return 0
        now = self.clock.now()
        opened = [_account_row(key, wanted[key], now) for key in missing]
        new = insert_missing(conn, account, opened)
        if new < len(missing):  # somebody else opened some of them a moment ago, perhaps as something else
            self._existing(conn, wanted)
        insert_missing(
            conn,
            balance,
            [
                {"account_id": row["id"], "guard": row["guard"], "currency": row["currency"], **_NOTHING}
                for row in opened
            ],
        )
        insert_missing(conn, account_seal, [{"account_id": row["id"], "seal": None} for row in opened])
        return new

    def post(self, conn: Connection, transfers: Sequence[Transfer]) -> list[Outcome]:
        """Post transfers and answer each of them, in the order given.

        They are judged one after the other, each on the balances that those before it leave. An id is
        answered once: sent again with the same content it gets the same answer (``exists`` where it was
        posted), with other content ``exists_with_different_<field>``. Members of a group are posted all
        or none. A transfer that is not posted changes no balance. Holds whose time is over end first.
        Whoever posts holds the ledger until the transaction of ``conn`` ends: collect transfers first, then
        post and commit.
        """
        return posting.post(conn, transfers, now=self.clock.now())

    def post_all(self, conn: Connection, transfers: Sequence[Transfer]) -> list[Outcome]:
        """Post transfers that must all be in the ledger afterwards, and raise PostingFailed when one is not.

        Roll the transaction back on the error, or the answers stay remembered.
        """
        outcomes = self.post(conn, transfers)
        failed = [outcome for outcome in outcomes if not outcome.posted]
        if failed:
            first = failed[0]
            raise PostingFailed(
                failed=len(failed), total=len(outcomes), first=str(first.id), result=str(first.result)
            )
        return outcomes

    def balance_fen(self, conn: Connection, address: str) -> int:
        """Give the posted balance of an account in fen, on its own side; raise AccountMissing."""
        return reading.account_balance(conn, address).balance_fen

    def balance(self, conn: Connection, address: str) -> Balance:
        """Give an account with its sums; raise AccountMissing."""
        return reading.account_balance(conn, address)

    def balances(self, conn: Connection, code: int) -> dict[str, int]:
        """Give the posted balance in fen of every account with this code, by address."""
        return {found.address: found.balance_fen for found in reading.account_balances(conn, code)}

    def trial_balance(self, conn: Connection) -> TrialBalance:
        """Sum debits and credits by code; the two totals are equal."""
        return reading.trial_balance(conn)

    def transfers_of(
        self, conn: Connection, address: str, *, limit: int = 1000, before: int | None = None
    ) -> list[PostedTransfer]:
        """Give an account's newest transfers, newest first; ``before`` is a ``posted_seq`` to stay below."""
        return history.transfers_of(conn, address, limit=limit, before=before)

    def transfers_between(
        self, conn: Connection, address: str, since: datetime, until: datetime
    ) -> Iterator[PostedTransfer]:
        """Give an account's transfers posted after ``since`` and until ``until`` (aware), oldest first."""
        return history.transfers_between(conn, address, since, until)

    def balance_at(self, conn: Connection, address: str, at: datetime) -> int:
        """Give the posted balance of an account at a past moment (aware), in fen; raise AccountMissing."""
        return history.balance_at(conn, address, at)

    def find(self, conn: Connection, ids: Sequence[UUID]) -> dict[UUID, PostedTransfer]:
        """Give the posted transfers among these ids; holds and their ends are posted transfers too."""
        return {found.transfer.id: found for found in history.posted_transfers(conn, ids=ids)}

    def hold(self, conn: Connection, id: UUID) -> Hold | None:  # noqa: A002 - the field's own name
        """Give the hold that a pending transfer began, as it stands; None when there is none."""
        return reading.find_hold(conn, id)

    def audit(self, conn: Connection) -> list[Violation]:
        """Recompute the ledger from its transfers and return what does not hold (docs/ledger.md)."""
        return audit.audit(conn)

    def _existing(self, conn: Connection, wanted: dict[UUID, AccountSpec]) -> set[UUID]:
        columns = select(account.c.id, account.c.address, *(account.c[name] for name in _COMPARED))
        existing: set[UUID] = set()
        for row in select_in(conn, columns, account.c.id, list(wanted)):
            self._compare(
                AccountSpec(
                    address=row.address,
                    code=row.code,
                    side=row.side,
                    guard=row.guard,
                    owner=row.owner,
                    currency=row.currency,
                ),
                wanted[row.id],
            )
            existing.add(row.id)
        return existing

    @staticmethod
    def _compare(existing: AccountSpec, wanted: AccountSpec) -> None:
        for field in _COMPARED:
            here, there = getattr(existing, field), getattr(wanted, field)
            # Who opens an account need not know whose it is.
            if here != there and "" not in (here, there):
                raise AccountConflict(
                    address=wanted.address, field=field, existing=str(here), wanted=str(there)
                )


def _account_row(key: UUID, spec: AccountSpec, now: datetime) -> dict[str, Any]:
    return {
        "id": key,
        "address": spec.address,
        "code": int(spec.code),
        "side": str(spec.side),
        "guard": str(spec.guard),
        "owner": spec.owner,
        "opened_at": now,
        "currency": spec.currency,
    }
