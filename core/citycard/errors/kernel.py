"""Errors of plugins and of what they declare."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "ClaimTaken",
    "DeclarationInvalid",
    "EventUnknown",
    "PluginFailed",
    "PluginNeeded",
    "PluginRefused",
    "PluginUnknown",
    "SettingsInvalid",
]


class DeclarationInvalid(CitycardError, ValueError):
    """A record that a plugin declares is not what it must be."""

    sentence = "{record}.{field} is {value!r}: expected {expected}"


class PluginUnknown(CitycardError):
    """No plugin has this name here."""

    status = 404
    exit_code = 4
    sentence = "no plugin is named {plugin!r}; here are: {known}"


class PluginRefused(CitycardError):
    """A plugin may not run in this city, for a reason that it or the operator can change."""

    status = 409
    exit_code = 5
    sentence = "plugin {plugin} ({distribution}) is refused: {reason}"


class PluginFailed(CitycardError):
    """A plugin's own code raised; the rest of the city runs on."""

    status = 500
    exit_code = 1
    sentence = "plugin {plugin} ({distribution}) failed in {where}: {reason}"


class PluginNeeded(CitycardError):
    """A plugin cannot be switched off while others need it."""

    status = 409
    exit_code = 5
    sentence = "plugin {plugin} cannot be disabled: {dependents} need it; disable them first"


class ClaimTaken(CitycardError):
    """Two plugins claim the same thing, and a thing has one owner."""

    status = 409
    exit_code = 5
    sentence = "{kind} {key!r} is claimed by {holder} and by {claimant}: {hint}"


class SettingsInvalid(CitycardError):
    """Settings do not fit their class; every problem names the path of the key and what was expected."""

    sentence = "settings are not valid: {problems}"


class EventUnknown(CitycardError):
    """An event was told that nobody declared, or whose body is of another class."""

    status = 500
    sentence = "event {name!r} cannot be told: {reason}"
