from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from uuid import UUID

import attrs
import jsonschema

from citycard.web.schemas import plain, schema_of


class Colour(StrEnum):
    RED = "red"


@attrs.frozen(kw_only=True)
class Leaf:
    """A leaf."""

    at: dt.datetime
    tall_fen: int

    @property
    def double_fen(self) -> int:
        """Twice."""
        return self.tall_fen * 2


@attrs.frozen(kw_only=True)
class Tree:
    """A tree with leaves.

    And more words.
    """

    id: UUID
    day: dt.date | None
    colour: Colour
    key: bytes
    file: Path
    leaves: tuple[Leaf, ...]
    tags: frozenset[str]
    counts: Mapping[str, int]
    pairs: tuple[tuple[str, int], ...]


TREE = Tree(
    id=UUID(int=1),
    day=None,
    colour=Colour.RED,
    key=b"\x0f",
    file=Path("a/b"),
    leaves=(Leaf(at=dt.datetime(2026, 3, 2, 6), tall_fen=5),),
    tags=frozenset({"b", "a"}),
    counts={"x": 1},
    pairs=(("a", 1),),
)


def test_records_become_objects_with_their_properties():
    assert plain(TREE) == {
        "id": "00000000-0000-0000-0000-000000000001",
        "day": None,
        "colour": "red",
        "key": "0F",
        "file": "a/b",
        "leaves": [{"at": "2026-03-02T06:00:00", "tall_fen": 5, "double_fen": 10}],
        "tags": ["a", "b"],
        "counts": {"x": 1},
        "pairs": [["a", 1]],
    }


def test_the_schema_fits_what_is_said():
    known = {}
    schema = schema_of(Tree, known)
    assert (schema, set(known)) == ({"$ref": "#/components/schemas/Tree"}, {"Tree", "Leaf"})
    assert known["Tree"]["description"] == "A tree with leaves."
    jsonschema.validate(plain(TREE), {**schema, "components": {"schemas": known}})


def test_what_is_not_known_may_be_anything():
    assert schema_of(object, {}) == {}
