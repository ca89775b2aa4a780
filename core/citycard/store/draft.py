"""Write the next revision of somebody's tables: what Alembic sees, with the triggers that it does not see."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.migration import MigrationContext
from sqlalchemy import Table

from citycard.store.engine import open_store
from citycard.store.metadata import UtcTime
from citycard.store.migrate import SchemaState, schema_state, upgrade_owner
from citycard.store.schema import Owner

__all__ = ["draft_revision"]

_FILE = '''\
"""{why}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from citycard.store.guarding import append_only_sql

revision = {revision!r}
down_revision = {down!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    {up}{triggers}


def downgrade() -> None:
    {down_code}
'''

_MANY_STATEMENTS = 50

_TRIGGERS = """
    for table in {tables!r}:
        for statement in append_only_sql(table, op.get_bind().dialect.name):
            op.execute(statement)"""


def draft_revision(owner: Owner, why: str) -> Path:
    """Write a revision that takes ``owner`` from its last revision to its declared tables.

    ``why`` is one sentence; it becomes the docstring and the file's name. Return the file: read it,
    correct it and write a test beside it before you use it. The comparison is made on an empty SQLite
    database.
    """
    with TemporaryDirectory() as folder:
        engine = open_store(f"sqlite:///{folder}/draft.db")
        owner.migrations.mkdir(exist_ok=True)
        before = upgrade_owner(engine, owner)
        with engine.begin() as conn:
            options = {
                "version_table": owner.version_table,
                "include_name": owner.includes(),
                "target_metadata": owner.metadata,
                "render_item": _render,
                "sqlalchemy_module_prefix": "sa.",
                "alembic_module_prefix": "op.",
                "user_module_prefix": None,
                "render_as_batch": False,
            }
            context = MigrationContext.configure(conn, opts=options)
            script = produce_migrations(context, owner.metadata)
            assert script.upgrade_ops is not None
            assert script.downgrade_ops is not None
            code = render_python_code(script.upgrade_ops, migration_context=context, render_item=_render)
            back = render_python_code(script.downgrade_ops, migration_context=context, render_item=_render)
            new = [diff[1] for diff in script.upgrade_ops.as_diffs() if diff[0] == "add_table"]
            assert schema_state(conn, owner) == before
        engine.dispose()
    return _write(owner, why, before, (code, back), new)


def _write(owner: Owner, why: str, before: SchemaState, code: tuple[str, str], new: list[Table]) -> Path:
    number = int(before.head.rsplit("_", 1)[1]) + 1 if before.head else 1
    revision = f"{owner.name}_{number:04d}"
    guarded = tuple(sorted(table.name for table in new if table.info.get("append_only")))
    text = _FILE.format(
        why=why.rstrip("."),
        revision=revision,
        down=before.head,
        up=code[0],
        down_code=code[1],
        triggers=_TRIGGERS.format(tables=guarded) if guarded else "",
    )
    text = re.sub(r"\n *# #+ .*", "", text)
    text = re.sub(r",\s*info=\{[^}]*\}", "", text)
    if text.count("\n    op.") > _MANY_STATEMENTS:
        text = (
            f"# Over 400 lines because one revision makes all of these tables.\n# ruff: noqa: PLR0915\n{text}"
        )
    if not guarded:
        text = text.replace("from citycard.store.guarding import append_only_sql\n\n", "")
    slug = re.sub(r"[^a-z0-9]+", "_", why.lower()).strip("_")[:50]
    file = owner.migrations / f"{number:04d}_{slug}.py"
    file.write_text(text, encoding="utf-8")
    return file


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    # A revision must not change when a type of ours does.
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcTime) else False
