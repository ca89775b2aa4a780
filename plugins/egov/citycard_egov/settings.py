"""``[plugins.egov]`` of city.toml: departments, fields, services, rights, windows, parties of the exchange.

docs/egov.md shows a whole example. Names refer to one another and are checked when the settings are read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import attrs
from attrs.validators import ge, gt, le, matches_re, min_len

from citycard_egov.errors import EgovSettingsInvalid

__all__ = [
    "Concession",
    "Department",
    "EgovSettings",
    "Field",
    "Node",
    "OnlineService",
    "Right",
    "Step",
    "Window",
]

_ID = matches_re(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_WORD = matches_re(r"[a-z][a-z0-9_]{0,31}")


@attrs.frozen(kw_only=True)
class Department:
    """An office of the city; ``id`` is also its id as a partner, whose ``account`` its fees are paid into.

    ``tells`` names the register's fields that it may tell.
    """

    id: str = attrs.field(validator=_ID)
    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    tells: tuple[str, ...] = ()
    account: str = attrs.field(default="", validator=matches_re(r"([A-Z0-9]{5,34})?"))
    bic: str = attrs.field(default="", validator=matches_re(r"([A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?)?"))


@attrs.frozen(kw_only=True)
class Field:
    """A field of the resident register. A ``date`` is written ``2026-11-29``."""

    name: str = attrs.field(validator=_WORD)
    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    kind: Literal["text", "date"] = "text"


@attrs.frozen(kw_only=True)
class Step:
    """A step of a service: which department decides it, and within how many working days."""

    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    department: str
    working_days: int = attrs.field(validator=[gt(0), le(250)])


@attrs.frozen(kw_only=True)
class OnlineService:
    """A service that citizens apply for. ``number`` stands in records of terminals, 1 to 65535.

    ``fee_fen`` is paid to ``department`` when the application is filed; ``fields`` of the register are what
    the deciding departments may read of the applicant; ``form`` names what the applicant writes.
    """

    id: str = attrs.field(validator=_ID)
    number: int = attrs.field(validator=[gt(0), le(0xFFFF)])
    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    department: str
    fee_fen: int = attrs.field(default=0, validator=[ge(0), le(10_000_000)])
    fields: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    steps: tuple[Step, ...] = attrs.field(validator=min_len(1))


@attrs.frozen(kw_only=True)
class Right:
    """An entitlement that the register vouches for.

    ``since_age`` reads ``field`` as a day of birth; ``until`` reads it as the last day of the right; without
    either, any value gives the right. ``mark`` is its bit on the card, 0 to 15.
    """

    name: str = attrs.field(validator=_ID)
    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    field: str
    since_age: int = attrs.field(default=0, validator=[ge(0), le(130)])
    until: bool = False
    mark: int = attrs.field(validator=[ge(0), le(15)])


@attrs.frozen(kw_only=True)
class Concession:
    """What holders of one of ``rights`` pay of a fee, in percent; without ``services``, of every one's."""

    name: str = attrs.field(validator=_ID)
    rights: tuple[str, ...] = attrs.field(validator=min_len(1))
    services: tuple[str, ...] = ()
    percent: int = attrs.field(validator=[ge(0), le(100)])


@attrs.frozen(kw_only=True)
class Window:
    """A service window and the services it is for; without services, for every one."""

    id: str = attrs.field(validator=_ID)
    title: str = attrs.field(validator=min_len(1))
    title_zh: str = ""
    services: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Node:
    """Another party of the exchange: where it answers, and its Ed25519 key (64 hexadecimal digits).

    ``asks_for`` names the departments for which it may ask the city hall.
    """

    id: str = attrs.field(validator=_ID)
    title: str = attrs.field(validator=min_len(1))
    url: str = attrs.field(default="", validator=matches_re(r"(https?://[^\s?#]+)?"))
    key: str = attrs.field(validator=matches_re(r"[0-9a-f]{64}"))
    asks_for: tuple[str, ...] = ()


