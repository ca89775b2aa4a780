"""Attrs records as JSON: their plain form, and the JSON Schema that describes it."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs

__all__ = ["plain", "schema_of"]

_SIMPLE: Mapping[Any, Mapping[str, Any]] = types.MappingProxyType(
    {
        str: {"type": "string"},
        int: {"type": "integer"},
        bool: {"type": "boolean"},
        float: {"type": "number"},
        bytes: {"type": "string", "pattern": "^([0-9A-F]{2})*$"},
        date: {"type": "string", "format": "date"},
        datetime: {"type": "string"},
        time: {"type": "string"},
        UUID: {"type": "string", "format": "uuid"},
        Path: {"type": "string"},
        type(None): {"type": "null"},
    }
)


def plain(value: object) -> Any:
    """Turn records into what JSON can say; a record's properties are said beside its fields."""
    if attrs.has(type(value)):
        return {name: plain(getattr(value, name)) for name in _names(type(value))}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    return _word(value)


def _word(value: object) -> Any:
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex().upper()
    return str(value) if isinstance(value, (UUID, Path)) else value


def schema_of(kind: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Describe a type as JSON Schema; records are put into ``known`` by name and referred to."""
    if kind in _SIMPLE:
        return dict(_SIMPLE[kind])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [plain(member) for member in kind]}
    if isinstance(kind, type) and attrs.has(kind):
        return _record(kind, known)
    return _composed(typing.get_origin(kind), typing.get_args(kind), known)


def _composed(origin: Any, inside: tuple[Any, ...], known: dict[str, Any]) -> dict[str, Any]:
    if origin in {typing.Union, types.UnionType}:
        return {"anyOf": [schema_of(item, known) for item in inside]}
    if origin in {dict, Mapping}:
        return {"type": "object", "additionalProperties": schema_of(inside[1], known)}
    if origin in {tuple, list, set, frozenset, Sequence}:
        items = {item for item in inside if item is not Ellipsis}
        return {"type": "array"} | ({"items": schema_of(items.pop(), known)} if len(items) == 1 else {})
    return {}


def _record(kind: type[Any], known: dict[str, Any]) -> dict[str, Any]:
    name = kind.__name__
    if name not in known:
        known[name] = {}  # stands in while a record that refers to itself is described
        fields = typing.get_type_hints(kind)
        properties = {field.name: schema_of(fields[field.name], known) for field in attrs.fields(kind)}
        for label, getter in _properties(kind).items():
            properties[label] = schema_of(typing.get_type_hints(getter).get("return", Any), known)
        known[name] = {
            "type": "object",
            "description": (kind.__doc__ or "").strip().partition("\n\n")[0],
            "properties": properties,
            "required": list(properties),
        }
    return {"$ref": f"#/components/schemas/{name}"}


def _names(kind: type[Any]) -> list[str]:
    return [*(field.name for field in attrs.fields(kind)), *_properties(kind)]


def _properties(kind: type[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for parent in reversed(kind.__mro__):
        found |= {name: item.fget for name, item in vars(parent).items() if isinstance(item, property)}
    return {name: getter for name, getter in found.items() if not name.startswith("_")}
