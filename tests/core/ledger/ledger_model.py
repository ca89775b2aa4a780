"""The ledger as its page describes it, written again without a database and without its code.

There is one list, the journal, of what was posted. Everything else is read off it anew whenever it is
asked for: what an account holds, what became of a hold, what may still be taken back, what a limit has
used. So there is nothing that could get out of step, and a group is undone by cutting the journal.
"""

import hashlib
from datetime import UTC
from uuid import UUID

SAME = (
    "debit_address",
    "credit_address",
    "amount_fen",
    "code",
    "event_time",
    "business_date",
    "group",
    "ref",
    "kind",
    "pending_id",
    "expires_at",
    "reverses",
)
ENDS = {"post": "posted", "void": "voided", "expire": "expired"}


class Entry:
    """What was posted: the content of a transfer as attributes, its conditions, its place and its time."""

    def __init__(self, identity, fields, limits, number, at):
        vars(self).update(fields, content=fields, id=identity, limits=limits, number=number, at=at)
        self.moved = self.amount_fen if self.kind in {"single", "post"} else 0


def content(transfer):
    """Give what an id stands for: every field but the id and the conditions."""
    fields = {name: getattr(transfer, name) for name in SAME}
    if fields["expires_at"] is not None:
        fields["expires_at"] = fields["expires_at"].astimezone(UTC)
    return fields | {"kind": str(transfer.kind), "code": int(transfer.code)}


def expiry_id(hold):
    """Give the id of the transfer that ends a hold when its time is over."""
    return UUID(bytes=hashlib.blake2b(f"expiry\x1f{hold}".encode(), digest_size=16).digest())