_FIELDS = (
    Field(name="name", title="Name", title_zh="姓名"),
    Field(name="born", title="Date of birth", title_zh="出生日期", kind="date"),
    Field(name="address", title="Address", title_zh="住址"),
    Field(name="phone", title="Telephone", title_zh="电话"),
)


@attrs.frozen(kw_only=True)
class EgovSettings:
    """Everything that a city says about its offices.

    ``small_count`` is the least number of persons that a published sum may be about. A challenge is good for
    ``challenge_seconds``, a proof of identity for ``proof_minutes``.
    """

    departments: tuple[Department, ...] = ()
    fields: tuple[Field, ...] = _FIELDS
    services: tuple[OnlineService, ...] = ()
    rights: tuple[Right, ...] = ()
    concessions: tuple[Concession, ...] = ()
    windows: tuple[Window, ...] = ()
    nodes: tuple[Node, ...] = ()
    small_count: int = attrs.field(default=5, validator=[gt(1), le(1000)])
    challenge_seconds: int = attrs.field(default=60, validator=[gt(0), le(600)])
    proof_minutes: int = attrs.field(default=10, validator=[gt(0), le(120)])

    def service(self, name: str) -> OnlineService | None:
        """Find a service by its id."""
        return next((one for one in self.services if one.id == name), None)

    def department(self, name: str) -> Department | None:
        """Find a department by its id."""
        return next((one for one in self.departments if one.id == name), None)

    def party(self, name: str) -> Department | Node | None:
        """Find whoever tells, asks or answers about residents by its id: a department or a node."""
        parties: list[Department | Node] = [*self.departments, *self.nodes]
        return next((one for one in parties if one.id == name), None)

    def field(self, name: str) -> Field | None:
        """Find a field of the register by its name."""
        return next((one for one in self.fields if one.name == name), None)

    def __attrs_post_init__(self) -> None:
        for what, names in (
            ("departments: id", [one.id for one in self.departments]),
            ("fields: name", [one.name for one in self.fields]),
            ("services: id", [one.id for one in self.services]),
            ("services: number", [str(one.number) for one in self.services]),
            ("rights: name", [one.name for one in self.rights]),
            ("rights: mark", [str(one.mark) for one in self.rights]),
            ("concessions: name", [one.name for one in self.concessions]),
            ("windows: id", [one.id for one in self.windows]),
            ("nodes: id", [one.id for one in self.nodes]),
        ):
            _once(what, names)
        offices = {one.id for one in self.departments}
        fields = {one.name: one for one in self.fields}
        services = {one.id for one in self.services}
        for office in self.departments:
            _known(f"departments {office.id}: tells", office.tells, fields)
        for one in self.services:
            _known(f"services {one.id}: department", [one.department], offices)
            _known(f"services {one.id}: fields", one.fields, fields)
            _known(f"services {one.id}: steps", [step.department for step in one.steps], offices)
        for right in self.rights:
            _known(f"rights {right.name}: field", [right.field], fields)
            if (right.since_age or right.until) and fields[right.field].kind != "date":
                raise EgovSettingsInvalid(
                    field=f"rights {right.name}: field",
                    reason=f"{right.field} is no date, and since_age and until need one",
                )
        for concession in self.concessions:
            _known(f"concessions {concession.name}: rights", concession.rights, {r.name for r in self.rights})
            _known(f"concessions {concession.name}: services", concession.services, services)
        for node in self.nodes:
            _known(f"nodes {node.id}: asks_for", node.asks_for, offices)
        for window in self.windows:
            _known(f"windows {window.id}: services", window.services, services)


def _once(what: str, names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise EgovSettingsInvalid(field=what, reason=f"{', '.join(twice)} stands there twice")


def _known(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    there = set(known)
    missing = [name for name in names if name not in there]
    if missing:
        reason = f"{missing[0]!r} is not declared; declared are {', '.join(sorted(there)) or 'none'}"
        raise EgovSettingsInvalid(field=what, reason=reason)
