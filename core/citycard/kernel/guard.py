"""Whatever a plugin's code raises stays with the plugin: caught here, named, counted and logged."""

from __future__ import annotations

import functools
import inspect
import logging
import sys
from collections.abc import Callable, Iterator
from threading import Lock
from types import GeneratorType
from typing import Any, TypeVar

import attrs

from citycard.errors import CitycardError, PluginFailed
from citycard.kernel.owned import Owned, Owner

__all__ = ["Failures", "raised", "told"]

Record = TypeVar("Record", bound="attrs.AttrsInstance")

log = logging.getLogger("citycard.plugins")
# A command says itself what is wrong with a plugin; only a server that sets up logging shows more.
log.addHandler(logging.NullHandler())

#: What a plugin may raise without taking anybody down. Its ``sys.exit()`` is not the city's exit.
raised = (Exception, SystemExit)


def told(error: BaseException) -> str:
    """Say in one line what was raised."""
    first = " ".join(str(error).split())[:300]
    return str(error) if isinstance(error, CitycardError) else f"{type(error).__name__}: {first}".rstrip(": ")


class Failures:
    """Count what plugins raised while running, with the last of each; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: dict[str, int] = {}
        self._last: dict[str, str] = {}

    def count(self, plugin: str) -> int:
        """Return how often a plugin raised since it was last enabled."""
        return self._counts.get(plugin, 0)

    def last(self, plugin: str) -> str:
        """Return where a plugin last raised, and what."""
        return self._last.get(plugin, "")

    def forget(self, plugin: str) -> None:
        """Start counting anew, because the plugin was switched."""
        with self._lock:
            self._counts.pop(plugin, None)
            self._last.pop(plugin, None)

    def note(self, owner: Owner, where: str, error: BaseException) -> PluginFailed:
        """Count a failure, log it with its traceback, and return the error that names the plugin."""
        failure = PluginFailed(plugin=owner.plugin, distribution=str(owner), where=where, reason=told(error))
        with self._lock:
            self._counts[owner.plugin] = self._counts.get(owner.plugin, 0) + 1
            self._last[owner.plugin] = f"raised in {where}: {told(error)}"
        log.error("%s", failure, exc_info=error)
        return failure

    def owned(self, record: Record, owner: Owner, where: str) -> Owned[Record]:
        """Own a record; every function in it is guarded, so that what it raises becomes PluginFailed."""
        guarded = {
            field.name: self.guard(value, owner, f"{where} ({field.name})")
            for field in attrs.fields(type(record))
            if callable(value := getattr(record, field.name)) and not isinstance(value, type)
        }
        return Owned(owner=owner, record=attrs.evolve(record, **guarded) if guarded else record)  # type: ignore[misc]

    def guard(self, function: Callable[..., Any], owner: Owner, where: str) -> Callable[..., Any]:
        """Wrap a plugin's function. Its own CitycardErrors and HTTP answers are meant, and pass."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                try:
                    return await function(*args, **kwargs)
                except CitycardError:
                    raise
                except raised as error:
                    if _is_answer(error):
                        raise
                    raise self.note(owner, where, error) from error

            return awaited

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            try:
                answer = function(*args, **kwargs)
            except CitycardError:
                raise
            except raised as error:
                raise self.note(owner, where, error) from error
            return self._drawn(answer, owner, where) if isinstance(answer, GeneratorType) else answer

        return called

    def _drawn(self, answers: Iterator[Any], owner: Owner, where: str) -> Iterator[Any]:
        """Go through a generator, whose errors come only now."""
        try:
            yield from answers
        except CitycardError:
            raise
        except raised as error:
            raise self.note(owner, where, error) from error


def _is_answer(error: BaseException) -> bool:
    """Tell whether an endpoint raised an HTTP answer on purpose, without importing a web framework for it."""
    starlette = sys.modules.get("starlette.exceptions")
    return starlette is not None and isinstance(error, starlette.HTTPException)
