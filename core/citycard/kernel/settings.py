"""Settings: from the plain mapping of a TOML file to an attrs class, strictly."""

from __future__ import annotations

import os
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, EnumMeta, IntEnum, StrEnum
from functools import cache, reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin
from uuid import UUID

import attrs

from citycard.errors import CitycardError, Phrase, SettingsInvalid

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = ["environment", "public", "secret", "shown", "structure", "with_secrets"]

Settings = TypeVar("Settings")

_SECRET = "citycard.secret"  # noqa: S105 - the name of a mark, not a secret
_HIDDEN = "•••"
_INT_BITS = 63
# So many problems are told of one content: a list may hold thousands of wrong members.
_MOST_PROBLEMS = 20

# What a value may be for a field of each plain type: nothing is converted, so that "12" never becomes 12.
_PLAIN: dict[type, tuple[type, ...]] = {
    int: (int,),
    float: (int, float),
    bool: (bool,),
    str: (str,),
    date: (date,),
    datetime: (datetime,),
    time: (time,),
}


# How people call what files and bodies hold; none of Python's names is told to them.
_WORDS: dict[type, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    date: "a day",
    datetime: "a moment",
    time: "a time of day",
    list: "a list",
    tuple: "a list",
    dict: "a table",
    Mapping: "a table",
    set: "a list",
    frozenset: "a list",
    Path: "a path",
    Decimal: "a decimal number in quotes",
    timedelta: "whole seconds",
    UUID: "a UUID",
    type(None): "null",
}


def secret(**options: Any) -> Any:
    """Mark a field of a settings class as secret: it is never shown, and may come from the environment.

    Takes what ``attrs.field`` takes. The variable is ``CITYCARD_<PLUGIN>_<FIELD>``, in capitals.
    """
    options["metadata"] = {**options.get("metadata", {}), _SECRET: True}
    return attrs.field(repr=False, **options)


def environment(plugin: str, settings_class: type, content: Mapping[str, Any]) -> dict[str, Any]:
    """Add to a plugin's section the secrets that the environment holds; city.toml wins."""
    found = {}
    for field in attrs.fields(attrs.resolve_types(settings_class)):
        variable = f"CITYCARD_{plugin}_{field.name}".upper()
        if field.metadata.get(_SECRET) and variable in os.environ:
            found[field.name] = os.environ[variable]
    return found | dict(content)


def structure(
    settings_class: type[Settings], content: Mapping[str, Any], *, where: str, texts: bool = False
) -> Settings:
    """Make an attrs class of a plain mapping, with nested classes, lists, tuples, mappings and enums.

    Unknown keys, wrong types and missing values raise SettingsInvalid, which names for each the path of the
    key below ``where`` and what was expected. Nothing is converted from one plain type to another; with
    ``texts`` days, moments and ids are text in ISO 8601, because JSON has nothing else.
    """
    if not isinstance(content, Mapping):
        raise SettingsInvalid(problems=_located(where, Phrase("expected {expected}", expected="a table")))
    # What gathers words for every problem is most of the code that is made for a class: it is made only where
    # there is a problem, whatever that was.
    with suppress(Exception):
        return _converter(texts, detailed=False).structure(content, settings_class)
    return _in_detail(settings_class, content, where=where, texts=texts)


def _in_detail(
    settings_class: type[Settings], content: Mapping[str, Any], *, where: str, texts: bool
) -> Settings:
    from cattrs import transform_error

    try:
        return _converter(texts, detailed=True).structure(content, settings_class)
    except CitycardError:
        raise
    except Exception as error:  # noqa: BLE001 - validators of a plugin's settings class raise what they like
        problems = _problems(error, where, transform_error)
        for value in _secrets(settings_class, content):
            problems = problems.replace(value, _HIDDEN) if value in problems else problems
        # Not chained: what cattrs and validators raised may carry secrets.
        raise SettingsInvalid(problems=problems) from None


def public(kind: Any, content: Any) -> Any:
    """Give a section of city.toml without its secrets, wherever they stand."""
    if isinstance(content, Mapping) and isinstance(kind, type) and attrs.has(kind):
        fields = {field.name: field for field in attrs.fields(attrs.resolve_types(kind))}
        return {
            key: public(fields[key].type, value) if key in fields else value
            for key, value in content.items()
            if not (key in fields and fields[key].metadata.get(_SECRET))
        }
    inner = get_args(kind)
    if isinstance(content, Mapping):
        return {key: _least(inner, value) for key, value in content.items()}
    return [_least(inner, member) for member in content] if isinstance(content, (list, tuple)) else content


