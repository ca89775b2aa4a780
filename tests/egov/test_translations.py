"""Every word that city hall says on its pages has a Chinese translation."""

from __future__ import annotations

import re
from pathlib import Path

import citycard_egov
from citycard.web.languages import CORE_LOCALE, read_catalogue
from citycard_egov.applications import State
from citycard_egov.plans import PlanState

PACKAGE = Path(citycard_egov.__file__).parent
CHINESE = ("zh", "LC_MESSAGES")


def test_every_word_of_the_pages_is_there_in_chinese() -> None:
    said = {str(state.value) for kind in (State, PlanState) for state in kind}
    said |= {"waiting", "called"}
    for page in (PACKAGE / "templates").glob("*.html"):
        said |= set(
            re.findall(r"\b_\([\"']((?:[^\"\\])*?)[\"'](?:,[^)]*)?\)", page.read_text(encoding="utf-8"))
        )
    core = read_catalogue(CORE_LOCALE.joinpath(*CHINESE, "citycard.po"))
    own = read_catalogue(PACKAGE.joinpath("locale", *CHINESE, "egov.po"))
    known = core.keys() | own.keys()
    assert len(said) > 60
    assert said - known == set()
