"""The ledger as its page describes it, written again without a database and without its code."""

import copy


class Ledger:
    """One transfer after the other, on plain dictionaries; groups by trying and going back."""

    def __init__(self, guards):
        self.guards = dict(guards)
        self.sums = {address: [0, 0] for address in guards}
        self.answers = {}
        self.posted = []

    def balance(self, address):
        return self.sums[address]

    def post(self, batch):
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
        return "exists_with_different_" + next(name for name in before if before[name] != now[name])

    def _group(self, members):
        kept = copy.deepcopy((self.sums, self.posted))
        fresh = {}
        for member in members:
            if member.id not in self.answers and member.id not in fresh:
                fresh[member.id] = member
        old = [member for member in members if member.id in self.answers]
        sane = all(self._again(member) == "exists" for member in old)
        sane = sane and all(content(fresh[one.id]) == content(one) for one in members if one.id in fresh)
        sane = sane and not (fresh and old)
        results = {}
        for identity, member in fresh.items():
            if not sane or any(result != "posted" for result in results.values()):
                results[identity] = "group_failed"
            else:
                results[identity] = self._apply(member)
        if any(result != "posted" for result in results.values()):
            self.sums, self.posted = kept
            results = {one: "group_failed" if what == "posted" else what for one, what in results.items()}
        for identity, member in fresh.items():
            self.answers[identity] = (content(member), results[identity])
        first = set(fresh)
        answers = []
        for member in members:
            if member.id in first and member is fresh[member.id]:
                first.remove(member.id)
                answers.append((results[member.id], False))
            else:
                answers.append((self._again(member), True))
        return answers

    def _apply(self, transfer):
        debit, credit, fen = transfer.debit_address, transfer.credit_address, transfer.amount_fen
        if debit not in self.sums:
            return "debit_account_missing"
        if credit not in self.sums:
            return "credit_account_missing"
        if self.guards[debit] == "dr<=cr" and self.sums[debit][0] + fen > self.sums[debit][1]:
            return "debits_exceed_credits"
        if self.guards[credit] == "cr<=dr" and self.sums[credit][1] + fen > self.sums[credit][0]:
            return "credits_exceed_debits"
        self.sums[debit][0] += fen
        self.sums[credit][1] += fen
        self.posted.append(transfer.id)
        return "posted"


def content(transfer):
    return {
        "debit_address": transfer.debit_address,
        "credit_address": transfer.credit_address,
        "amount_fen": transfer.amount_fen,
        "code": transfer.code,
        "event_time": transfer.event_time,
        "business_date": transfer.business_date,
        "group": transfer.group,
        "ref": transfer.ref,
    }
