"""Where a record comes from: the plugin that declared it and the distribution that brought the plugin."""

from __future__ import annotations

from typing import Generic, TypeVar

import attrs

__all__ = ["Owned", "Owner"]

Record_co = TypeVar("Record_co", covariant=True)


@attrs.frozen(kw_only=True)
class Owner:
    """A plugin by name, with the distribution and version it was installed from."""

    plugin: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


@attrs.frozen(kw_only=True)
class Owned(Generic[Record_co]):
    """A declared record with its owner. Its callables are guarded: what they raise names the owner."""

    owner: Owner
    record: Record_co
