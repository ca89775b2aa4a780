"""Whoever reads Chinese reads it wherever an endpoint's answer is shown as a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from citycard.city import City
from citycard.kernel.outside import Route
from citycard.web.folders import plugin_folders
from citycard.web.languages import Language, language
from citycard.web.schemas import schema_of
from citycard.web.words import partner_kind

HAIBIN = Path(__file__).parents[2] / "examples" / "haibin" / "city.toml"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with closing(City.create(tmp_path_factory.mktemp("haibin") / "city", HAIBIN)) as made:
        yield made


def spoken(plugin: str) -> Language:
    """Chinese as it is spoken on a plugin's pages."""
    return language("zh", own=plugin_folders([plugin], "locale")[plugin])


def headings_of(route: Route) -> Iterator[str]:
    """Every field in the records of an answer: each is a heading on its page."""
    known: dict[str, Any] = {}
    if route.response is not None:
        schema_of(route.bodies[1], known)
    for schema in known.values():
        # Of a name in two languages only one is shown, under one heading.
        yield from (field for field in schema.get("properties", ()) if not field.endswith("_zh"))


def test_every_heading_of_an_answer_has_a_chinese_word(city: City) -> None:
    left = set()
    for owned in city.plugins.routes():
        plugin = owned.owner.plugin
        say = spoken(plugin)
        if "GET" in owned.record.methods:
            left |= {(plugin, field) for field in headings_of(owned.record) if say.heading(field).isascii()}
    assert left == set()


def test_every_kind_of_partner_that_a_domain_declares_has_a_chinese_word(city: City) -> None:
    kinds = {(owned.owner.plugin, owned.record.kind) for owned in city.plugins.participants()}
    left = [(plugin, kind) for plugin, kind in kinds if partner_kind(kind, spoken(plugin)).isascii()]
    assert left == []
