"""Ask one plugin what it brings, and check every answer before anything is wired."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from types import FunctionType
from typing import Any

import attrs
import pluggy

from citycard.errors import CitycardError, PluginFailed, PluginRefused
from citycard.kernel.families import FAMILIES, OPEN_GROUPS, RESERVED, Family
from citycard.kernel.guard import raised, told
from citycard.kernel.identity import PLUGIN_NAME, PluginInfo
from citycard.kernel.owned import Owner
from citycard.kernel.settings import environment, structure

__all__ = ["Declared", "Implementations", "ask", "declare", "identify", "implementations"]

Implementations = Mapping[str, pluggy.HookImpl]

# More records than any domain needs; a generator that never ends stops here.
_MOST_RECORDS = 10_000


@attrs.frozen(kw_only=True)
class Declared:
    """Everything a plugin said about itself: identity, settings, records by family, and what they claim.

    ``section`` is what the settings were read from.
    """

    info: PluginInfo
    settings: Any
    section: Mapping[str, Any] = attrs.field(factory=dict)
    records: Mapping[str, tuple[Any, ...]]
    claims: tuple[tuple[str, str], ...]


def refuse(owner: Owner, reason: str) -> PluginRefused:
    """Return the error of a plugin that may not run."""
    return PluginRefused(plugin=owner.plugin, distribution=str(owner), reason=reason)


def implementations(manager: pluggy.PluginManager, plugin: Any, owner: Owner) -> Implementations:
    """Return the registered plugin's hook implementations by hook; refuse what can never be called."""
    known = {f"citycard_{each}" for each in _hook_names(manager)}
    found: dict[str, pluggy.HookImpl] = {}
    for caller in manager.get_hookcallers(plugin) or ():
        if not caller.has_spec():
            close = get_close_matches(caller.name, known, n=1)
            hint = f": did you mean {close[0]}?" if close else ""
            raise refuse(owner, f"there is no hook {caller.name}{hint}")
        for impl in caller.get_hookimpls():
            if impl.plugin is plugin:
                _check_plain(impl, caller.name, owner)
                found[caller.name] = impl
    for name in known - set(found):
        if isinstance(getattr(plugin, name, None), FunctionType):
            raise refuse(owner, f"{name} is not marked with @hookimpl")
    if "citycard_plugin" not in found:
        raise refuse(owner, "it does not implement citycard_plugin, which says who it is")
    return found


def _hook_names(manager: pluggy.PluginManager) -> list[str]:
    specified = (name for name, caller in vars(manager.hook).items() if caller.has_spec())
    return [name.removeprefix("citycard_") for name in specified]


def _check_plain(impl: pluggy.HookImpl, hook: str, owner: Owner) -> None:
    if impl.wrapper or impl.hookwrapper:
        raise refuse(owner, f"{hook} is a wrapper; a plugin speaks for itself only")
    if inspect.iscoroutinefunction(impl.function) or inspect.isasyncgenfunction(impl.function):
        raise refuse(
            owner, f"{hook} is async; hooks are plain functions, only callables in records are async"
        )


def ask(found: Implementations, hook: str, owner: Owner, **available: Any) -> Any:
    """Call one hook of one plugin with the arguments it asks for; None when it does not implement the hook.

    A generator is drawn to its end, so that whatever it raises is raised here: PluginFailed, or PluginRefused
    for a record that is not valid.
    """
    impl = found.get(hook)
    if impl is None:
        return None
    try:
        answer = impl.function(*(available[name] for name in impl.argnames))
        if not isinstance(answer, Iterator):
            return answer
        records = list(islice(answer, _MOST_RECORDS + 1))
    except CitycardError as error:
        raise refuse(owner, f"{hook}: {error}") from error
    except raised as error:
        raise PluginFailed(
            plugin=owner.plugin, distribution=str(owner), where=hook, reason=told(error)
        ) from error
    if len(records) > _MOST_RECORDS:
        raise refuse(owner, f"{hook} gives more than {_MOST_RECORDS} records")
    return records


def identify(found: Implementations, owner: Owner, core_version: str) -> PluginInfo:
    """Ask a plugin who it is, and refuse one that is somebody else or does not fit this core."""
    from packaging.specifiers import SpecifierSet

    info = ask(found, "citycard_plugin", owner)
    if not isinstance(info, PluginInfo):
        raise refuse(owner, f"citycard_plugin gives {_a(info)}, expected PluginInfo")
    if info.name != owner.plugin:
        raise refuse(owner, f"it calls itself {info.name!r}, and its entry point is named {owner.plugin!r}")
    if not SpecifierSet(info.core).contains(core_version, prereleases=True):
        raise refuse(owner, f"it works with citycard {info.core}, and this is citycard {core_version}")
    return info


