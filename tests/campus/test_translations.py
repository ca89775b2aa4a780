"""Every word that campus says on its pages has a Chinese translation, with the same gaps to fill."""

import ast
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir

import citycard_campus
from citycard.web.languages import CONTEXT, read_catalogue
from citycard_campus.permissions import menu
from citycard_campus.routes import PAGES, ROUTES
from citycard_campus.settings import CampusSettings

HERE = Path(citycard_campus.__file__).parent
METHODS = [("**.html", "jinja2.ext:babel_extract")]


def said():
    keywords, options = {"_": None}, {"**.html": {"trimmed": "true"}}
    extracted = extract_from_dir(str(HERE / "templates"), METHODS, options, keywords)
    return {message for _, _, message, _, _ in extracted} | {route.summary for route in (*ROUTES, *PAGES)}


def written():
    """Give every word of the code that a page can show: literals, and fields, which are headings."""
    for file in HERE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                yield node.target.id.removesuffix("_fen").replace("_", " ")


@pytest.fixture(scope="module")
def chinese():
    return read_catalogue(HERE / "locale" / "zh" / "LC_MESSAGES" / "campus.po")


def gaps(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_nothing_is_said_in_english_alone(chinese):
    assert said() - {one for one, text in chinese.items() if text} == set()
    assert [one for one, text in chinese.items() if gaps(one) != gaps(text)] == []


def test_nothing_is_translated_that_nobody_says(chinese):
    words = {one.rpartition(CONTEXT)[2] for one in chinese}
    assert words - said() - set(written()) == set()


def test_the_menu_has_both_languages():
    assert all(item.title and item.title_zh for item in menu(CampusSettings()))
