"""Validators of the declared records: each says which field is wrong, and what is expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import attrs

from citycard.errors import DeclarationInvalid

__all__ = ["called", "each", "matching", "one_of_pattern", "requirement", "specifier", "strings", "words"]

Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def _refuse(instance: object, field: attrs.Attribute[Any], value: object, expected: str) -> None:
    raise DeclarationInvalid(record=type(instance).__name__, field=field.name, value=value, expected=expected)


def matching(fits: Callable[[Any], bool], expected: str) -> Validator:
    """Make a validator from a test and the words for what is expected."""

    def validate(instance: object, field: attrs.Attribute[Any], value: Any) -> None:
        if not fits(value):
            _refuse(instance, field, value, expected)

    return validate


def one_of_pattern(pattern: re.Pattern[str], expected: str) -> Validator:
    """Make a validator of strings that match a pattern from end to end."""
    return matching(lambda value: isinstance(value, str) and bool(pattern.fullmatch(value)), expected)


def each(fits: Callable[[Any], bool], expected: str) -> Validator:
    """Make a validator of every member of an iterable."""
    return matching(lambda value: isinstance(value, Iterable) and all(map(fits, value)), expected)


words = matching(lambda value: isinstance(value, str) and bool(value.strip()), "some words")
called = matching(callable, "something that can be called")


def strings(values: str | Iterable[str]) -> tuple[str, ...]:
    """Make a tuple; a lone string is one member, not a row of letters."""
    return (values,) if isinstance(values, str) else tuple(values)


def _is_specifier(value: object) -> bool:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        return isinstance(value, str) and bool(SpecifierSet(value) or value == "")
    except InvalidSpecifier:
        return False


def _is_requirement(value: object) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return isinstance(value, str) and bool(Requirement(value).name)
    except InvalidRequirement:
        return False


specifier = matching(_is_specifier, "a range of versions such as '>=0.1,<0.2'")
requirement = matching(_is_requirement, "a plugin's name, with a range if need be, such as 'transit>=0.1'")
