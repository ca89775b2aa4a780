"""Files dropped into a folder are taken in when they are whole, once, and moved to where they ended."""

from __future__ import annotations

import os
import time
from datetime import datetime

import pytest

from citycard.clearing.converting import convert
from citycard.clearing.cover import COVER_SUFFIX
from citycard.clearing.dropping import take_in_folder
from citycard.clearing.intake import receive
from citycard.clearing.senders import open_sender
from citycard.clearing.status import status
from citycard.keys.protocol import draw_signer, public_pem

AT = datetime.fromisoformat("2018-09-01T07:00")
KEY = draw_signer()


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def batches(town, count):
    (card,) = town.issue(len(town.cards) + 1)
    town.load(card, 10_000)
    files = []
    for _ in range(count):
        town.tap(card, 100, AT)
        files.append(town.batch())
    return files


def drop(inbox, *files, age_s=10.0):
    """Put files there that nobody touched for a while."""
    for name, data in files:
        (inbox / name).write_bytes(data)
        touched = time.time() - age_s
        os.utime(inbox / name, (touched, touched))


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_batch_is_taken_in_and_moved_to_done_or_quarantined(town, inbox):
    (one, data), (two, other) = batches(town, 2)
    drop(inbox, (one, data), (two, other[:-1]))
    report = take_in_folder(town, inbox)
    assert (report.count("accepted"), report.quarantined) == (1, 1)
    assert names(inbox) == [f"done/{one}", f"quarantined/{two}"]
    assert take_in_folder(town, inbox) is None


def test_what_is_not_whole_is_left_alone(town, inbox):
    (one, data), (two, other), (three, last) = batches(town, 3)
    drop(inbox, (f"{one}.part", data), (f".{two}", other))
    drop(inbox, (three, last), age_s=0)
    assert take_in_folder(town, inbox) is None
    (inbox / f"{one}.part").rename(inbox / one)
    assert take_in_folder(town, inbox).records == 1
    assert take_in_folder(town, inbox, settle_s=0).records == 1


def test_a_senders_file_waits_for_its_cover_and_the_cover_for_its_file(town, inbox):
    open_sender(town, "office", "metro", public_pem(KEY).encode())
    cover, data = convert(
        batches(town, 2), kind="csv", sender="office", number=1, file="day.csv", key_pem=KEY
    )
    drop(inbox, ("day.csv", data[:-5]))
    assert take_in_folder(town, inbox) is None
    drop(inbox, (f"day.csv{COVER_SUFFIX}", cover.written()))
    assert take_in_folder(town, inbox) is None
    drop(inbox, ("day.csv", data))
    report = take_in_folder(town, inbox)
    assert (report.sent[0].state, report.records) == ("accepted", 2)
    assert names(inbox) == ["done/day.csv", f"done/day.csv{COVER_SUFFIX}"]


def test_a_cover_that_cannot_be_read_is_put_aside_and_says_why(town, inbox):
    drop(inbox, (f"day.csv{COVER_SUFFIX}", b"{}"))
    assert take_in_folder(town, inbox) is None
    assert names(inbox) == [f"quarantined/day.csv{COVER_SUFFIX}", f"quarantined/day.csv{COVER_SUFFIX}.txt"]
    said = (inbox / "quarantined" / f"day.csv{COVER_SUFFIX}.txt").read_text("utf-8")
    assert said.startswith("the cover is not valid at sender")


def test_whoever_was_killed_after_the_commit_moves_the_files_the_next_time(town, inbox):
    files = batches(town, 2)
    drop(inbox, *files)
    receive(town, files)
    report = take_in_folder(town, inbox)
    assert (report.count("duplicate"), report.quarantined) == (2, 0)
    assert status(town).waiting_records == 2
    assert names(inbox) == [f"done/{name}" for name, _ in files]


def test_a_name_that_comes_again_with_other_content_takes_no_others_place(town, inbox):
    ((name, data),) = batches(town, 1)
    for _ in range(2):
        drop(inbox, (name, data))
        take_in_folder(town, inbox)
    assert names(inbox) == [f"done/{name}", f"done/{name}.2"]
