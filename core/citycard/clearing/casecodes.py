"""The words for what is decided after a run: how, who bears it, and the codes of the money it moves."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["AdjustmentCode", "Bearer", "Party", "Ruling", "Verdict", "trimmed"]


def trimmed(text: str) -> str:
    """Give what somebody wrote without the blanks around it, which make no other decision."""
    return text.strip()


class Ruling(StrEnum):
    """How an exception is decided: paid as charged, rejected for good, or left to the partner to dispute."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    LEFT = "left"


class Bearer(StrEnum):
    """Who pays what a decision moves.

    ``card``: the card whose record it is; ``issuer``: the city, as a loss; ``partner``: another partner, by
    name; ``partners``: those that were paid, in the shares in which they have it.
    """

    CARD = "card"
    ISSUER = "issuer"
    PARTNER = "partner"
    PARTNERS = "partners"


class Party(StrEnum):
    """Who disputes: a partner, or the holder of a card through a clerk."""

    PARTNER = "partner"
    HOLDER = "holder"


class Verdict(StrEnum):
    """How a dispute ends: upheld in full, upheld in part, refused."""

    UPHELD = "upheld"
    PART = "part"
    REFUSED = "refused"


class AdjustmentCode(StrEnum):
    """Say why money moved after a run; ``meaning`` is a sentence for people."""

    A01 = "A01"
    A02 = "A02"
    A03 = "A03"
    A04 = "A04"
    A05 = "A05"
    A06 = "A06"
    A07 = "A07"

    @property
    def meaning(self) -> str:
        """Give the sentence for people."""
        return _MEANINGS[self.value]


_MEANINGS = {
    "A01": "an exception was accepted; the card pays it",
    "A02": "an exception was accepted; the city bears it",
    "A03": "a partner's dispute was upheld; the card pays it",
    "A04": "a partner's dispute was upheld; the city bears it",
    "A05": "a partner's dispute was upheld; another partner gives it back",
    "A06": "a holder's dispute was upheld; the partners that were paid give it back",
    "A07": "a holder's dispute was upheld; the city bears it",
}
