"""The same taps give the same verdicts, whatever a sender writes them in; what cannot be read is told."""

from __future__ import annotations

import hashlib
import time
from datetime import datetime

import attrs
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from citycard.clearing.codes import FileCode, FileState
from citycard.clearing.converting import convert
from citycard.clearing.cover import Cover, read_cover, sign_cover
from citycard.clearing.fixedwidth import read_mapping
from citycard.clearing.intake import receive
from citycard.clearing.queries import code_totals
from citycard.clearing.rows import COLUMNS
from citycard.clearing.run import clear
from citycard.clearing.senders import close_sender, find_sender, open_sender
from citycard.clearing.sent import read_sent_file
from citycard.clearing.sentformats import read_sent
from citycard.errors import CoverInvalid, FixedMappingInvalid, SentFileDamaged
from citycard.keys.protocol import draw_signer, public_pem

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE, SECOND_GATE, BUS = "344000000001", "344000000002", "344000000003"
KEY, OTHER_KEY = draw_signer(), draw_signer()
FORMATS = ("ccb", "csv", "parquet", "978")


@pytest.fixture
def metro(town):
    open_sender(town, "metro-office", "metro", public_pem(KEY).encode())
    return town


def odd_day(town):
    """Let two terminals of the metro write a day on which every kind of thing happens."""
    card, other = town.issue(1, 2)
    for one in (card, other):
        town.load(one, 10_000)
    for minute in range(4):
        town.tap(card, 200 + minute, AT.replace(minute=minute))
        town.tap(other, 300, AT.replace(minute=minute), SECOND_GATE)
    town.tap(card, 100, AT, tac=b"\1\2\3\4")
    town.tap(card, 100, AT, spoil={14: 0xF0})
    town.tap(other, 100, AT, SECOND_GATE, tti=5)
    town.terminals[GATE].records.append(town.terminals[GATE].records[0])
    return [town.batch(terminal) for terminal in (GATE, SECOND_GATE)]


def sent(files, kind="csv", number=1, key=KEY):
    return convert(files, kind=kind, sender="metro-office", number=number, file=f"day.{kind}", key_pem=key)


def again(cover, data, **changes):
    """Write the cover of other bytes, and sign it."""
    changes |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return sign_cover(attrs.evolve(cover, **changes), KEY), data


def ends(report):
    return [(one.state, one.code) for one in report.sent]


def test_a_day_in_any_format_clears_like_the_terminals_own_files(metro, tmp_path):
    files = odd_day(metro)
    straight = metro.copied(tmp_path / "straight")
    receive(straight, files)
    wanted = clear(straight)
    assert {total.code for total in wanted.totals} == {"OK", "T01", "R01", "R06", "D01"}
    for kind in FORMATS:
        town = metro.copied(tmp_path / kind)
        report = receive(town, [sent(files, kind)])
        assert ends(report) == [(FileState.ACCEPTED, FileCode.OK)], kind
        assert (report.count("accepted"), report.records, report.amount_fen) == (2, 12, 2506)
        assert clear(town).digest == wanted.digest, kind
        assert code_totals(town) == code_totals(straight)


@pytest.mark.parametrize("kind", FORMATS)
def test_what_was_written_in_a_format_is_read_back_byte_by_byte(metro, kind):
    files = odd_day(metro)
    report = receive(metro, [sent(files, kind), *files])
    assert [one.code for one in report.files] == [FileCode.OK] * 2 + [FileCode.F04] * 2
    assert [one.state for one in report.files[2:]] == [FileState.DUPLICATE] * 2
    assert [one.digest for one in report.files[:2]] == [hashlib.sha256(data).hexdigest() for _, data in files]


@pytest.mark.parametrize("kind", FORMATS)
def test_an_empty_file_is_a_file(metro, kind):
    assert ends(receive(metro, [sent([], kind)])) == [(FileState.ACCEPTED, FileCode.OK)]


def test_a_row_that_cannot_be_read_is_told_and_ends_as_r01(metro):
    cover, data = sent(odd_day(metro))
    rows = data.decode().splitlines()
    column = rows[0].split(",").index("amount_fen")
    fields = rows[2].split(",")
    fields[column] = "two yuan"
    rows[2] = ",".join(fields)
    cover, data = again(cover, "\n".join(rows).encode())
    report = receive(metro, [(cover, data)])
    (file,) = report.sent
    assert (file.state, file.unreadable, file.records) == (FileState.ACCEPTED, 1, 12)
    (problem,) = file.problems
    assert (problem.line, problem.field, problem.text) == (3, "amount_fen", "two yuan")
    assert problem.expected == "a whole number from 0 to 4294967295"
    totals = {total.code: total.records for total in clear(metro).totals}
    assert sum(totals.values()) == 12
    assert totals["R01"] == 2


