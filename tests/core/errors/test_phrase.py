"""A phrase is the finished English words, and remembers how they were put together."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from citycard.errors import CitycardError, LimitExceeded, Phrase, RegistryMissing

LATE = Phrase("late by {minutes:.1f} minutes", minutes=2)
NAMED = Phrase("{name!r} is {reason}", name="Ann", reason=LATE)


class LateArrival(CitycardError):
    """Somebody came late."""

    sentence = "{name!r} is {reason}"


def test_a_phrase_is_the_finished_words():
    assert NAMED == "'Ann' is late by 2.0 minutes"
    assert json.dumps({"reason": NAMED}) == '{"reason": "\'Ann\' is late by 2.0 minutes"}'


def test_a_phrase_remembers_its_template_and_what_filled_it_in():
    assert (NAMED.template, dict(NAMED.parts)) == (
        "{name!r} is {reason}",
        {"name!r": "'Ann'", "reason": "late by 2.0 minutes"},
    )
    assert NAMED.parts["reason"].template == "late by {minutes:.1f} minutes"


def test_another_template_is_filled_in_with_the_same_parts():
    words = {LATE: "zwei Minuten zu spät"}
    assert (
        NAMED.filled("{reason}: {name!r}", lambda part: words.get(part, part))
        == "zwei Minuten zu spät: 'Ann'"
    )


def test_only_words_and_phrases_are_said_again_and_never_a_name():
    said = []
    Phrase("{name}, {reason}, {place}", name="Ann", reason="late", place=LATE).filled(
        "{name}, {reason}, {place}", lambda part: said.append(str(part)) or part
    )
    assert said == ["late", "late by 2.0 minutes"]


def test_a_template_with_another_field_or_none_at_all_is_not_filled_in():
    with pytest.raises(KeyError):
        NAMED.filled("{nobody}", str)
    with pytest.raises(ValueError, match="expected '}'"):
        NAMED.filled("{name", str)


def test_braces_in_what_fills_it_in_are_left_alone():
    assert Phrase("{reason}", reason="{not a field}").filled("«{reason}»", str) == "«{not a field}»"


def test_phrases_are_joined_and_stay_phrases():
    joined = Phrase.joined([LATE, "tired", NAMED])
    assert joined == f"{LATE}; tired; {NAMED}"
    assert joined.filled("{problem}, {problems}", lambda part: f"<{part}>") == f"<{LATE}; tired>, <{NAMED}>"
    assert Phrase.joined([LATE]) is LATE


@pytest.mark.parametrize("again", [copy.deepcopy, lambda words: pickle.loads(pickle.dumps(words))])
def test_a_phrase_is_the_same_in_another_process(again):
    there = again(NAMED)
    assert (type(there), there, there.template, there.parts) == (Phrase, NAMED, NAMED.template, NAMED.parts)


def test_an_error_says_its_phrase():
    error = LateArrival(name="Ann", reason=LATE)
    assert (str(error), error.phrase, error.data) == (str(NAMED), NAMED, {"name": "Ann", "reason": LATE})
    assert pickle.loads(pickle.dumps(error)).phrase.parts == NAMED.parts


def test_an_error_inside_a_phrase_is_a_phrase_too():
    closed = Phrase("{reason}: come tomorrow", reason=LateArrival(name="Ann", reason="ill"))
    assert (closed, closed.parts["reason"].template) == (
        "'Ann' is ill: come tomorrow",
        "{name!r} is {reason}",
    )


def test_an_error_that_finds_its_own_words_has_them_in_its_phrase():
    missing = RegistryMissing(record="partner", key="nobody")
    assert missing.phrase.parts["remedy"] == "add it first with citycard partner add"
    exceeded = LimitExceeded(
        number="1", limit="pay per day, in fen", limit_value=1, used=1, wanted=1, resets_at="tomorrow"
    )
    assert exceeded.phrase.parts["until"].template == " until {resets_at}"
    assert "until" not in exceeded.data
