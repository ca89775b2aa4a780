"""Files dropped into a folder are taken in when they are whole, once, and moved to where they ended."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from datetime import datetime

import attrs
import pytest

from citycard.clearing.converting import convert
from citycard.clearing.cover import COVER_SUFFIX, sign_cover
from citycard.clearing.dropping import Inbox
from citycard.clearing.intake import receive
from citycard.clearing.senders import open_sender
from citycard.clearing.status import status
from citycard.clock import FixedClock
from citycard.errors import InboxBusy
from citycard.keys.protocol import draw_signer, public_pem

BUS = "344000000003"
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


def take_in(town, inbox, **options):
    with Inbox(inbox) as dropped:
        return dropped.take_in(town, **options)


def names(folder):
    """Name what lies there but the lock."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*[!k]") if path.is_file())


def test_a_batch_is_taken_in_and_moved_to_done_or_quarantined(town, inbox):
    (one, data), (two, other) = batches(town, 2)
    drop(inbox, (one, data), (two, other[:-1]))
    report = take_in(town, inbox)
    assert (report.count("accepted"), report.quarantined) == (1, 1)
    assert names(inbox) == [f"done/{one}", f"quarantined/{two}", f"quarantined/{two}.txt"]
    assert (inbox / "quarantined" / f"{two}.txt").read_text("utf-8").startswith("F07: ")
    assert take_in(town, inbox) is None


def test_what_is_not_whole_is_left_alone(town, inbox):
    (one, data), (two, other), (three, last) = batches(town, 3)
    drop(inbox, (f"{one}.part", data), (f".{two}", other))
    drop(inbox, (three, last), age_s=0)
    assert take_in(town, inbox) is None
    (inbox / f"{one}.part").rename(inbox / one)
    assert take_in(town, inbox).records == 1
    assert take_in(town, inbox, settle_s=0).records == 1


def test_a_senders_file_waits_for_its_cover_and_the_cover_for_its_file(town, inbox):
    open_sender(town, "office", "metro", public_pem(KEY).encode())
    cover, data = convert(
        batches(town, 2), kind="csv", sender="office", number=1, file="day.csv", key_pem=KEY
    )
    drop(inbox, ("day.csv", data[:-5]))
    assert take_in(town, inbox) is None
    drop(inbox, (f"day.csv{COVER_SUFFIX}", cover.written()))
    assert take_in(town, inbox) is None
    drop(inbox, ("day.csv", data))
    report = take_in(town, inbox)
    assert (report.sent[0].state, report.records) == ("accepted", 2)
    assert names(inbox) == ["done/day.csv", f"done/day.csv{COVER_SUFFIX}"]


def test_a_cover_that_cannot_be_read_is_put_aside_and_says_why(town, inbox):
    drop(inbox, (f"day.csv{COVER_SUFFIX}", b"{}"), age_s=100)
    assert take_in(town, inbox).quarantined == 1
    assert names(inbox) == [f"quarantined/day.csv{COVER_SUFFIX}", f"quarantined/day.csv{COVER_SUFFIX}.txt"]
    said = (inbox / "quarantined" / f"day.csv{COVER_SUFFIX}.txt").read_text("utf-8")
    assert "the cover is not valid at sender" in said


def test_a_cover_that_cannot_be_read_waits_for_its_file_and_takes_it_along(town, inbox):
    drop(inbox, (f"day.csv{COVER_SUFFIX}", b"{}"))
    assert take_in(town, inbox) is None
    drop(inbox, ("day.csv", b"data"))
    assert take_in(town, inbox).quarantined == 1
    cover = f"day.csv{COVER_SUFFIX}"
    assert names(inbox) == [f"quarantined/{name}" for name in ("day.csv", cover, f"{cover}.txt")]


def test_whoever_was_killed_after_the_commit_moves_the_files_the_next_time(town, inbox):
    files = batches(town, 2)
    drop(inbox, *files)
    receive(town, files)
    report = take_in(town, inbox)
    assert (report.count("duplicate"), report.quarantined) == (2, 0)
    assert status(town).waiting_records == 2
    assert names(inbox) == [f"done/{name}" for name, _ in files]