class Ledger:
    """One transfer after the other; ``accounts`` gives guard, side and currency by address."""

    def __init__(self, accounts):
        self.accounts = dict(accounts)
        self.journal = []
        self.answers = {}

    # ── what the journal says ────────────────────────────────────────────────────────────────────

    def sums(self):
        """Give posted debits and credits, pending debits and credits of every account."""
        sums = {address: [0, 0, 0, 0] for address in self.accounts}
        ended = {one.pending_id for one in self.journal}
        for entry in self.journal:
            for side, address in enumerate((entry.debit_address, entry.credit_address)):
                sums[address][side] += entry.moved
                if entry.kind == "pending" and entry.id not in ended:
                    sums[address][2 + side] += entry.amount_fen
        return sums

    def history(self, address):
        return [one for one in self.journal if address in {one.debit_address, one.credit_address}]

    def balance_at(self, address, at):
        then = [one for one in self.history(address) if one.at <= at]
        net = sum(one.moved if one.debit_address == address else -one.moved for one in then)
        return net if self.accounts[address]["side"] == "D" else -net

    def states(self):
        """Give what became of each hold, by its id."""
        ends = {one.pending_id: ENDS[one.kind] for one in self.journal if one.pending_id is not None}
        return {one.id: ends.get(one.id, "pending") for one in self.journal if one.kind == "pending"}

    def entry(self, identity):
        return next((one for one in self.journal if one.id == identity), None)

    def left_of(self, entry):
        return entry.amount_fen - sum(one.amount_fen for one in self.journal if one.reverses == entry.id)

    def uses(self):
        """Give fen and count of what was posted and held under every key."""
        uses = {}
        ends = {one.pending_id: one for one in self.journal}
        for entry in self.journal:
            end = ends.get(entry.id) if entry.kind == "pending" else None
            fen = entry.amount_fen if end is None else end.moved
            for limit in entry.limits:
                used = uses.setdefault(limit.key, [0, 0])
                used[0] += fen
                used[1] += fen > 0
        return uses

    # ── posting ──────────────────────────────────────────────────────────────────────────────────

    def post(self, batch, clock):
        """Answer a call; each answer is the result and whether it is repeated."""
        if not batch:
            return []
        self.now = max([clock, *(one.at for one in self.journal[-1:])])
        self._expire()
        out = [None] * len(batch)
        done = set()
        for place, transfer in enumerate(batch):
            if transfer.group is None:
                out[place] = self._one(transfer)
            elif transfer.group not in done:
                done.add(transfer.group)
                places = [other for other, one in enumerate(batch) if one.group == transfer.group]
                for other, answer in zip(places, self._group([batch[one] for one in places]), strict=True):
                    out[other] = answer
        return out

    def _expire(self):
        states = self.states()
        over = [one for one in self.journal if states.get(one.id) == "pending" and self._is_over(one)]
        for hold in sorted(over, key=lambda one: (one.expires_at, one.number)):
            ended = (hold.event_time + (hold.expires_at - hold.at)).replace(microsecond=0)
            fields = hold.content | {
                "kind": "expire",
                "pending_id": hold.id,
                "expires_at": None,
                "event_time": ended,
                "business_date": ended.date(),
                "group": None,
            }
            # Somebody may have used this id for something else: then the ledger takes one that nobody knows.
            identity = expiry_id(hold.id)
            identity = None if identity in self.answers else identity
            self._append(identity, fields, ())
            if identity is not None:
                self.answers[identity] = (fields, "posted")

    def _is_over(self, hold):
        return hold.expires_at is not None and hold.expires_at <= self.now

    def _append(self, identity, fields, limits):
        self.journal.append(Entry(identity, fields, limits, len(self.journal) + 1, self.now))

    def _one(self, transfer):
        if transfer.id in self.answers:
            return self._again(transfer), True
        result = self._apply(transfer)
        self.answers[transfer.id] = (content(transfer), result)
        return result, False

    def _again(self, transfer):
        before, result = self.answers[transfer.id]
        now = content(transfer)
        if before == now:
            return "exists" if result == "posted" else result
        if result != "posted":
            return "exists_with_different_content"
        return "exists_with_different_" + next(name for name in SAME if before[name] != now[name])

    def _group(self, members):
        fresh = {}
        for member in members:
            if member.id not in self.answers:
                fresh.setdefault(member.id, member)
        same = all(content(fresh[one.id]) == content(one) for one in members if one.id in fresh)
        complete = all(one.id in fresh for one in members)
        start = len(self.journal)
        results = {}
        for identity, member in fresh.items():
            before_it = same and complete and all(result == "posted" for result in results.values())
            results[identity] = self._apply(member) if before_it else "group_failed"
        if any(result != "posted" for result in results.values()):
            del self.journal[start:]
            results = {one: "group_failed" if what == "posted" else what for one, what in results.items()}
        for identity, member in fresh.items():
            self.answers[identity] = (content(member), results[identity])
        answers = []
        for member in members:
            first = fresh.get(member.id) is member
            answers.append((results[member.id], False) if first else (self._again(member), True))
            if first:
                del fresh[member.id]
        return answers

    def _apply(self, transfer):
        refused = self._refused(transfer)
        if refused is None:
            self._append(transfer.id, content(transfer), transfer.limits)
        return refused or "posted"

    def _refused(self, transfer):
        debit, credit = transfer.debit_address, transfer.credit_address
        if debit not in self.accounts:
            return "debit_account_missing"
        if credit not in self.accounts:
            return "credit_account_missing"
        if self.accounts[debit]["currency"] != self.accounts[credit]["currency"]:
            return "currencies_differ"
        if transfer.kind in ENDS:
            return self._end_refused(transfer)
        return (
            self._reversal_refused(transfer) or self._guard_refused(transfer) or self._limit_refused(transfer)
        )

    def _end_refused(self, transfer):
        hold = self.entry(transfer.pending_id)
        if hold is None or hold.kind != "pending":
            return "hold_missing"
        state = self.states()[hold.id]
        if state != "pending" or self._is_over(hold):
            return "hold_expired" if state == "pending" else f"hold_{state}"
        if (hold.debit_address, hold.credit_address) != (transfer.debit_address, transfer.credit_address):
            return "hold_differs"
        if transfer.amount_fen > hold.amount_fen:
            return "amount_exceeds_hold"
        if transfer.kind == "void" and transfer.amount_fen != hold.amount_fen:
            return "hold_differs"
        return None

    def _reversal_refused(self, transfer):
        if transfer.reverses is None:
            return None
        posted = self.entry(transfer.reverses)
        if posted is None or not posted.moved:
            return "reversed_missing"
        if (posted.credit_address, posted.debit_address) != (transfer.debit_address, transfer.credit_address):
            return "reversal_differs"
        return "amount_exceeds_reversed" if transfer.amount_fen > self.left_of(posted) else None

    def _guard_refused(self, transfer):
        fen, sums = transfer.amount_fen, self.sums()
        guards = [self.accounts[one]["guard"] for one in (transfer.debit_address, transfer.credit_address)]
        debits, credits_, debits_held, _ = sums[transfer.debit_address]
        if guards[0] == "dr<=cr" and debits + debits_held + fen > credits_:
            return "debits_exceed_credits"
        debits, credits_, _, credits_held = sums[transfer.credit_address]
        if guards[1] == "cr<=dr" and credits_ + credits_held + fen > debits:
            return "credits_exceed_debits"
        return None

    def _limit_refused(self, transfer):
        uses = self.uses() if transfer.limits else {}
        for limit in transfer.limits:
            fen, count = uses.get(limit.key, (0, 0))
            if limit.max_fen is not None and fen + transfer.amount_fen > limit.max_fen:
                return "limit_amount_exceeded"
            if limit.max_count is not None and count + 1 > limit.max_count:
                return "limit_count_exceeded"
        return None