@pytest.mark.parametrize(
    ("column", "value", "field"),
    [
        ("batch_number", "x", "batch_number"),
        ("sequence", "77", "sequence"),
        ("business_date", "20181301", "business_date"),
        ("created_at", "20180901120001", "created_at"),
    ],
)
def test_f07_a_row_of_no_batch_names_its_line_and_field(metro, column, value, field):
    cover, data = sent(odd_day(metro))
    rows = [row.split(",") for row in data.decode().splitlines()]
    place = rows[0].index(column)
    for row in rows[1:] if column == "business_date" else rows[2:3]:
        row[place] = value
    report = receive(metro, [again(cover, "\n".join(map(",".join, rows)).encode())])
    assert ends(report) == [(FileState.QUARANTINED, FileCode.F07)]
    assert (report.files, report.quarantined) == ((), 1)
    assert f", {field}: expected" in report.sent[0].reason


@pytest.mark.parametrize(
    ("kind", "spoil", "said"),
    [
        ("csv", lambda data: data + b"\xff\n", "line 14, text: expected UTF-8"),
        ("csv", lambda data: data + b"1,2\n", "expected 30 fields, not 2"),
        ("csv", lambda data: data.replace(b"counter", b"count"), "line 1, count: expected only columns"),
        ("parquet", lambda data: data[:-4], "file: expected Parquet"),
        ("978", lambda data: data[:-3] + b"\r\n", "line 13, line: expected 366 ASCII characters, not 365"),
        ("978", lambda data: b"X" + data[1:], "line 1, character 1"),
        ("ccb", lambda data: data[:-1], "batch: expected a whole batch"),
    ],
)
def test_f07_what_is_not_of_its_format_says_where(metro, kind, spoil, said):
    cover, data = sent(odd_day(metro), kind)
    report = receive(metro, [again(cover, spoil(data))])
    assert ends(report) == [(FileState.QUARANTINED, FileCode.F07)]
    assert said in report.sent[0].reason


def test_a_layout_that_cannot_be_used_stops_no_other_file(metro):
    files = odd_day(metro)
    fixed = sent(files[:1], "978", number=1)
    (metro.folder / "978.toml").write_bytes(b"width = '\xff'")
    report = receive(metro, [fixed, sent(files[1:], number=2)])
    assert ends(report) == [(FileState.QUARANTINED, FileCode.F07), (FileState.ACCEPTED, FileCode.OK)]
    assert "the city's own 978.toml is not valid: UnicodeDecodeError" in report.sent[0].reason
    (metro.folder / "978.toml").unlink()
    assert ends(receive(metro, [fixed])) == [(FileState.ACCEPTED, FileCode.OK)]


def test_text_that_is_none_stops_no_other_file(metro):
    files = odd_day(metro)
    cover, data = sent(files[:1], "parquet", number=1)
    table = pq.read_table(pa.BufferReader(data))
    junk = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\0"))
    column = pa.chunked_array([pa.concat_arrays([junk] * table.num_rows)])
    out = pa.BufferOutputStream()
    pq.write_table(table.set_column(table.column_names.index("tac"), "tac", column), out)
    csv, rows = sent(files[1:], number=2)
    nul = again(csv, rows.replace(b"counter", b"count\0er"))
    report = receive(metro, [again(cover, out.getvalue().to_pybytes()), nul, *files])
    assert ends(report) == [(FileState.QUARANTINED, FileCode.F07)] * 2
    assert r"count\x00er: expected only columns" in report.sent[1].reason
    assert report.count("accepted") == 2


def test_parquet_of_other_widths_is_read_as_well(metro):
    cover, data = sent(odd_day(metro), "parquet")
    table = pq.read_table(pa.BufferReader(data))
    narrow = table.set_column(
        table.column_names.index("counter"), "counter", table["counter"].cast(pa.uint16())
    ).set_column(table.column_names.index("issuer"), "issuer", table["issuer"].dictionary_encode())
    out = pa.BufferOutputStream()
    pq.write_table(narrow, out)
    assert ends(receive(metro, [again(cover, out.getvalue().to_pybytes())])) == [("accepted", "OK")]


def test_very_many_batches_are_cut_in_a_time_that_grows_with_their_number(metro):
    """Where each cut copies the rest, 10 MB of empty batches take a minute."""
    (_, empty) = metro.batch(records=[])
    data = empty * 100_000
    cover = Cover(
        sender="metro-office",
        number=1,
        format="ccb",
        file="day.ccb",
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        records=0,
        amount_fen=0,
    )
    began = time.process_time()
    rows = read_sent(cover, data, metro.folder)
    assert len(rows.batches) == 100_000
    assert time.process_time() - began < 10
    with pytest.raises(SentFileDamaged, match="at most 100000 batches in a file"):
        read_sent(cover, data + empty, metro.folder)