@pytest.mark.parametrize("at", range(1, 5))
def test_whoever_is_killed_while_a_cover_and_its_file_are_moved_moves_both_the_next_time(town, inbox, at):
    open_sender(town, "office", "metro", public_pem(KEY).encode())
    cover, data = convert(
        batches(town, 2), kind="ccb", sender="office", number=1, file="day.ccb", key_pem=KEY
    )
    drop(inbox, ("day.ccb", data), (f"day.ccb{COVER_SUFFIX}", cover.written()))
    child = os.fork()
    if not child:
        # Each rename and each removal in the folder may be the last thing that happens.
        left = [at]

        def die(event, arguments):
            if event in {"os.rename", "os.remove"} and str(inbox) in str(arguments[0]):
                left[0] -= 1
                if not left[0]:
                    os._exit(9)

        try:
            sys.addaudithook(die)
            take_in(town, inbox)
        finally:
            os._exit(0)
    killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert killed == (at < 4)
    take_in(town, inbox)
    assert names(inbox) == ["done/day.ccb", f"done/day.ccb{COVER_SUFFIX}"]
    assert not (inbox / ".moving").exists()
    assert (status(town).waiting_records, take_in(town, inbox)) == (2, None)


def test_a_name_that_comes_again_with_other_content_takes_no_others_place(town, inbox):
    ((name, data),) = batches(town, 1)
    for _ in range(2):
        drop(inbox, (name, data))
        take_in(town, inbox)
    assert names(inbox) == [f"done/{name}", f"done/{name}.2"]


class Meddling(FixedClock):
    """A clock at whose first look something happens: files were read then, and not yet committed."""

    def __init__(self, now, happens):
        super().__init__(now)
        self.happens = happens

    def now(self):
        self.happens, happens = None, self.happens
        if happens:
            happens()
        return super().now()


def meddle(town, happens):
    """Let something happen while files are taken in."""
    town.clock = Meddling(town.clock.now(), happens)


def test_a_file_that_took_the_place_of_one_that_was_read_is_not_moved_unread(town, inbox):
    (name, data), (_, other) = batches(town, 2)
    drop(inbox, (name, data), ("new", other))
    meddle(town, lambda: (inbox / "new").rename(inbox / name))
    assert take_in(town, inbox).records == 1
    assert names(inbox) == [name]
    assert [one.number for one in take_in(town, inbox).files] == [2]
    assert names(inbox) == [f"done/{name}"]


def test_a_file_that_grew_after_it_was_read_is_read_again(town, inbox):
    (name, data), (_, other) = batches(town, 2)
    drop(inbox, (name, data))
    meddle(town, lambda: drop(inbox, (name, other)))
    assert take_in(town, inbox).records == 1
    assert names(inbox) == [name]
    assert take_in(town, inbox).records == 1


def test_a_ccb_of_a_sender_is_never_taken_for_a_batch_by_itself(town, inbox):
    open_sender(town, "office", "metro", public_pem(KEY).encode())
    made = {
        number: convert(
            batches(town, count),
            kind="ccb",
            sender="office",
            number=number,
            file=f"{number}.ccb",
            key_pem=KEY,
        )
        for number, count in ((1, 1), (2, 2))
    }
    (one, one_data), (two, two_data) = made[1], made[2]
    drop(inbox, (f"1.ccb{COVER_SUFFIX}", one.written()), ("2.ccb", two_data))
    # The cover's file has not come, and of the other file the cover has not.
    assert take_in(town, inbox) is None
    drop(inbox, ("1.ccb", one_data), (f"2.ccb{COVER_SUFFIX}", two.written()))
    report = take_in(town, inbox)
    assert [(each.number, each.state) for each in report.sent] == [(1, "accepted"), (2, "accepted")]
    assert (report.count("accepted"), report.count("duplicate"), report.quarantined) == (3, 0, 0)


