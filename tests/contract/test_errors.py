"""What errors of several distributions say in the same words is said in the same words in Chinese."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from citycard.web.languages import CORE_LOCALE, read_catalogue

DOMAINS = ("campus", "community", "egov", "health", "retail", "tourism", "transit", "utilities")
ERRORS = Path("zh") / "LC_MESSAGES" / "errors.po"


def catalogue(domain):
    package = importlib.import_module(f"citycard_{domain}")
    return read_catalogue(Path(package.__file__).parent / "locale" / ERRORS)


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_two_catalogues_say_one_sentence_differently(domain):
    own = catalogue(domain)
    others = {name: catalogue(name) for name in DOMAINS if name != domain}
    others["core"] = read_catalogue(CORE_LOCALE / ERRORS)
    differing = {
        (name, words): (own[words], other[words])
        for name, other in others.items()
        for words in own.keys() & other.keys()
        if own[words] != other[words]
    }
    assert differing == {}
