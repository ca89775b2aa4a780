"""What a city remembers about its plugins: who wants them on, who owns what, and how often that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import Connection, delete, insert, inspect, select, update

from citycard.kernel.claims import Claim
from citycard.kernel.families import STICKY
from citycard.kernel.owned import Owner
from citycard.kernel.tables import plugin_claim, plugin_epoch, plugin_state

__all__ = [
    "Memory",
    "Scope",
    "Wish",
    "forget_wish",
    "read_epoch",
    "read_memory",
    "write_claims",
    "write_wish",
]


@attrs.frozen
class Scope:
    """Where a wish holds: ``kind`` is city, district or partner; ``id`` is empty for the city."""

    kind: str = "city"
    id: str = ""

    @classmethod
    def of(cls, district: str | None, partner: str | None) -> Scope:
        """Return the narrowest of the scopes given."""
        if partner:
            return cls("partner", partner)
        return cls("district", district) if district else cls()

    def __str__(self) -> str:
        return f"{self.kind} {self.id}".strip()


@attrs.frozen(kw_only=True)
class Wish:
    """Somebody wants a plugin on or off, in a scope."""

    plugin: str
    scope: Scope
    wanted: bool
    changed_at: datetime
    changed_by: str


@attrs.frozen(kw_only=True)
class Memory:
    """The wishes, the sticky claims and the epoch, as they were read together; ``stored`` in a database."""

    wishes: Mapping[tuple[str, Scope], Wish] = attrs.field(factory=dict)
    claims: Mapping[Claim, Owner] = attrs.field(factory=dict)
    epoch: int = 0
    stored: bool = False

    def wanted(self, plugin: str, district: str | None = None, partner: str | None = None) -> bool:
        """Tell whether a plugin is wanted: a partner's wish goes before its district's, then the city's."""
        narrow = ([Scope("partner", partner)] if partner else []) + (
            [Scope("district", district)] if district else []
        )
        for scope in (*narrow, Scope()):
            wish = self.wishes.get((plugin, scope))
            if wish is not None:
                return wish.wanted
        return False

    def anywhere(self, plugin: str) -> bool:
        """Tell whether anybody wants a plugin, so that it has to run."""
        return any(wish.wanted for (name, _), wish in self.wishes.items() if name == plugin)

    def of(self, plugin: str) -> tuple[Wish, ...]:
        """List the wishes about a plugin, the city's first."""
        mine = (wish for (name, _), wish in self.wishes.items() if name == plugin)
        return tuple(sorted(mine, key=lambda wish: (wish.scope.kind, wish.scope.id)))

    def with_wish(self, wish: Wish) -> Memory:
        """Return the memory after a wish; off for the city is off everywhere."""
        kept = {key: other for key, other in self.wishes.items() if not _ends(wish, other)}
        return attrs.evolve(self, wishes=kept | {(wish.plugin, wish.scope): wish}, epoch=self.epoch + 1)

    def without_wish(self, plugin: str, scope: Scope) -> Memory:
        """Return the memory after a wish was taken back, so that the next wider one counts there again."""
        kept = {key: wish for key, wish in self.wishes.items() if key != (plugin, scope)}
        return attrs.evolve(self, wishes=kept, epoch=self.epoch + (len(kept) < len(self.wishes)))

    def with_claims(self, owner: Owner, claims: Iterable[Claim]) -> Memory:
        """Return the memory after a plugin's sticky claims."""
        mine = {claim: owner for claim in claims if claim[0] in STICKY}
        return attrs.evolve(self, claims=mine | dict(self.claims))


def _ends(wish: Wish, other: Wish) -> bool:
    return wish.plugin == other.plugin and wish.scope == Scope() and not wish.wanted and other.wanted


def read_epoch(conn: Connection) -> int:
    """Return the number of changes so far; 0 in a city whose plugins were never switched."""
    return conn.execute(select(plugin_epoch.c.epoch)).scalar() or 0


def read_memory(conn: Connection) -> Memory:
    """Read everything; a database that has no tables yet remembers nothing."""
    if not inspect(conn).has_table(plugin_epoch.name):
        return Memory()
    wishes = [
        Wish(
            plugin=row.plugin,
            scope=Scope(row.scope, row.scope_id),
            wanted=row.wanted,
            changed_at=row.changed_at,
            changed_by=row.changed_by,
        )
        for row in conn.execute(select(plugin_state))
    ]
    claims = {
        (row.kind, row.key): Owner(plugin=row.plugin, distribution=row.distribution, version=row.version)
        for row in conn.execute(select(plugin_claim))
    }
    return Memory(
        wishes={(wish.plugin, wish.scope): wish for wish in wishes},
        claims=claims,
        epoch=read_epoch(conn),
        stored=True,
    )


def write_wish(conn: Connection, wish: Wish) -> None:
    """Remember a wish and count the change; off for the city is off everywhere."""
    mine = plugin_state.c.plugin == wish.plugin
    here = (plugin_state.c.scope == wish.scope.kind) & (plugin_state.c.scope_id == wish.scope.id)
    everywhere = wish.scope == Scope() and not wish.wanted
    conn.execute(delete(plugin_state).where(mine, here | plugin_state.c.wanted if everywhere else here))
    row: dict[str, Any] = {
        "plugin": wish.plugin,
        "scope": wish.scope.kind,
        "scope_id": wish.scope.id,
        "wanted": wish.wanted,
        "changed_at": wish.changed_at,
        "changed_by": wish.changed_by,
    }
    conn.execute(insert(plugin_state), row)
    _count_change(conn)


def forget_wish(conn: Connection, plugin: str, scope: Scope) -> None:
    """Forget a wish and count the change; where there is none, nothing changes."""
    mine = plugin_state.c.plugin == plugin
    here = (plugin_state.c.scope == scope.kind) & (plugin_state.c.scope_id == scope.id)
    if conn.execute(delete(plugin_state).where(mine, here)).rowcount:
        _count_change(conn)


def _count_change(conn: Connection) -> None:
    from citycard.store.bulk import insert_missing

    insert_missing(conn, plugin_epoch, [{"id": 1, "epoch": 0}])
    conn.execute(update(plugin_epoch).values(epoch=plugin_epoch.c.epoch + 1))


def write_claims(conn: Connection, owner: Owner, claims: Iterable[Claim], at: datetime) -> None:
    """Remember a plugin's sticky claims; those it has already stay as they are."""
    rows = [
        {
            "kind": kind,
            "key": key,
            "plugin": owner.plugin,
            "distribution": owner.distribution,
            "version": owner.version,
            "claimed_at": at,
        }
        for kind, key in claims
        if kind in STICKY
    ]
    if rows:
        from citycard.store.bulk import insert_missing

        insert_missing(conn, plugin_claim, rows)
