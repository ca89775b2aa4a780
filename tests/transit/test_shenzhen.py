"""The reader of the open-data format."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard_transit.errors import FileNotTaps
from citycard_transit.shenzhen import COLUMNS, asn_of, read_taps, terminal_of
from citycard_transit.taps import Tap, TapKind, Taps

HEADER = ",".join(COLUMNS)
ROW = {
    "card_no": "BEBABAHFE",
    "deal_date": "2018-09-01 11:17:31",
    "deal_type": "巴士",
    "deal_value": "200",
    "deal_money": "160",
    "equ_no": "231017343",
    "company_name": "巴士集团",
    "station": "M506",
    "car_no": "01620D",
    "conn_mark": "1",
    "close_date": "2018-09-01 00:00:00",
}


def row(**changes: str) -> str:
    return ",".join((ROW | changes)[name] for name in COLUMNS)


def read(tmp_path: Path, *rows: str, header: str = HEADER) -> Taps:
    path = tmp_path / "taps.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return read_taps(path)


def test_a_row_becomes_a_tap(tmp_path: Path) -> None:
    assert read(tmp_path, row()).taps == (
        Tap(
            line=2,
            card="BEBABAHFE",
            at=datetime(2018, 9, 1, 11, 17, 31),
            kind=TapKind.BUS,
            terminal="000231017343",
            operator="巴士集团",
            place="M506",
            vehicle="01620D",
            list_price_fen=200,
            paid_fen=160,
            transfer=True,
            business_date=date(2018, 9, 1),
        ),
    )


def test_columns_are_found_by_name_whatever_their_order(tmp_path: Path) -> None:
    backwards = list(reversed(COLUMNS))
    taps = read(tmp_path, ",".join(ROW[name] for name in backwards), header=",".join(backwards))
    assert taps.taps == read(tmp_path, row()).taps


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"deal_value": "two"}, "deal_value 'two' is not a whole number of fen"),
        ({"deal_money": "-160"}, "deal_money '-160' is not a whole number of fen"),
        ({"deal_money": "1.6"}, "deal_money '1.6' is not a whole number of fen"),
        ({"deal_money": "１６０"}, "deal_money '１６０' is not a whole number of fen"),
        ({"deal_money": ""}, "deal_money '' is not a whole number of fen"),
        ({"deal_type": "轮渡"}, "deal_type '轮渡' is not one of 地铁入站, 地铁出站, 巴士"),
        ({"deal_type": "地铁入站"}, "an entry has no price, but deal_value is 200 and deal_money 160"),
        (
            {"deal_date": "2018-09-31 08:00:00"},
            "deal_date '2018-09-31 08:00:00' is not a date and time of the calendar",
        ),
        (
            {"deal_date": "yesterday"},
            "deal_date 'yesterday' is not a date and time such as 2018-09-01 08:30:00",
        ),
        (
            {"close_date": "2018-09-01"},
            "close_date '2018-09-01' is not a date and time such as 2018-09-01 08:30:00",
        ),
        ({"card_no": "bebaba"}, "card_no 'bebaba' is not 1 to 10 letters A to J"),
        ({"equ_no": "23a"}, "equ_no '23a' is not 1 to 12 digits"),
        ({"conn_mark": "2"}, "conn_mark '2' is neither 0 nor 1"),
        ({"company_name": " "}, "company_name is empty"),
        ({"station": "x" * 61}, "station is not a name of at most 60 characters"),
    ],
)
def test_a_bad_row_is_reported_and_the_next_one_is_read(
    tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    taps = read(tmp_path, row(**changes), row())
    assert [(bad.line, bad.reason) for bad in taps.rejected] == [(2, reason)]
    assert [tap.line for tap in taps.taps] == [3]


def test_the_line_counts_lines_of_the_file_also_after_blank_ones(tmp_path: Path) -> None:
    taps = read(tmp_path, row(), "", row(card_no="B"), row(card_no="C") + ",extra")
    assert ([tap.line for tap in taps.taps], taps.rows) == ([2, 4], 3)
    assert [(bad.line, bad.reason) for bad in taps.rejected] == [(5, "12 columns where the header has 11")]


def test_an_unclosed_quotation_mark_costs_one_row(tmp_path: Path) -> None:
    taps = read(tmp_path, row(station='"M5'), row(station='"M5,06"', card_no="C"))
    assert [bad.line for bad in taps.rejected] == [2]
    assert [tap.place for tap in taps.taps] == ["M5,06"]


def test_the_same_row_again_is_a_duplicate_and_any_difference_is_not(tmp_path: Path) -> None:
    taps = read(tmp_path, row(), row(deal_money="120"), row())
    assert [tap.line for tap in taps.taps] == [2, 3]
    assert [(bad.line, bad.reason) for bad in taps.duplicates] == [(4, "duplicate: the same row as line 2")]


def test_a_terminal_belongs_to_one_operator(tmp_path: Path) -> None:
    taps = read(tmp_path, row(), row(company_name="别家公司"))
    assert [bad.reason for bad in taps.rejected] == [
        "equ_no belongs to 巴士集团 since line 2, not to 别家公司"
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"a,b\n1,2\n", "its first line lacks the columns card_no, deal_date"),
        (f"{HEADER},card_no\n".encode(), "its first line names a column twice"),
        (f"{HEADER}\n{row()}\n".encode("gb18030"), "is not UTF-8; convert the file to UTF-8 first"),
        (b"\x00\xff\xfe", "is not UTF-8"),
    ],
)
def test_a_file_that_is_no_such_table_is_one_clear_error(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "taps.csv"
    path.write_bytes(content)
    with pytest.raises(FileNotTaps) as refused:
        read_taps(path)
    assert reason in str(refused.value)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotTaps, match="No such file"):
        read_taps(tmp_path / "nowhere.csv")


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "taps.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f"{HEADER}\r\n{row()}\r\n".encode())
    assert len(read_taps(path).taps) == 1


def test_every_kind_of_bad_row_of_the_small_file_is_told_apart(small_file: Path) -> None:
    taps = read_taps(small_file)
    assert (taps.rows, len(taps.taps)) == (16, 10)
    assert [bad.line for bad in taps.duplicates] == [12]
    assert [bad.line for bad in taps.rejected] == [13, 14, 15, 16, 17]


@given(st.lists(st.text("ABCDEFGHIJ", min_size=1, max_size=10), unique=True))
def test_two_card_numbers_never_share_a_serial_number(cards: list[str]) -> None:
    asns = {asn_of(card, "5840") for card in cards}
    assert len(asns) == len(cards)
    assert all(len(asn) == 20 and asn.isdigit() for asn in asns)


def test_serial_and_terminal_numbers_follow_from_the_published_ones() -> None:
    assert asn_of("BEBABAHFE", "5840") == "03105840090141010754"
    assert terminal_of("263027121") == "000263027121"


@given(st.binary(max_size=300))
def test_no_content_makes_the_reader_raise_anything_else(content: bytes) -> None:
    path = Path("/dev/shm") if Path("/dev/shm").is_dir() else Path("/tmp")
    file = path / "citycard-taps.csv"
    file.write_bytes(f"{HEADER}\n".encode() + content)
    try:
        taps = read_taps(file)
    except FileNotTaps:
        return
    finally:
        file.unlink()
    assert taps.rows == len(taps.taps) + len(taps.rejected) + len(taps.duplicates)