def _least(kinds: tuple[Any, ...], content: Any) -> Any:
    """Give what is public of a member by every kind that it may be of, one after the other."""
    for kind in kinds:
        content = public(kind, content)
    return content


def with_secrets(section: Mapping[str, Any], now: Mapping[str, Any], public_now: Any) -> dict[str, Any]:
    """Put the secrets of a section of now back into one of earlier, which was kept without them.

    ``public_now`` is the section of now without its secrets; None where nobody knows which they are, and then
    what the earlier section has not is taken from that of now.
    """
    known = public_now or section
    return {**{key: value for key, value in now.items() if key not in known}, **section}


def shown(settings: Any) -> Any:
    """Turn settings into plain values for a screen; secrets become dots, whatever they are."""
    if attrs.has(type(settings)):
        return {
            field.name: _HIDDEN if field.metadata.get(_SECRET) else shown(getattr(settings, field.name))
            for field in attrs.fields(type(settings))
        }
    if isinstance(settings, Mapping):
        return {str(key): shown(value) for key, value in settings.items()}
    if isinstance(settings, (list, tuple, set, frozenset)):
        return [shown(member) for member in settings]
    if isinstance(settings, Enum):
        return settings.value
    return settings if isinstance(settings, (int, float, bool, str, type(None))) else str(settings)


class _UnexpectedError(ValueError):
    """A value of the wrong type; its words say what was expected, never what was there."""


@cache
def _converter(texts: bool, *, detailed: bool) -> Converter:
    from cattrs import Converter

    converter = Converter(forbid_extra_keys=True, detailed_validation=detailed)
    hooks: dict[type, Callable[[Any, Any], Any]] = {
        **{kind: _strict(kind, accepted) for kind, accepted in _PLAIN.items()},
        Path: _made_of(str, Path, "a path"),
        Decimal: _made_of(str, Decimal, "a decimal number in quotes"),
        timedelta: _made_of(int, lambda s: timedelta(seconds=s), "whole seconds"),
    }
    if texts:
        hooks |= {made: _made_of(*how) for made, how in _WRITTEN.items()}
    for kind, hook in hooks.items():
        converter.register_structure_hook(kind, hook)
    for members in (StrEnum, IntEnum):  # they are also str and int, whose hooks would let any value pass
        converter.register_structure_hook(members, lambda value, kind: kind(value))
    converter.register_structure_hook_func(_is_plain_union, _one_of)
    converter.register_structure_hook_factory(_is_list, _listed)
    return converter


def _is_list(kind: Any) -> bool:
    return get_origin(kind) in {list, Sequence} or (get_origin(kind) is tuple and get_args(kind)[-1] is ...)


def _listed(kind: Any, converter: Converter) -> Callable[[Any, Any], Any]:
    """Take a list for a list, and no text for one of its letters."""
    from cattrs.cols import list_structure_factory

    members = list_structure_factory(kind, converter)

    def check(value: Any, kind: Any) -> Any:
        if type(value) not in {list, tuple}:
            raise _unexpected(_WORDS[list], value)
        found = members(value, kind)
        return tuple(found) if get_origin(kind) is tuple else found

    return check


def _strict(kind: type, accepted: tuple[type, ...]) -> Callable[[Any, Any], Any]:
    def check(value: Any, _: Any) -> Any:
        # bool is an int and datetime is a date in Python; neither is meant here.
        if type(value) not in accepted:
            raise _unexpected(_WORDS[kind], value)
        return kind(value) if kind is float else value

    return check


def _made_of(source: type, make: Callable[[Any], Any], expected: str) -> Callable[[Any, Any], Any]:
    def check(value: Any, _: Any) -> Any:
        if type(value) is not source:
            raise _unexpected(expected, value)
        try:
            return make(value)
        except ValueError as wrong:
            raise _UnexpectedError(Phrase("expected {expected}", expected=expected)) from wrong

    return check


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError
    text.encode()  # half of a surrogate pair is no text, and no store keeps it
    return text


def _countable(number: int) -> int:
    if number.bit_length() > _INT_BITS:
        raise ValueError
    return number


# How JSON writes what it has no type for, and what of its own types no store can keep.
_WRITTEN: dict[type, tuple[type, Callable[[Any], Any], str]] = {
    str: (str, _storable, _WORDS[str]),
    int: (int, _countable, _WORDS[int]),
    date: (str, date.fromisoformat, "a day such as 2018-09-01"),
    datetime: (str, datetime.fromisoformat, "a moment such as 2018-09-01T08:30:00+08:00"),
    time: (str, time.fromisoformat, "a time of day such as 08:30:00"),
    UUID: (str, UUID, "a UUID such as 018f4e2a-7c1b-7d3a-9f00-5a6b7c8d9e0f"),
}


