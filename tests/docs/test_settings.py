"""Every setting of ``city.toml`` stands in docs/city.md, under its own section."""

import re
import typing
from pathlib import Path

import attrs

from citycard.city.config import CityConfig

PAGE = Path(__file__).parents[2] / "docs" / "city.md"
KEYS_OF_PLUGINS = {"allow", "enable"}


def declared() -> dict[str, set[str]]:
    """Return the keys of each section, as the configuration's classes have them."""
    kinds = typing.get_type_hints(CityConfig)
    sections: dict[str, set[str]] = {"[plugins]": set(KEYS_OF_PLUGINS)}
    for field in attrs.fields(CityConfig):
        of_many = typing.get_args(kinds[field.name])
        kind = of_many[0] if of_many else kinds[field.name]
        if attrs.has(kind):
            title = f"[[{field.name}]]" if of_many else f"[{field.name}]"
            # The vault's table of hierarchies is a section of its own.
            sections[title] = {each.name for each in attrs.fields(kind)} - {"hierarchies"}
    return sections


def documented() -> dict[str, set[str]]:
    """Return the keys of each section, as the table of the page has them."""
    sections: dict[str, set[str]] = {}
    title = ""
    for row in re.findall(r"^\| (`\[.*?\]`)? ?\| (.*?) ?\|", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        title = row[0].strip("`") or title
        sections.setdefault(title, set()).update(re.findall(r"`(\w+)`", row[1]))
    return sections


def test_every_setting_stands_under_its_own_section():
    found = documented()
    assert declared() == {title: found.get(title) for title in declared()}
    assert {"[vault.hierarchies.NAME]", "[plugins.<name>]"} == set(found) - set(declared())
