"""An event's body comes out of JSON as the record its plugin declared, or is refused with a sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import attrs
import pytest

from citycard.errors import EventUnknown
from citycard.kernel.bodies import read_body


@attrs.frozen(kw_only=True)
class Fed:
    animal: str
    grams: int = attrs.field(validator=attrs.validators.gt(0))
    on: date = date(2018, 9, 1)
    at: datetime | None = None
    keeper: UUID | None = None


@attrs.frozen
class Unresolved:
    food: Nothing  # noqa: F821 - a plugin that imported it for type checkers only


def test_days_moments_and_ids_are_read():
    content = {
        "animal": "lion",
        "grams": 5,
        "on": "2018-09-02",
        "at": "2018-09-02T08:00:00+00:00",
        "keeper": str(UUID(int=7)),
    }

    assert read_body("zoo.fed", content, Fed) == Fed(
        animal="lion",
        grams=5,
        on=date(2018, 9, 2),
        at=datetime(2018, 9, 2, 8, tzinfo=UTC),
        keeper=UUID(int=7),
    )


def test_fields_of_a_newer_version_are_left_out():
    assert read_body("zoo.fed", {"animal": "lion", "grams": 5, "mood": "good"}, Fed).animal == "lion"


@pytest.mark.parametrize(
    "content", [{}, {"animal": "lion", "grams": 0}, {"animal": "lion", "grams": 1, "on": "today"}]
)
def test_a_body_that_does_not_fit_is_refused(content):
    with pytest.raises(EventUnknown, match=r"event 'zoo\.fed' cannot be told: its body is not valid"):
        read_body("zoo.fed", content, Fed)


def test_a_class_that_cannot_be_read_is_the_plugins_failure_and_nobody_elses():
    with pytest.raises(EventUnknown, match="NameError"):
        read_body("zoo.fed", {"food": "meat"}, Unresolved)