def check_name(owner: Owner) -> None:
    """Refuse a name that could not be a table prefix, a path and a command of its own."""
    if owner.plugin in RESERVED:
        raise refuse(owner, f"the name {owner.plugin!r} belongs to the core")
    if not PLUGIN_NAME.fullmatch(owner.plugin):
        raise refuse(owner, "its name must be 2 to 20 lower-case letters and digits, a letter first")


def declare(
    found: Implementations, owner: Owner, info: PluginInfo, section: Mapping[str, Any] | None
) -> Declared:
    """Ask a plugin for its settings class and all its records; nothing is wired yet."""
    settings = _settings(found, owner, section)
    records = {family.name: _collect(found, family, owner, settings) for family in FAMILIES}
    claims: list[tuple[str, str]] = []
    for family in FAMILIES:
        for record in records[family.name]:
            for claim in family.keys(record, owner.plugin):
                if claim in claims:
                    raise refuse(owner, f"{family.hook} declares {claim[0]} {claim[1]!r} twice")
                claims.append(claim)
    _check_own(records, claims, owner)
    return Declared(
        info=info, settings=settings, section=section or {}, records=records, claims=tuple(claims)
    )


def _settings(found: Implementations, owner: Owner, section: Mapping[str, Any] | None) -> Any:
    settings_class = ask(found, "citycard_settings", owner)
    where = f"plugins.{owner.plugin}"
    if settings_class is None:
        if section:
            raise refuse(
                owner, f"{where}: it has no settings, and city.toml gives {', '.join(sorted(section))}"
            )
        return None
    if not (isinstance(settings_class, type) and attrs.has(settings_class)):
        raise refuse(owner, f"citycard_settings gives {_a(settings_class)}, expected an attrs class")
    try:
        given = environment(owner.plugin, settings_class, section or {})
        return structure(settings_class, given, where=where)
    except CitycardError as error:
        raise refuse(owner, str(error)) from None
    except raised as error:
        raise PluginFailed(
            plugin=owner.plugin, distribution=str(owner), where="citycard_settings", reason=told(error)
        ) from None


def _collect(found: Implementations, family: Family, owner: Owner, settings: Any) -> tuple[Any, ...]:
    answer = ask(found, family.hook, owner, settings=settings)
    if answer is None:
        return ()
    expected = family.record_class()
    if family.single:
        answer = [answer]
    elif isinstance(answer, expected):
        raise refuse(owner, f"{family.hook} gives one {expected.__name__}: yield it, or give a list")
    if not isinstance(answer, Iterable) or isinstance(answer, (str, bytes, Mapping)):
        raise refuse(owner, f"{family.hook} gives {_a(answer)}, expected {expected.__name__} records")
    records = tuple(answer)
    for record in records:
        if not isinstance(record, expected):
            raise refuse(owner, f"{family.hook} gives {_a(record)}, expected {expected.__name__}")
    return records


def _a(value: object) -> str:
    kind = type(value).__name__
    return "None" if value is None else f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"


def _check_own(records: Mapping[str, tuple[Any, ...]], claims: list[tuple[str, str]], owner: Owner) -> None:
    """Refuse names that must begin with the plugin's own and do not, and references that lead nowhere."""
    name = owner.plugin
    for kind, key in claims:
        begins = {"permission": f"{name}.", "event-type": f"{name}.", "account": f"{name}/"}.get(kind, "")
        if not key.startswith(begins):
            raise refuse(owner, f"{kind} {key!r} must begin with {begins!r}")
        if kind == "command" and key.split()[0] not in {name} | OPEN_GROUPS:
            raise refuse(owner, f"command {key!r} must begin with {name!r} or {' or '.join(OPEN_GROUPS)!r}")
    declared = {permission.name for permission in records["permissions"]}
    for record in (*records["routes"], *records["menu"]):
        if record.permission.startswith(f"{name}.") and record.permission not in declared:
            raise refuse(
                owner, f"{record.path} needs permission {record.permission!r}, which it does not declare"
            )
    for schema in records["schema"]:
        from citycard.store.schema import plugin_owner

        plugin_owner(name, schema.metadata, schema.migrations, schema.core_schema)