def repacked(cover, table, **how):
    """Write a table as Parquet, with the cover of as many rows."""
    out = pa.BufferOutputStream()
    pq.write_table(table, out, **how)
    return again(cover, out.getvalue().to_pybytes(), records=table.num_rows)


def put(table, name, column):
    return table.set_column(table.column_names.index(name), name, column)


@pytest.mark.parametrize(
    "kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_parquet_of_any_kind_of_text_is_read(metro, kind):
    cover, data = sent(odd_day(metro), "parquet")
    table = pq.read_table(pa.BufferReader(data))
    table = table.cast(pa.schema([(name, pa.string()) for name in table.column_names]))
    report = receive(metro, [repacked(cover, table.cast(pa.schema([(n, kind) for n in table.column_names])))])
    assert (ends(report), report.records, report.sent[0].unreadable) == ([("accepted", "OK")], 12, 0)


def test_a_small_parquet_never_becomes_a_large_table(metro):
    cover, data = sent(odd_day(metro), "parquet")
    table = pq.read_table(pa.BufferReader(data))
    rows = table.take(pa.array([0] * 2000))
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), pa.array(["0" * 1_000_000]))
    bomb = repacked(cover, put(rows, "tac", long))
    assert len(bomb[1]) < 200_000
    before = pa.default_memory_pool().max_memory()
    report = receive(metro, [bomb])
    assert report.sent[0].reason == "F07: line 1, file: expected at most 1 GiB unpacked"
    assert pa.default_memory_pool().max_memory() - before < 100_000_000
    alike = repacked(cover, table, use_dictionary=False, column_encoding={"facts": "DELTA_BYTE_ARRAY"})
    assert "facts: expected no encoding DELTA_BYTE_ARRAY" in receive(metro, [alike]).sent[0].reason
    nested = repacked(cover, put(table, "tac", pa.array([[b"1"]] * 12)))
    assert "tac: expected integers or text" in receive(metro, [nested]).sent[0].reason


def test_a_file_of_more_rows_than_its_cover_says_is_not_taken_apart(metro):
    for kind in ("csv", "parquet"):
        cover, data = sent(odd_day(metro), kind)
        (file,) = receive(metro, [again(cover, data, records=11)]).sent
        assert file.reason == "F06: line 1, file: expected 11 records as on the cover, not 12"


def test_what_is_under_a_cover_that_is_not_believed_is_not_taken_apart(metro):
    cover, data = sent(odd_day(metro), key=OTHER_KEY)
    sender = find_sender(metro, "metro-office")
    assert read_sent_file(cover, data, metro.folder, sender).rows is None
    assert read_sent_file(cover, data, metro.folder, None).rows is None
    assert read_sent_file(sign_cover(cover, KEY), data, metro.folder, sender).rows.records == 12


def test_f01_a_sender_that_is_unknown_or_closed(metro):
    files = odd_day(metro)
    stranger = convert(files, kind="csv", sender="nobody", number=1, file="a.csv", key_pem=KEY)
    assert ends(receive(metro, [stranger])) == [(FileState.QUARANTINED, FileCode.F01)]
    close_sender(metro, "metro-office")
    assert ends(receive(metro, [sent(files)])) == [(FileState.QUARANTINED, FileCode.F01)]


def test_f02_a_cover_of_another_key(metro):
    report = receive(metro, [sent(odd_day(metro), key=OTHER_KEY)])
    assert ends(report) == [(FileState.QUARANTINED, FileCode.F02)]


def test_without_a_senders_signature_each_batch_needs_its_terminals(metro):
    cover, data = sent(odd_day(metro), key=None)
    rows = [row.split(",") for row in data.decode().splitlines()]
    place = rows[0].index("batch_signature")
    unsigned = "\n".join(",".join(row[:place] + row[place + 1 :]) for row in rows).encode()
    bare = attrs.evolve(cover, number=2, size=len(unsigned), sha256=hashlib.sha256(unsigned).hexdigest())
    report = receive(metro, [(bare, unsigned), (cover, data)])
    assert [one.code for one in report.files] == [FileCode.F02] * 2 + [FileCode.OK] * 2


def test_a_cover_that_nobody_signed_uses_no_number_of_the_sender(metro):
    files = odd_day(metro)
    empty, signed = sent([], key=None), sent(files)
    bare = (attrs.evolve(signed[0], signature=""), signed[1])
    far = (attrs.evolve(empty[0], number=900), empty[1])
    report = receive(metro, [empty, far, sent([], key=OTHER_KEY), bare, bare])
    assert ends(report) == [
        (FileState.ACCEPTED, FileCode.OK),
        (FileState.ACCEPTED, FileCode.OK),
        (FileState.QUARANTINED, FileCode.F02),
        (FileState.ACCEPTED, FileCode.OK),
        (FileState.DUPLICATE, FileCode.F04),
    ]
    assert report.missing == ()
    assert ends(receive(metro, [bare, signed, signed, bare, empty])) == [
        (FileState.DUPLICATE, FileCode.F04),
        (FileState.ACCEPTED, FileCode.OK),
        *[(FileState.DUPLICATE, FileCode.F04)] * 3,
    ]
    assert ends(receive(metro, [sent(files[:1])])) == [(FileState.QUARANTINED, FileCode.F04)]


