"""Decide what becomes of each transfer, in order, from values alone: no database is touched here.

Transfers are judged one after the other, each on the balances that those before it leave. A group is
judged where its first member stands, and either all of its new members are accepted or none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import attrs

from citycard.ledger.records import Kind, Outcome, Result, Transfer
from citycard.ledger.standing import Standings

__all__ = ["Judge", "Known", "different", "digest_of", "first_difference"]

_CONTENT = (
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


def digest_of(transfer: Transfer) -> bytes:
    """Give 16 bytes that stand for the content of a transfer, its id left out."""
    t = transfer
    text = (
        f"{t.debit_address}\x1f{t.credit_address}\x1f{t.amount_fen}\x1f{t.code}\x1f{t.event_time}\x1f"
        f"{t.business_date}\x1f{t.group}\x1f{t.ref}"
    )
    if t.kind is not Kind.SINGLE or t.reverses is not None:
        text += f"\x1f{t.kind}\x1f{t.pending_id}\x1f{t.expires_at}\x1f{t.reverses}"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def different(field: str) -> str:
    """Give the answer to a transfer whose id stands for another content, by the field that differs."""
    return f"exists_with_different_{field}"


def first_difference(known: Transfer | None, wanted: Transfer) -> str:
    """Name the first field in which two transfers of one id differ.

    Of a transfer that failed only the digest is kept; then the answer is ``content``.
    """
    if known is not None:
        for field in _CONTENT:
            if getattr(known, field) != getattr(wanted, field):
                return field
    return "content"


@attrs.frozen
class Known:
    """What is remembered of an id: digest, result, and the transfer itself where it was posted just now."""

    digest: bytes
    result: str
    transfer: Transfer | None = None

    def answer(self, transfer: Transfer, digest: bytes) -> Outcome:
        """Answer a transfer whose id is known: the same as the first time, or the field that differs."""
        if digest != self.digest:
            result = different(first_difference(self.transfer, transfer))
        else:
            result = Result.EXISTS if self.result == Result.POSTED else self.result
        return Outcome(id=transfer.id, result=result, repeated=True)


class Judge:
    """Judge the transfers of one call.

    ``known`` holds what is remembered of their ids, ``standings`` all that they touch; both are brought up to
    date while judging. Afterwards ``accepted`` are the transfers to post, in order, and
    ``remember`` the new answers by id.
    """

    def __init__(self, known: dict[UUID, Known], standings: Standings) -> None:
        self._known = known
        self._standings = standings
        self.accepted: list[Transfer] = []
        self.remember: dict[UUID, Known] = {}

    def judge(self, transfers: Sequence[Transfer]) -> list[Outcome]:
        """Answer every transfer, in the order in which they are given."""
        outcomes: list[Outcome | None] = [None] * len(transfers)
        for places in _units(transfers):
            members = [transfers[place] for place in places]
            answers = [self._single(members[0])] if members[0].group is None else self._group(members)
            for place, answer in zip(places, answers, strict=True):
                outcomes[place] = answer
        return [outcome for outcome in outcomes if outcome is not None]

    def _single(self, transfer: Transfer) -> Outcome:
        digest = digest_of(transfer)
        known = self._known.get(transfer.id)
        if known is not None:
            return known.answer(transfer, digest)
        result = self._standings.check(transfer)
        self._settle(transfer, digest, result)
        return Outcome(id=transfer.id, result=result)

    def _group(self, members: Sequence[Transfer]) -> list[Outcome]:
        new: dict[UUID, Transfer] = {}
        for member in members:
            if member.id not in self._known:
                new.setdefault(member.id, member)
        results = self._try(members, new)
        failed = any(result != Result.POSTED for result in results.values())
        for transfer in new.values():
            self._settle(transfer, digest_of(transfer), results[transfer.id], applied=not failed)
        answers = []
        for member in members:
            if new.get(member.id) is member:
                answers.append(Outcome(id=member.id, result=results[member.id]))
                del new[member.id]
            else:
                answers.append(self._known[member.id].answer(member, digest_of(member)))
        return answers

    def _try(self, members: Sequence[Transfer], new: Mapping[UUID, Transfer]) -> dict[UUID, str]:
        """Judge the new members of a group and undo everything if one of all its members fails."""
        # A group that was answered is complete: whoever comes later with its name does not belong to it.
        broken = bool(new) and any(member.id not in new for member in members)
        broken = broken or any(digest_of(new[one.id]) != digest_of(one) for one in members if one.id in new)
        results: dict[UUID, str] = {}
        applied: list[Transfer] = []
        for transfer in new.values():
            result = Result.GROUP_FAILED if broken else self._standings.check(transfer)
            results[transfer.id] = result
            if result is Result.POSTED:
                self._standings.apply(transfer, 1)
                applied.append(transfer)
            else:
                broken = True
        if broken:
            for transfer in applied:
                self._standings.apply(transfer, -1)
                results[transfer.id] = Result.GROUP_FAILED
        return results

    def _settle(self, transfer: Transfer, digest: bytes, result: str, *, applied: bool = False) -> None:
        posted = result == Result.POSTED
        if posted:
            self.accepted.append(transfer)
            if not applied:
                self._standings.apply(transfer, 1)
        fact = Known(digest, result, transfer if posted else None)
        self._known[transfer.id] = self.remember[transfer.id] = fact


def _units(transfers: Sequence[Transfer]) -> Iterable[list[int]]:
    """Give the places of what is judged together: one transfer, or all members of one group."""
    groups: dict[UUID, list[int]] = {}
    units: list[list[int]] = []
    for place, transfer in enumerate(transfers):
        if transfer.group is None:
            units.append([place])
        elif transfer.group in groups:
            groups[transfer.group].append(place)
        else:
            units.append([place])
            groups[transfer.group] = units[-1]
    return units
