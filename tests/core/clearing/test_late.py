"""A file that comes too late waits until somebody releases it; one that has expired is not taken."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import attrs
import pytest

from citycard.clearing.codes import FileCode, FileState
from citycard.clearing.converting import convert
from citycard.clearing.intake import receive
from citycard.clearing.late import late_files, release
from citycard.clearing.run import clear
from citycard.clearing.senders import open_sender
from citycard.errors import FileNotHeld
from citycard.keys.protocol import draw_signer, public_pem

TODAY = date(2018, 9, 1)
GATE = "344000000001"


@pytest.fixture
def strict(town):
    town.terms = attrs.evolve(town.terms, late_days=7, expired_days=90)
    return town


def batch(town, days):
    """Let a terminal write a batch of one record so many days ago."""
    (card,) = town.issue(len(town.cards) + 1)
    town.load(card, 1000)
    day = TODAY - timedelta(days=days)
    town.tap(card, 100, datetime.combine(day, datetime.min.time()).replace(hour=7))
    return town.batch(day=day)


def code(report):
    (file,) = report.files
    return file.state, file.code


def test_the_limits_are_days_from_the_business_date_and_none_is_no_limit(strict):
    assert code(receive(strict, [batch(strict, 7)])) == (FileState.ACCEPTED, FileCode.OK)
    assert code(receive(strict, [batch(strict, 8)])) == (FileState.QUARANTINED, FileCode.L02)
    assert code(receive(strict, [batch(strict, 91)])) == (FileState.QUARANTINED, FileCode.F08)
    strict.terms = attrs.evolve(strict.terms, late_days=0, expired_days=0)
    assert code(receive(strict, [batch(strict, 900)])) == (FileState.ACCEPTED, FileCode.OK)


def test_a_late_file_waits_is_released_once_and_goes_to_the_next_run(strict):
    name, data = batch(strict, 8)
    for _ in range(2):
        receive(strict, [(name, data)])
    (held,) = late_files(strict)
    assert (held.name, held.records, held.amount_fen) == (name, 1, 100)
    assert not clear(strict).changed
    report = release(strict, held.digest, actor="Li Na", reason="the bus was in repair")
    assert code(report) == (FileState.ACCEPTED, FileCode.OK)
    assert late_files(strict) == []
    assert clear(strict).records == 1
    with pytest.raises(FileNotHeld):
        release(strict, held.digest, actor="Li Na", reason="again")
    assert code(receive(strict, [(name, data)])) == (FileState.DUPLICATE, FileCode.F04)


def test_a_late_batch_that_a_sender_signed_for_is_released_like_one_that_its_terminal_signed(strict):
    key = draw_signer()
    open_sender(strict, "office", "metro", public_pem(key).encode())
    (name, data) = batch(strict, 8)
    unsigned = data[:-16] + bytes(16)
    sent = convert([(name, unsigned)], kind="csv", sender="office", number=1, file="a.csv", key_pem=key)
    assert code(receive(strict, [sent])) == (FileState.QUARANTINED, FileCode.L02)
    (held,) = late_files(strict)
    assert code(release(strict, held.digest, actor="Li Na", reason="agreed")) == ("accepted", FileCode.OK)


def test_only_what_waits_can_be_released(strict):
    with pytest.raises(FileNotHeld, match="waits as too late"):
        release(strict, "0" * 64, actor="Li Na", reason="none")