@pytest.mark.parametrize(("code", "spoilt", "odd"), [("F02", -1, f"{BUS}-000001"), ("F03", 50, "2")])
def test_a_senders_file_ends_by_itself_and_says_which_of_its_batches_do_not_count(
    town, inbox, code, spoilt, odd
):
    open_sender(town, "office", "metro", public_pem(KEY).encode())
    good = batches(town, 1)
    town.tap(*town.cards.values(), 100, AT, BUS)
    cover, data = convert(
        [*good, town.batch(BUS)], kind="ccb", sender="office", number=1, file="day.ccb", key_pem=KEY
    )
    bad = bytearray(data)
    bad[len(good[0][1]) + spoilt if spoilt > 0 else spoilt] ^= 1
    told = sign_cover(attrs.evolve(cover, sha256=hashlib.sha256(bad).hexdigest()), KEY)
    drop(inbox, ("day.ccb", bad), (f"day.ccb{COVER_SUFFIX}", told.written()))
    report = take_in(town, inbox)
    assert (report.sent[0].state, report.count("accepted"), report.quarantined) == ("accepted", 1, 1)
    said = f"day.ccb{COVER_SUFFIX}.txt"
    assert names(inbox) == ["done/day.ccb", f"done/day.ccb{COVER_SUFFIX}", f"done/{said}"]
    (line,) = (inbox / "done" / said).read_text("utf-8").splitlines()
    assert line.startswith(f"day.ccb/{odd} {code}: ")


def test_a_cover_cannot_claim_the_file_of_another(town, inbox):
    open_sender(town, "office", "metro", public_pem(KEY).encode())
    cover, data = convert(
        batches(town, 2), kind="csv", sender="office", number=1, file="day.csv", key_pem=KEY
    )
    drop(inbox, ("day.csv", data), (f"mine.csv{COVER_SUFFIX}", cover.written()))
    report = take_in(town, inbox)
    assert (report.sent, [one.code for one in report.files]) == ((), ["F07"])
    assert "at file: expected mine.csv" in report.files[0].reason
    assert names(inbox)[0] == "day.csv"
    drop(inbox, (f"day.csv{COVER_SUFFIX}", cover.written()))
    assert take_in(town, inbox).sent[0].state == "accepted"


def test_a_file_that_cannot_be_read_ends_for_itself_and_the_others_are_taken_in(town, inbox, tmp_path):
    (name, data), (_, other) = batches(town, 2)
    (tmp_path / "secret.ccb").write_bytes(other)
    (inbox / "a-link.ccb").symlink_to(tmp_path / "secret.ccb")
    os.mkfifo(inbox / "b-pipe.ccb")
    drop(inbox, (name, data))
    drop(inbox, (f"c.csv{COVER_SUFFIX}", b'{"\\ud800": 1}'), age_s=100)
    with (inbox / "d.ccb").open("wb") as huge:
        huge.truncate(2**31 + 1)
    for odd in ("b-pipe.ccb", "d.ccb", "a-link.ccb"):
        os.utime(inbox / odd, (0, 0), follow_symlinks=False)
    report = take_in(town, inbox)
    assert {one.name: one.reason.partition("read: ")[2][:21] for one in report.files if one.reason} == {
        "a-link.ccb": "it is a symbolic link",
        "b-pipe.ccb": "it is a folder or a d",
        f"c.csv{COVER_SUFFIX}": "the cover is not vali",
        "d.ccb": "it has 2147483649 byt",
    }
    assert (report.records, report.quarantined) == (1, 4)
    assert [path for path in names(inbox) if not path.startswith("quarantined/")] == [f"done/{name}"]
    assert "more than 268435456" in (inbox / "quarantined" / "d.ccb.txt").read_text("utf-8")
    assert (tmp_path / "secret.ccb").exists()


def test_a_second_watcher_of_a_folder_is_told_and_takes_nothing(town, inbox):
    drop(inbox, *batches(town, 1))
    with Inbox(inbox) as first:
        with pytest.raises(InboxBusy, match="another process already takes in"):
            take_in(town, inbox)
        assert first.take_in(town).records == 1
    assert take_in(town, inbox) is None
