"""Compare what clearing found with what is true: each fault by its code, and nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import select

from citycard.clearing.codes import FileCode
from citycard.clearing.missing import missing_batches
from citycard.clearing.tables import batch_file, clearing_part
from citycard.simulate.truth import RecordTruth, Truth
from citycard.store import reading

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["CodeScore", "Found", "Score", "compare", "found_in"]

Record = tuple[str, int, int]


@attrs.frozen(kw_only=True)
class Found:
    """What clearing found that is not in order.

    ``records`` by terminal, batch and line, and ``files`` by name (with a repeated name, every code);
    ``missing`` are terminals and batch numbers.
    """

    records: Mapping[Record, str]
    files: Mapping[str, frozenset[str]]
    missing: frozenset[tuple[str, int]]


@attrs.frozen(kw_only=True)
class CodeScore:
    """One code: the faults it must find and does, the records and files that must have it and do.

    ``false_alarms`` are records and files that have it and must not.
    """

    code: str
    faults_injected: int
    faults_found: int
    expected: int
    found: int
    false_alarms: int


@attrs.frozen(kw_only=True)
class Score:
    """How well clearing did. A fault is found when all that it touches has the code of the truth.

    ``missed`` are the numbers of faults that were not found; ``wrong`` the first false alarms, as words.
    """

    faults_injected: int
    faults_found: int
    false_alarms: int
    codes: tuple[CodeScore, ...]
    missed: tuple[int, ...]
    wrong: tuple[str, ...]

    @property
    def perfect(self) -> bool:
        """Say whether every fault was found and nothing else."""
        return self.faults_found == self.faults_injected and not self.false_alarms


def found_in(city: City, truth: Truth) -> Found:
    """Read from a city's cleared outcomes what is not in order with the simulated terminals."""
    import pyarrow.compute as pc

    from citycard.clearing.files import read_tables

    records: dict[Record, str] = {}
    with reading(city.engine) as conn:
        paths = conn.scalars(select(clearing_part.c.outcomes).order_by(clearing_part.c.run)).all()
        rows = conn.execute(
            select(batch_file.c.name, batch_file.c.code).where(batch_file.c.code != FileCode.OK.value)
        ).all()
        missing = missing_batches(conn)
    for path in paths:
        table = read_tables(city.folder, [path], [*_TOLD, "held_run"])
        if table is None:
            continue
        # What a run held may be in order by a later one.
        odd = table.filter(pc.or_(pc.not_equal(table["code"], "OK"), table["held_run"].is_valid()))
        for terminal, batch, line, code in zip(*(odd[name].to_pylist() for name in _TOLD), strict=True):
            if truth.simulated(terminal):
                records[terminal, batch, line] = code
    files: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        terminal = row.name[: len(truth.first_terminal)]
        if terminal.isdecimal() and truth.simulated(terminal):
            files[row.name].add(row.code)
    return Found(
        records={key: code for key, code in records.items() if code != _IN_ORDER},
        files={name: frozenset(codes) for name, codes in files.items()},
        missing=frozenset((one.terminal, one.number) for one in missing if truth.simulated(one.terminal)),
    )


def compare(truth: Truth, found: Found) -> Score:
    """Say which faults were found with their code, and what has a code that the truth does not give."""
    wanted = {_key(one): one.code for one in truth.records}
    hits = [
        *((one.fault, one.code, found.records.get(_key(one)) == one.code) for one in truth.records),
        *((one.fault, one.code, one.code in found.files.get(one.name, ())) for one in truth.files),
        *((one.fault, _MISSING, (one.terminal, one.batch) in found.missing) for one in truth.missing),
    ]
    files = {(one.name, one.code) for one in truth.files}
    missing = {(one.terminal, one.batch) for one in truth.missing}
    wrong = [
        *((code, _record(key)) for key, code in sorted(found.records.items()) if wanted.get(key) != code),
        *(
            (code, name)
            for name, codes in sorted(found.files.items())
            for code in sorted(codes)
            if (name, code) not in files
        ),
        *((_MISSING, f"{terminal}-{batch}") for terminal, batch in sorted(found.missing - missing)),
    ]
    missed = {fault for fault, _, hit in hits if not hit}
    return _scored(truth, hits, wrong, missed)


_MISSING, _IN_ORDER = FileCode.F05.value, FileCode.OK.value
_TOLD = ("terminal", "batch_number", "line", "code")
_SHOWN = 20


def _key(one: RecordTruth) -> Record:
    return one.terminal, one.batch, one.line


def _record(key: Record) -> str:
    return "-".join(map(str, key))


def _scored(
    truth: Truth, hits: list[tuple[int, str, bool]], wrong: list[tuple[str, str]], missed: set[int]
) -> Score:
    injected = Counter(one.code for one in truth.faults)
    found = Counter(one.code for one in truth.faults if one.number not in missed)
    expected = Counter(code for _, code, _ in hits)
    right = Counter(code for _, code, hit in hits if hit)
    alarms = Counter(code for code, _ in wrong)
    return Score(
        faults_injected=injected.total(),
        faults_found=found.total(),
        false_alarms=len(wrong),
        codes=tuple(
            CodeScore(
                code=code,
                faults_injected=injected[code],
                faults_found=found[code],
                expected=expected[code],
                found=right[code],
                false_alarms=alarms[code],
            )
            for code in sorted(injected.keys() | expected.keys() | alarms.keys())
        ),
        missed=tuple(sorted(missed)),
        wrong=tuple(f"{where} {code}" for code, where in wrong[:_SHOWN]),
    )
