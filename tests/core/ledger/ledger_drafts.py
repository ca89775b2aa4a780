"""Transfers before their ids are known, drawn as bytes: what a caller might send to a ledger."""

import itertools

import attrs
from hypothesis import strategies as st

PAIRS = [*itertools.permutations("abcde", 2), *itertools.permutations("pq", 2), ("a", "p"), ("q", "b")]
PAIRS += [("a", "late"), ("late", "c"), ("nowhere", "b"), ("a", "nowhere")]

#: What each byte of a draft stands for: the more often it is listed, the more often it is drawn.
CHOICES = {
    "number": [1, 1, 1, 1, 1, 1, 2, 3, 0, -1, -5],
    "kind": ["single", "single", "pending", "pending", "post", "post", "void", "back"],
    "follows": ["posted", "posted", "posted", "posted", "sent", "named", "nothing"],
    "back": [0, 0, 0, 0, 1, 1, 2, 3, 5, 8, 13],
    "pair": PAIRS,
    "fen": [1, 2, 3, 4, 5, 6],
    "group": [None, None, None, None, None, 0, 1, 2],
    "variant": [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4],
    "expires": [None, None, None, 0, 1, 3, 9],
    "limits": [(), (), (), (), ("day",), ("week",), ("day", "week"), ("shop", "day")],
    "max_fen": [None, None, 60, 30, 9, 0],
    "max_count": [None, None, 9, 3],
}


@attrs.frozen(kw_only=True)
class Draft:
    """A transfer before its ids are known.

    ``number`` counts from the newest id that was used, ``back`` among the transfers that were posted or sent;
    which of these it follows, or only names, is in ``follows``.
    """

    number: int
    kind: str
    follows: str
    back: int
    pair: tuple
    fen: int
    group: int | None
    variant: int
    expires: int | None
    limits: tuple
    max_fen: int | None
    max_count: int | None

    @classmethod
    def of(cls, drawn):
        """Read bytes, which are drawn faster than one choice after the other."""
        by_name = zip(CHOICES.items(), drawn, strict=True)
        return cls(**{name: choices[byte % len(choices)] for (name, choices), byte in by_name})


def drafts(*, most=5):
    """Draw what is sent in one call; every third call is one group."""
    size = len(CHOICES)

    def read(drawn):
        some = [Draft.of(drawn[start : start + size]) for start in range(1, len(drawn) - size + 1, size)]
        return [attrs.evolve(one, group=0) for one in some] if drawn[0] % 3 == 2 else some

    return st.binary(min_size=1 + size, max_size=1 + most * size).map(read)
