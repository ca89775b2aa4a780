"""Decide what becomes of each transfer, in order, from values alone: no database is touched here.

Transfers are judged one after the other, each on the balances that those before it leave. A group is
judged where its first member stands, and either all of its new members are accepted or none.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from citycard.ledger.records import Kind, Outcome, Result, Transfer
from citycard.ledger.standing import Standings

__all__ = ["Judge", "Known", "content_of", "different", "digest_of", "first_difference"]

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
    text = content_of(t.debit_address, t.credit_address, t.amount_fen, t)
    if t.kind is not Kind.SINGLE or t.reverses is not None:
        # One moment is one content, in whichever time zone it is said.
        expires_at = t.expires_at and t.expires_at.astimezone(UTC)
        text += f"\x1f{t.kind}\x1f{t.pending_id}\x1f{expires_at}\x1f{t.reverses}"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def content_of(debit_address: str, credit_address: str, amount_fen: int, like: Transfer) -> str:
    """Write what a single transfer says that is like another one but for its accounts and its amount."""
    return (
        f"{debit_address}\x1f{credit_address}\x1f{amount_fen}\x1f{like.code}\x1f"
        f"{_when(like.event_time, like.business_date)}\x1f{like.group}\x1f{like.ref}"
    )


@lru_cache(maxsize=10_000)
def _when(event_time: datetime, business_date: date) -> str:
    # Many transfers share a second, and writing it costs more than all the rest.
    return f"{event_time}\x1f{business_date}"


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


class Known(NamedTuple):
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

    ``known`` holds what is remembered of their ids (as integers), ``standings`` all that they touch and is
    brought up to date while judging. Afterwards ``accepted`` are the transfers to post, in order, ``settled``
    those that have a new answer, with their ``digests`` and ``results``; of them, those that are posted stand
    in the same order.
    """

    def __init__(self, known: Mapping[int, Known], standings: Standings) -> None:
        self._known = known
        self._standings = standings
        self.accepted: list[Transfer] = []
        # Three lists, and not a record for each: what is not made, nobody must collect.
        self.settled: list[Transfer] = []
        self.digests: list[bytes] = []
        self.results: list[Result] = []
        #: Where among them an id of this call is.
        self._places: dict[int, int] = {}

    def judge(self, transfers: Sequence[Transfer]) -> list[Outcome]:
        """Answer every transfer, in the order in which they are given."""
        groups = _groups(transfers)
        answers: dict[int, Outcome] = {}
        outcomes = []
        for place, transfer in enumerate(transfers):
            if transfer.group is None:
                outcomes.append(self._single(transfer))
                continue
            # A group is judged where its first member stands.
            if place not in answers:
                places = groups[transfer.group]
                judged = self._group([transfers[one] for one in places])
                answers |= zip(places, judged, strict=True)
            outcomes.append(answers[place])
        return outcomes

    def _single(self, transfer: Transfer) -> Outcome:
        digest = digest_of(transfer)
        known = self._known_of(transfer.id.int)
        if known is not None:
            return known.answer(transfer, digest)
        result = self._standings.check(transfer)
        if result is Result.POSTED:
            self._standings.apply(transfer, 1)
        self._settle(transfer, digest, result)
        return Outcome(id=transfer.id, result=result)

    def _group(self, members: Sequence[Transfer]) -> list[Outcome]:
        new: dict[int, Transfer] = {}
        for member in members:
            if self._known_of(member.id.int) is None:
                new.setdefault(member.id.int, member)
        results = self._try(members, new)
        for key, transfer in new.items():
            self._settle(transfer, digest_of(transfer), results[key])
        answers = []
        for member in members:
            if new.get(member.id.int) is member:
                answers.append(Outcome(id=member.id, result=results[member.id.int]))
                del new[member.id.int]
            else:
                known = self._known_of(member.id.int)
                assert known is not None
                answers.append(known.answer(member, digest_of(member)))
        return answers

    def _try(self, members: Sequence[Transfer], new: Mapping[int, Transfer]) -> dict[int, Result]:
        """Judge the new members of a group and undo everything if one of all its members fails."""
        # A group that was answered is complete: whoever comes later with its name does not belong to it.
        broken = bool(new) and any(member.id.int not in new for member in members)
        broken = broken or any(
            digest_of(new[one.id.int]) != digest_of(one) for one in members if one.id.int in new
        )
        results: dict[int, Result] = {}
        applied: list[Transfer] = []
        for key, transfer in new.items():
            result = Result.GROUP_FAILED if broken else self._standings.check(transfer)
            results[key] = result
            if result is Result.POSTED:
                self._standings.apply(transfer, 1)
                applied.append(transfer)
            else:
                broken = True
        if broken:
            # The last first: what a member began, a later one may have ended or taken back.
            for transfer in reversed(applied):
                self._standings.apply(transfer, -1)
                results[transfer.id.int] = Result.GROUP_FAILED
        return results

    def _settle(self, transfer: Transfer, digest: bytes, result: Result) -> None:
        """Remember an answer; what was accepted has taken effect already."""
        if result is Result.POSTED:
            self.accepted.append(transfer)
        self._places[transfer.id.int] = len(self.settled)
        self.settled.append(transfer)
        self.digests.append(digest)
        self.results.append(result)

    def _known_of(self, key: int) -> Known | None:
        """Give what is remembered of an id, from this call or from before."""
        place = self._places.get(key)
        if place is None:
            return self._known.get(key)
        result = self.results[place]
        posted = self.settled[place] if result is Result.POSTED else None
        return Known(self.digests[place], result, posted)


def _groups(transfers: Sequence[Transfer]) -> dict[UUID, list[int]]:
    """Give the places of the members of each group."""
    groups: dict[UUID, list[int]] = defaultdict(list)
    for place, transfer in enumerate(transfers):
        if transfer.group is not None:
            groups[transfer.group].append(place)
    return groups
