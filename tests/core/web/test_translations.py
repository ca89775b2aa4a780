"""Every word that the core says on its pages has a Chinese translation."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir

import citycard.web
from citycard.bank.codes import BankCode
from citycard.bank.reconciling import ITEM_TITLES
from citycard.clearing.casecodes import AdjustmentCode
from citycard.clearing.codes import Code, FileCode
from citycard.ledger.chart import TITLES
from citycard.terminal.acceptance import Refusal
from citycard.web.application import CORE_ENDPOINTS
from citycard.web.languages import CORE_LOCALE, read_catalogue

WEB = Path(citycard.web.__file__).parent
CHINESE = CORE_LOCALE / "zh" / "LC_MESSAGES" / "citycard.po"
METHODS = [
    ("**.py", "python"),
    ("**.html", "jinja2.ext:babel_extract"),
    ("**.svg", "jinja2.ext:babel_extract"),
]
KEYWORDS = {"_": None, "say": None, "mark": None, "count": (1, 2), "ngettext": (1, 2)}
OPTIONS = {"**.html": {"trimmed": "true"}}


def said():
    """Give every message of templates and code, with what the records bring along."""
    found = {}
    extracted = extract_from_dir(str(WEB), METHODS, OPTIONS, KEYWORDS)
    for file, line, message, _, _ in extracted:
        one = message if isinstance(message, str) else message[0]
        if one:
            found.setdefault(one, f"{file}:{line}")
    found |= {code.title: f"clearing code {code}" for code in Code}
    found |= {code.meaning: f"file code {code}" for code in FileCode}
    found |= {code.meaning: f"adjustment code {code}" for code in AdjustmentCode}
    found |= {reason.explanation: f"refusal {reason}" for reason in Refusal}
    found |= {code.title: f"bank code {code.name}" for code in BankCode}
    found |= {title: f"reconciliation {kind}" for kind, title in ITEM_TITLES.items()}
    found |= {title: f"account code {code}" for code, title in TITLES.items()}
    found |= {item.route.summary: f"endpoint {item.path}" for item in CORE_ENDPOINTS}
    return found


def fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.fixture(scope="module")
def chinese():
    return read_catalogue(CHINESE)


def test_strings_are_found_in_templates_and_in_code():
    found = said()
    assert {"Partners", "Taps over the day", "entries", "{number} card issued"} <= set(found)


def test_every_string_has_a_chinese_translation(chinese):
    missing = {message: where for message, where in said().items() if message not in chinese}
    assert missing == {}


def test_no_translation_is_left_of_a_string_that_is_gone(chinese):
    assert set(chinese) - set(said()) == set()


def test_a_translation_fills_in_the_same_values(chinese):
    plain = {message: text if isinstance(text, str) else text[0] for message, text in chinese.items()}
    wrong = {message: text for message, text in plain.items() if not fields(text) <= fields(message)}
    lost = {message: text for message, text in plain.items() if fields(message) - fields(text)}
    assert (wrong, lost) == ({}, {})


def test_a_chinese_translation_of_words_is_chinese(chinese):
    texts = {message: text if isinstance(text, str) else text[0] for message, text in chinese.items()}
    words = {message: re.sub(r"\{\w+\}", "", message) for message in texts}
    english = [text for message, text in texts.items() if re.search("[a-z]", words[message])]
    assert [text for text in english if not re.search(r"[\u4e00-\u9fff]", text)] == []
