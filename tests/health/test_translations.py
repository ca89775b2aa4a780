"""Every word that health says on its pages has a Chinese translation, with the same gaps to fill."""

from __future__ import annotations

from pathlib import Path
from string import Formatter

from babel.messages.extract import extract_from_dir

import citycard_health
from citycard.web.languages import CORE_LOCALE, read_catalogue
from citycard_health.permissions import menu
from citycard_health.settings import HealthSettings

HERE = Path(citycard_health.__file__).parent
METHODS = [("**.html", "jinja2.ext:babel_extract")]
STATES = {"booked", "cancelled", "kept", "missed", "charging", "due", "paid", "returned", "closed", "settled"}
KINDS = {"allergy", "condition", "medication", "immunization"}


def said():
    extracted = extract_from_dir(
        str(HERE / "templates"), METHODS, {"**.html": {"trimmed": "true"}}, {"_": None}
    )
    return {message for _, _, message, _, _ in extracted} | STATES | KINDS


def gaps(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_nothing_is_said_in_english_alone():
    """What the core says already is said in its words."""
    mine = read_catalogue(HERE / "locale" / "zh" / "LC_MESSAGES" / "health.po")
    core = read_catalogue(CORE_LOCALE / "zh" / "LC_MESSAGES" / "citycard.po")
    assert said() - {one for one, text in {**core, **mine}.items() if text} == set()
    assert [one for one, text in mine.items() if gaps(one) != gaps(text)] == []


def test_the_menu_has_both_languages():
    """As every menu."""
    assert all(item.title and item.title_zh for item in menu(HealthSettings()))
