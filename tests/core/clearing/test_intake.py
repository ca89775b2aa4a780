"""Every file handed in ends accepted, duplicate or quarantined, and what did not come is known."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

import pytest
from sqlalchemy import func, select

from citycard import registry
from citycard.clearing.codes import FileCode, FileState
from citycard.clearing.intake import receive
from citycard.clearing.manifest import read_manifest
from citycard.clearing.run import clear
from citycard.clearing.tables import batch_file, segment
from citycard.errors import ManifestConflict, ManifestInvalid
from citycard.registry import TerminalStatus
from citycard.store import reading, writing

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE, BUS, STRANGER = "344000000001", "344000000003", "344000000099"
ANNOUNCED = {"terminal": GATE, "number": 1, "sha256": "0" * 64, "records": 0, "amount_fen": 0}


def batches(town, count, terminal=GATE):
    """Let a terminal write batches of one record each."""
    (card,) = town.issue(max((int(asn[-4:]) for asn in town.cards), default=0) + 1)
    town.load(card, 10_000)
    files = []
    for _ in range(count):
        town.tap(card, 100, AT, terminal)
        files.append(town.batch(terminal))
    return files


def ends(report):
    return [(outcome.state, outcome.code) for outcome in report.files]


def flipped(data, offset):
    return data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :]


def resealed(town, terminal, data):
    """Make digest and signature fit again after a change, as only the terminal could."""
    covered = data[:-64]
    digest = hashlib.sha256(covered).digest()
    signature = town.terminals[terminal].sam.sign_batch(digest)
    return covered + data[-64:-48] + digest + signature


def test_a_file_in_order_is_accepted_with_its_records_and_their_sum(town):
    report = receive(town, batches(town, 1))
    assert ends(report) == [(FileState.ACCEPTED, FileCode.OK)]
    assert (report.intake, report.records, report.amount_fen, report.missing) == (1, 1, 100, ())


def test_files_are_read_from_paths_as_well(town, tmp_path):
    (name, data) = batches(town, 1)[0]
    (tmp_path / name).write_bytes(data)
    report = receive(town, [tmp_path / name])
    assert [(name, FileState.ACCEPTED)] == [(one.name, one.state) for one in report.files]


def test_paths_that_cannot_be_read_end_for_themselves_and_the_others_are_received(town, tmp_path):
    (name, data) = batches(town, 1)[0]
    (tmp_path / "a.csv.cover.json").write_bytes(b"\xff\xfe")
    (tmp_path / "folder.ccb").mkdir()
    (tmp_path / name).write_bytes(data)
    odd = ["gone.ccb", "nul\0.ccb", "x" * 300, "a.csv.cover.json", "folder.ccb"]
    report = receive(town, [*(tmp_path / one for one in odd), tmp_path / name])
    assert (report.records, report.quarantined) == (1, len(odd))
    assert {(one.state, one.code) for one in report.files} == {
        ("quarantined", "F07"),
        ("accepted", "OK"),
    }
    assert [one.reason.partition("cannot be read: ")[2] for one in report.files if one.code == "F07"] == [
        "no such file or directory",
        "its name is none that a file can have",
        "file name too long",
        "the cover is not valid at the text: expected JSON in UTF-8",
        "it is a folder or a device, not a file",
    ]


def test_f01_a_terminal_nobody_registered(town):
    town.open_terminal(STRANGER, "metro", registered=False)
    assert ends(receive(town, batches(town, 1, STRANGER))) == [(FileState.QUARANTINED, FileCode.F01)]


def test_f01_a_terminal_that_is_closed_and_accepted_once_it_is_open_again(town):
    files = batches(town, 1)
    for status, end in (("revoked", "quarantined"), ("active", "accepted")):
        with writing(town.engine) as conn:
            registry.set_terminal_status(conn, GATE, TerminalStatus(status))
        assert [end] == [one.state for one in receive(town, files).files]


def test_f02_a_signature_of_another_terminal(town):
    (_, data) = batches(town, 1)[0]
    town.terminals[BUS].sam, own = town.terminals[GATE].sam, town.terminals[BUS].sam
    forged = data[:-16] + own.sign_batch(data[-48:-16])
    assert ends(receive(town, [("forged", forged)])) == [(FileState.QUARANTINED, FileCode.F02)]


def test_f03_any_byte_of_header_or_records_changed(town):
    (_, data) = batches(town, 1)[0]
    for offset in (12, 39, 40, 100, len(data) - 65):
        report = receive(town, [("tampered", flipped(data, offset))])
        assert ends(report) == [(FileState.QUARANTINED, FileCode.F03)], offset
    assert [one.state for one in receive(town, [("true", data)]).files] == ["accepted"]


def test_f03_a_manifest_that_announces_another_digest(town):
    (name, data) = batches(town, 1)[0]
    line = {"terminal": GATE, "number": 1, "sha256": "0" * 64, "records": 1, "amount_fen": 100}
    report = receive(town, [(name, data)], {"collector": "depot", "number": 1, "batches": [line]})
    assert ends(report) == [(FileState.QUARANTINED, FileCode.F03)]
    assert [(one.terminal, one.number) for one in report.missing] == [(GATE, 1)]


def test_f04_the_same_file_twice_in_one_call_and_again_later(town):
    files = batches(town, 1)
    twice = receive(town, files + files)
    assert ends(twice) == [(FileState.ACCEPTED, FileCode.OK), (FileState.DUPLICATE, FileCode.F04)]
    assert ends(receive(town, files)) == [(FileState.DUPLICATE, FileCode.F04)]
    assert twice.records == 1


def test_f04_another_file_under_a_number_that_was_used(town):
    first = batches(town, 1)
    town.terminals[GATE].next_batch = 1
    second = batches(town, 1)
    assert ends(receive(town, first + second)) == [
        (FileState.ACCEPTED, FileCode.OK),
        (FileState.QUARANTINED, FileCode.F04),
    ]


def test_f05_a_terminal_whose_batch_counter_broke_does_not_flood_the_reports(town):
    town.terminals[GATE].next_batch = 2**32 - 1
    missing = receive(town, batches(town, 1)).missing
    assert [one.number for one in missing] == list(range(1, 1001))


def test_f05_missing_numbers_are_reported_until_they_arrive(town):
    one, two, three, four = batches(town, 4)
    late = receive(town, [two, four])
    assert [(gap.terminal, gap.number) for gap in late.missing] == [(GATE, 1), (GATE, 3)]
    assert [(gap.terminal, gap.number) for gap in receive(town, [three]).missing] == [(GATE, 1)]
    assert receive(town, [one]).missing == ()


def test_f05_a_manifest_knows_the_last_batch_too_and_what_is_in_it(town):
    files = batches(town, 2)
    lines = [
        {
            "terminal": GATE,
            "number": place,
            "sha256": hashlib.sha256(data).hexdigest(),
            "records": 1,
            "amount_fen": 100,
        }
        for place, (_, data) in enumerate(files, 1)
    ]
    manifest = json.dumps({"collector": "depot-7", "number": 12, "batches": lines})
    (gap,) = receive(town, files[:1], manifest).missing
    assert (
        gap.terminal,
        gap.number,
        gap.announced,
        gap.records,
        gap.amount_fen,
    ) == (GATE, 2, "manifest 12 of depot-7", 1, 100)
    assert receive(town, files[1:]).missing == ()


def test_f06_totals_that_differ_from_the_records(town):
    (_, data) = batches(town, 1)[0]
    for wrong in (flipped(data, len(data) - 49), resealed(town, GATE, flipped(data, 21))):
        assert ends(receive(town, [("totals", wrong)])) == [(FileState.QUARANTINED, FileCode.F06)]


def test_f07_what_is_no_batch_at_all(town):
    (_, data) = batches(town, 1)[0]
    for wrong in (b"", b"hello", data[:-1], flipped(data, 0), flipped(data, 5)):
        assert ends(receive(town, [("odd", wrong)])) == [(FileState.QUARANTINED, FileCode.F07)]


def test_quarantined_files_are_kept_and_their_records_are_not(town):
    (_, data) = batches(town, 1)[0]
    receive(town, [("tampered", flipped(data, 100))])
    with reading(town.engine) as conn:
        assert conn.scalar(select(func.count()).select_from(segment)) == 0
        archive = conn.scalar(select(batch_file.c.archive))
    assert (town.folder / archive).exists()


def test_a_file_whose_name_is_no_text_is_received_all_the_same(town):
    (_, data) = batches(town, 1)[0]
    (outcome,) = receive(town, [("depot\udcff\0.ccb", data)]).files
    assert (outcome.state, outcome.name) == (FileState.ACCEPTED, r"depot\udcff\x00.ccb")


def test_files_taken_in_one_by_one_are_cleared_like_all_at_once(town, tmp_path):
    files = [*batches(town, 3), *batches(town, 2, BUS)]
    digests = []
    for name, portion_bytes in (("at once", 1 << 20), ("one by one", 1)):
        other = town.copied(tmp_path / name)
        report = receive(other, files, portion_bytes=portion_bytes)
        assert (report.count(FileState.ACCEPTED), report.records, report.missing) == (5, 5, ())
        digests.append(clear(other).digest)
    assert digests[0] == digests[1]


def test_portions_are_committed_in_their_order(town):
    files = batches(town, 12)
    receive(town, files, portion_bytes=1)
    with reading(town.engine) as conn:
        rows = conn.execute(select(batch_file.c.intake, batch_file.c.name)).all()
    assert [name for _, name in sorted(rows)] == [name for name, _ in files]
    assert len({intake for intake, _ in rows}) == len(files)


def test_no_portion_is_committed_after_one_that_cannot_be(town):
    manifest = {"collector": "depot", "number": 1, "batches": []}
    receive(town, [], manifest)
    with pytest.raises(ManifestConflict):
        receive(town, batches(town, 5), manifest | {"batches": [ANNOUNCED]}, portion_bytes=1)
    with reading(town.engine) as conn:
        assert conn.scalar(select(func.count()).select_from(batch_file)) == 0


def test_a_call_without_files_leaves_no_trace(town):
    assert None is receive(town, []).intake


def test_a_manifest_sent_again_is_the_same_and_with_other_content_an_error(town):
    manifest = {"collector": "depot", "number": 1, "batches": []}
    receive(town, [], manifest)
    receive(town, [], manifest)
    with pytest.raises(ManifestConflict, match="manifest 1 of collector 'depot'"):
        receive(town, [], manifest | {"batches": [ANNOUNCED]})


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("{", "the text"),
        ("[]", "the text"),
        ("[" * 100_000, "the text"),
        ({"collector": "\ud800", "number": 1, "batches": []}, "collector"),
        ({"collector": "depot\0", "number": 1, "batches": []}, "collector"),
        ({"collector": "d", "number": 1}, "batches"),
        ({"collector": "", "number": 1, "batches": []}, "collector"),
        ({"collector": "d", "number": -1, "batches": []}, "number"),
        ({"collector": "d", "number": 1, "batches": [7]}, r"batches\[0\]"),
        (
            {"collector": "d", "number": 1, "batches": [{"terminal": "12", "sha256": "0"}]},
            r"batches\[0\].terminal",
        ),
        (
            {"collector": "d", "number": 1, "batches": [ANNOUNCED | {"records": 2**31}]},
            r"batches\[0\].records",
        ),
        (
            {"collector": "d", "number": 1, "batches": [{"terminal": GATE, "sha256": "0"}]},
            r"batches\[0\].sha256",
        ),
    ],
)
def test_a_manifest_that_cannot_be_read_names_the_field(wrong, field):
    with pytest.raises(ManifestInvalid, match=f"at {field}"):
        read_manifest(wrong)