def test_a_sender_signs_for_terminals_of_its_partner_alone(metro):
    (card,) = metro.issue(9)
    metro.load(card, 1000)
    metro.tap(card, 100, AT, BUS)
    cover, data = sent([metro.batch(BUS)])
    rows = [row.split(",") for row in data.decode().splitlines()]
    rows[1][rows[0].index("batch_signature")] = "00" * 16
    report = receive(metro, [again(cover, "\n".join(map(",".join, rows)).encode())])
    (batch,) = report.files
    assert (batch.state, batch.code) == (FileState.QUARANTINED, FileCode.F02)
    assert batch.reason == f"not signed by terminal {BUS}, which is none of partner metro"


def test_f03_bytes_that_are_not_those_of_the_cover(metro):
    cover, data = sent(odd_day(metro))
    assert ends(receive(metro, [(cover, data + b" ")])) == [(FileState.QUARANTINED, FileCode.F03)]


def test_f04_the_same_file_again_and_another_under_its_number(metro):
    files = odd_day(metro)
    assert ends(receive(metro, [sent(files), sent(files)])) == [("accepted", "OK"), ("duplicate", "F04")]
    assert ends(receive(metro, [sent(files[:1])])) == [(FileState.QUARANTINED, FileCode.F04)]


def test_f05_numbers_that_a_sender_left_out_are_missing_until_they_come(metro):
    files = odd_day(metro)
    report = receive(metro, [sent(files[:1], number=1), sent(files[1:], number=3)])
    assert [(one.sender, one.number) for one in report.missing] == [("metro-office", 2)]
    assert receive(metro, [sent([], number=2)]).missing == ()


def test_f06_totals_that_differ_from_the_cover(metro):
    cover, data = sent(odd_day(metro))
    for change in ({"records": 11}, {"amount_fen": 1}):
        report = receive(metro, [again(cover, data, **change)])
        assert ends(report) == [(FileState.QUARANTINED, FileCode.F06)]


def test_a_city_corrects_the_layout_of_fixed_width(metro):
    files = odd_day(metro)
    places, start = [], 1
    for column in reversed(COLUMNS):
        width = len(str(column.most)) if column.number else 2 * column.size
        places.append(f'{{name = "{column.name}", start = {start}, width = {width}}}')
        start += width
    own = metro.folder / "978.toml"
    own.write_text(f'width = {start + 4}\nnewline = "LF"\nrecord = [{", ".join(places)}]')
    cover, data = convert(
        files, kind="978", sender="metro-office", number=1, file="day.txt", key_pem=KEY, folder=metro.folder
    )
    assert len(data) == 12 * (start + 5)
    report = receive(metro, [(cover, data)])
    assert (ends(report), report.count("accepted")) == ([("accepted", "OK")], 2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("width = 3\nnewline = 'LF'\nrecord = [{name = 'tac', start = 1, width = 8}]", "tac goes beyond"),
        ("width = 9\nnewline = 'LF'\nrecord = [{name = 'tip', start = 1, width = 8}]", "'tip' is not known"),
        ("width = 9\nnewline = 'CR'\nrecord = []", "KeyError"),
        ("width = 9\nnewline = 'LF'\nrecord = [{name = 'tac', start = 'x', width = 8}]", "TypeError"),
        ("width = 9\nnewline = 'LF'\nrecord = [{text = '站站', start = 1, width = 2}]", "站站"),
        ("width = 1000000000000\nnewline = 'LF'\nrecord = []", "width must be from 1"),
    ],
)
def test_a_layout_that_cannot_be_used_says_why(metro, text, reason):
    (metro.folder / "978.toml").write_text(text)
    with pytest.raises(FixedMappingInvalid, match=reason):
        read_mapping(metro.folder)


@pytest.mark.parametrize(
    ("change", "field"),
    [({"sender": "A"}, "sender"), ({"number": 0}, "number"), ({"records": True}, "records"), ({"x": 1}, "x")],
)
def test_a_cover_that_cannot_be_read_names_the_field(change, field):
    content = attrs.asdict(
        Cover(sender="a", number=1, format="csv", file="a", size=0, sha256="0" * 64, records=0, amount_fen=0)
    )
    with pytest.raises(CoverInvalid, match=f"at {field}: expected"):
        read_cover(content | change)
