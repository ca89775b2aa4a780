"""The contract for what errors say finds what nobody translated, on a small package on disk."""

from __future__ import annotations

import types

import pytest

from citycard.testing.errorwords import ErrorWordsContract, errors_say

ERRORS = '''
from citycard.errors import CitycardError

class CageShut(CitycardError):
    """A cage is shut."""

    status = 409
    sentence = (
        "cage {cage!r} is shut: "
        "{reason}"
    )
'''
KEEPER = """
from citycard.errors import Phrase
from citycard_zoo.errors import CageShut

WISH = {"expected": "a day"}

def open_cage(cage, hour):
    raise CageShut(cage=cage, reason=Phrase("it opens at {hour}", hour=hour))

def feed(cage, lion):
    if lion.asleep:
        raise _shut(cage, "it sleeps" if lion.old else "it digests its meal")
    raise CageShut(cage=cage, reason="no-keeper" if lion.tame else "nobody dares")

def _shut(cage, reason):
    return CageShut(cage=cage, reason=reason)
"""
TRANSLATED = {
    "cage {cage!r} is shut: {reason}": "笼舍 {cage!r} 已关闭：{reason}",
    "it opens at {hour}": "{hour} 开放",
    "a day": "日期",
    "it sleeps": "它在睡觉",
    "it digests its meal": "它在消化",
    "nobody dares": "无人敢进",
}
EVERYTHING, FIELDS, ENGLISH, GONE = (
    "test_everything_that_errors_say_has_a_translation",
    "test_a_translation_has_exactly_the_same_fields",
    "test_a_translation_is_not_the_english_words",
    "test_no_translation_is_left_of_words_that_are_gone",
)


@pytest.fixture
def zoo(tmp_path):
    """A package whose errors are translated as a test says."""
    (tmp_path / "errors.py").write_text(ERRORS, encoding="utf-8")
    (tmp_path / "keeper.py").write_text(KEEPER, encoding="utf-8")
    folder = tmp_path / "locale" / "zh" / "LC_MESSAGES"
    folder.mkdir(parents=True)

    def speaking(words):
        head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
        lines = [f'\nmsgid "{message}"\nmsgstr "{text}"\n' for message, text in words.items()]
        (folder / "errors.po").write_text(head + "".join(lines), encoding="utf-8")
        contract = ErrorWordsContract()
        contract.package = types.ModuleType("citycard_zoo")
        contract.package.__file__ = str(tmp_path / "__init__.py")
        return contract

    return speaking


def test_sentences_phrases_and_reasons_are_found_in_the_source_and_codes_are_none(zoo, tmp_path):
    zoo({})
    assert errors_say(tmp_path) == {
        "cage {cage!r} is shut: {reason}": "errors.py:8",
        "it opens at {hour}": "keeper.py:8",
        "a day": "keeper.py:5",
        "it sleeps": "keeper.py:12",
        "it digests its meal": "keeper.py:12",
        "nobody dares": "keeper.py:13",
    }
    assert list(errors_say(tmp_path, apart=("keeper.py",))) == ["cage {cage!r} is shut: {reason}"]


def test_what_is_translated_as_it_should_be_passes(zoo):
    contract = zoo(TRANSLATED)
    for test in (EVERYTHING, FIELDS, ENGLISH, GONE):
        getattr(contract, test)()


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (EVERYTHING, {"cage {cage!r} is shut: {reason}": "笼舍 {cage!r} 已关闭：{reason}"}),
        (EVERYTHING, {words: text for words, text in TRANSLATED.items() if words != "it sleeps"}),
        (FIELDS, TRANSLATED | {"it opens at {hour}": "稍后开放"}),
        (FIELDS, TRANSLATED | {"cage {cage!r} is shut: {reason}": "笼舍 {cage} 已关闭：{reason}"}),
        (FIELDS, TRANSLATED | {"it opens at {hour}": "{hour} 开放，{day} 关闭"}),
        (ENGLISH, TRANSLATED | {"it opens at {hour}": "it opens at {hour}"}),
        (GONE, TRANSLATED | {"the lion sleeps": "狮子睡了"}),
    ],
)
def test_what_is_missing_wrong_or_left_over_is_found(zoo, test, words):
    with pytest.raises(AssertionError):
        getattr(zoo(words), test)()