def _is_plain_union(kind: Any) -> bool:
    members = [member for member in get_args(kind) if member is not type(None)]
    union = get_origin(kind) in {Union, types.UnionType}
    return union and len(members) > 1 and all(m in _PLAIN or get_origin(m) is Literal for m in members)


def _one_of(value: Any, kind: Any) -> Any:
    for member in get_args(kind):
        if (member is type(None) and value is None) or type(value) is member or value in get_args(member):
            return value
    raise _UnexpectedError(Phrase("expected {expected}", expected=_either(get_args(kind))))


def _unexpected(expected: str, value: Any) -> _UnexpectedError:
    return _UnexpectedError(Phrase("expected {expected}, got {what}", expected=expected, what=_word(value)))


def _word(value: Any) -> str:
    return next((word for kind, word in _WORDS.items() if type(value) is kind), "something else")


def _problems(error: BaseException, where: str, transform: Callable[..., list[str]]) -> str:
    """Say everything that is wrong. cattrs writes ``words @ path['key']``; as words it is given numbers."""
    told: list[tuple[str, str]] = []

    def number(wrong: BaseException, kind: Any) -> str:
        told.append(_sentence(wrong, kind))
        return str(len(told) - 1)

    problems = []
    for line in transform(error, path=where, format_exception=number):
        place, _, path = line.rpartition(" @ ")
        key, words = told[int(place)]
        problems.append(_located(path.replace("['", ".").replace("']", "") + key, words))
    if len(problems) > _MOST_PROBLEMS:
        problems[_MOST_PROBLEMS:] = [Phrase("and {count} more", count=len(problems) - _MOST_PROBLEMS)]
    return Phrase.joined(problems)


def _located(path: str, problem: str) -> Phrase:
    return Phrase("{path}: {problem}", path=path, problem=problem)


def _sentence(error: BaseException, kind: Any) -> tuple[str, str]:
    """Say what is wrong, and which key below the path it is about, for a key that nobody knows."""
    from cattrs import ForbiddenExtraKeysError

    if isinstance(error, ForbiddenExtraKeysError):
        known = ", ".join(field.name for field in attrs.fields(error.cl)) or "none"
        return f".{','.join(sorted(error.extra_fields))}", Phrase("unknown key (known: {known})", known=known)
    if isinstance(error, CitycardError):
        return "", error.phrase
    if isinstance(error, _UnexpectedError):
        return "", error.args[0]
    expected = _named(kind)
    if isinstance(error, KeyError):
        return "", Phrase("missing, expected {expected}", expected=expected)
    if isinstance(error, ValueError) and error.args and not isinstance(kind, EnumMeta):
        # The other arguments of an attrs validator's error are the field and the value.
        return "", Phrase("not valid: {reason}", reason=error.args[0])
    return "", Phrase("expected {expected}", expected=expected)


def _named(kind: Any) -> str:
    if isinstance(kind, EnumMeta):
        members: Mapping[str, Any] = kind.__members__
        return _one_among(member.value for member in members.values())
    if get_origin(kind) is Literal:
        return _one_among(get_args(kind))
    if isinstance(kind, type) and attrs.has(kind):
        return "a table"
    origin = get_origin(kind) or kind
    if origin in {Union, types.UnionType}:
        return _either(member for member in get_args(kind) if member is not type(None))
    if origin in _WORDS:
        return _WORDS[origin]
    name: str = getattr(origin, "__name__", str(kind))
    return name


def _one_among(values: Iterable[Any]) -> Phrase:
    return Phrase("one of {known}", known=", ".join(map(repr, values)))


def _either(kinds: Iterable[Any]) -> str:
    named = map(_named, kinds)
    return reduce(lambda one, other: Phrase("{expected} or {instead}", expected=one, instead=other), named)


def _secrets(kind: Any, content: Any) -> Iterator[str]:
    """Find the values of secret fields, wherever they stand, so that no message repeats them."""
    if isinstance(content, Mapping) and isinstance(kind, type) and attrs.has(kind):
        for field in attrs.fields(attrs.resolve_types(kind)):
            value = content.get(field.name)
            if field.metadata.get(_SECRET) and value is not None and value != "":
                yield str(value)
            else:
                yield from _secrets(field.type, value)
        return
    members: list[Any] = list(content) if isinstance(content, (list, tuple)) else []
    if isinstance(content, Mapping):
        members = [content, *content.values()]
    for inner in get_args(kind):
        for member in members:
            yield from _secrets(inner, member)
