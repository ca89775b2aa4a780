"""The states a file and a record can end in, and the codes that say why (docs/clearing.md lists them)."""

from __future__ import annotations

from enum import Enum, StrEnum

__all__ = ["FINDINGS", "UNMOVED", "Code", "FileCode", "FileState", "State"]


class State(StrEnum):
    """Say where a record ended; every record ends in exactly one."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    DUPLICATE = "duplicate"


class FileState(StrEnum):
    """Say where a batch file ended; every file handed in ends in exactly one."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"


class FileCode(StrEnum):
    """Say why a batch file did not end accepted, or (F05) that one is missing."""

    OK = "OK"
    F01 = "F01"
    F02 = "F02"
    F03 = "F03"
    F04 = "F04"
    F05 = "F05"
    F06 = "F06"
    F07 = "F07"
    F08 = "F08"
    L02 = "L02"

    @property
    def meaning(self) -> str:
        """Give the sentence for people."""
        return _FILE_MEANINGS[self.value]


_FILE_MEANINGS = {
    "OK": "in order",
    "F01": "the terminal or the sender is not registered, or is closed",
    "F02": "neither the terminal's nor the sender's signature verifies",
    "F03": "the digest is not that of the content or of the manifest",
    "F04": "the file, or another one with its terminal and batch number, was accepted before",
    "F05": "the batch or file is missing in the terminal's or sender's numbers, or from a manifest",
    "F06": "the trailer's count or total differs from the records",
    "F07": "the version or the form is not known, or the file cannot be read",
    "F08": "the business date is so long ago that the file has expired",
    "L02": "the file came too late: somebody must release it",
}

FINDINGS = {
    "N01": "partners were owed more than their cap for one run: the rest stays payable",
    "N02": "partners are suspended: what they are owed stays payable",
    "Q01": "sequence numbers of a terminal are missing",
    "Q02": "a terminal's sequence numbers went back: it was reset or replaced",
}
"""What a run can find about partners and terminals beside what it finds about records."""


class Code(Enum):
    """Say why a record ended where it did. ``state`` is where, ``title`` a sentence for people."""

    OK = State.ACCEPTED, "in order"
    R01 = State.REJECTED, "a field of the record cannot be read"
    R02 = State.REJECTED, "the issuer does not take part"
    R03 = State.REJECTED, "the record's terminal is not the one that signed the batch, or not registered"
    R04 = State.SUSPENDED, "the time is in the future or too long ago"
    R05 = (
        State.REJECTED,
        "balance before less amount is not balance after, or the amount is over the limit for one debit",
    )
    R06 = State.REJECTED, "the type of transaction is not known"
    R07 = State.REJECTED, "the algorithm is not known"
    R08 = State.REJECTED, "the terminal's MAC over the record is wrong"
    D01 = State.DUPLICATE, "the same record came twice"
    D02 = State.SUSPENDED, "another record of the same card and counter has other content"
    D03 = State.SUSPENDED, "another record of the same card has this serial of the terminal, and so its proof"
    D04 = State.DUPLICATE, "an earlier run has this record"
    T01 = State.REJECTED, "the card's TAC is wrong"
    T02 = State.SUSPENDED, "the TAC's key version is not known"
    T03 = State.SUSPENDED, "the TAC could not be checked: the vault could not use its key; a later run does"
    T04 = State.REJECTED, "a test card, or the TAC's key version was one for tests"
    B01 = State.REJECTED, "the card was on the blacklist that the terminal held; the acquirer bears it"
    B02 = State.ACCEPTED, "the card was blacklisted, the terminal held an older list; the issuer bears it"
    B03 = State.REJECTED, "the card was never issued, or is closed"
    B04 = State.REJECTED, "the card had expired before the tap; the acquirer bears it"
    B05 = State.SUSPENDED, "the terminal is revoked"
    B06 = State.SUSPENDED, "the record was made after the terminal's SAM was revoked"
    C01 = State.ACCEPTED, "counters before this one are missing; a gap is open"
    C02 = State.SUSPENDED, "the counter went back to one that is neither missing nor known"
    C03 = State.SUSPENDED, "the balance does not follow from the one before and the loads between"
    C04 = State.ACCEPTED, "the card paid more than the city knows to be on it: its shadow went below zero"
    G01 = State.SUSPENDED, "the debit is unconfirmed: the card never gave its TAC"
    G02 = State.ACCEPTED, "a trip without its entry, or the one before never ended; paid as charged"
    G04 = State.REJECTED, "the unconfirmed debit did not happen: the card used its counter for another one"
    G05 = State.ACCEPTED, "the unconfirmed debit happened: the card went on from it"
    L01 = State.ACCEPTED, "a missing counter arrived late; its gap is closed"
    P01 = State.ACCEPTED, "the price differs from the one recomputed; paid as charged"
    P02 = State.SUSPENDED, "no rule gives a price"
    P03 = State.SUSPENDED, "the price differs by more than the limit"
    X01 = State.SUSPENDED, "a card of another city: in order here, and waits for what its issuer says"

    state: State
    title: str

    def __init__(self, state: State, title: str) -> None:
        self.state = state
        self.title = title

    def __str__(self) -> str:
        return self.name

    @property
    def is_work(self) -> bool:
        """Say whether people decide a record of it: it is not paid, or was with money that nobody loaded."""
        return self.state in {State.SUSPENDED, State.REJECTED} or self is Code.C04


UNMOVED = frozenset(
    {
        *(Code.R01, Code.R02, Code.R03, Code.R05, Code.R06, Code.R07, Code.R08),
        *(Code.D01, Code.D03, Code.D04),
        *(Code.T01, Code.T02, Code.T03, Code.T04),
        *(Code.B03, Code.G01, Code.G04, Code.X01),
    }
)
"""Codes of records by which no card of the city's moved, as far as clearing knows."""
