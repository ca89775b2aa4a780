"""Hand each biller the file of each settlement: written once, when the run is matched, and never changed.

What happens to a receipt later stands in the file of the run that moves its money. A settlement that does not
agree with clearing and the ledger is not handed out: the city's health says so.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from citycard.files import write_whole
from citycard.store import reading
from citycard_utilities.dayfile import write_dayfile
from citycard_utilities.errors import SettlementDiffers
from citycard_utilities.settings import UtilitySettings
from citycard_utilities.settlement import Settlement, settlement_of

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["dayfile_of", "dayfile_path", "hand_out", "missing_files"]

_FOLDER = "billers"


def dayfile_path(city: City, biller: str, run: int) -> Path:
    """Give the place of a biller's file under the city's folder."""
    return city.folder / _FOLDER / biller / f"run-{run:06d}.csv"


def dayfile_of(city: City, settings: UtilitySettings, biller: str, run: int | None = None) -> bytes:
    """Give the file of a run, or of the biller's latest; it is written when it is first asked for.

    Raise SettlementMissing, or SettlementDiffers for one that does not agree and cannot be handed out.
    """
    settled = settlement_of(city, settings, biller, run)
    path = dayfile_path(city, biller, settled.run)
    if not path.exists():
        _write(city, settled)
    return path.read_bytes()


def hand_out(city: City, settings: UtilitySettings) -> list[Path]:
    """Write every file that is missing, and return them; one that does not agree is left out."""
    written = []
    for biller, run in missing_files(city, settings):
        with suppress(SettlementDiffers):
            written.append(_write(city, settlement_of(city, settings, biller, run)))
    return written


def missing_files(city: City, settings: UtilitySettings) -> list[tuple[str, int]]:
    """Give the settlements, by biller and run, that have no file."""
    from citycard.clearing.tables import statement

    query = select(statement.c.partner, statement.c.run).where(
        statement.c.partner.in_([biller.id for biller in settings.billers])
    )
    with reading(city.engine) as conn:
        rows = conn.execute(query.order_by(statement.c.run, statement.c.partner)).all()
    return [(biller, run) for biller, run in rows if not dayfile_path(city, biller, run).exists()]


def _write(city: City, settled: Settlement) -> Path:
    if settled.differences:
        differences = "; ".join(settled.differences)
        raise SettlementDiffers(biller=settled.biller, run=settled.run, differences=differences)
    path = dayfile_path(city, settled.biller, settled.run)
    # Whoever was faster wrote the file that counts.
    with suppress(FileExistsError):
        write_whole(path, write_dayfile(settled), replace=False)
    return path
