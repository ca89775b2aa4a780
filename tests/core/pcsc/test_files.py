from __future__ import annotations

from citycard.pcsc.files import read_binary, read_files, read_records
from citycard.terminal import InProcessReader

SELECT = bytes.fromhex("00A4040008A000000632010105")


def selected(card):
    reader = InProcessReader(card)
    reader.connect()
    assert reader.transmit(SELECT)[-2:] == b"\x90\x00"
    return reader


def test_a_binary_file_is_read_whole(card):
    assert len(read_binary(selected(card), 0x15).data) == 30
    assert len(read_binary(selected(card), 0x17).data) == 60


def test_a_file_longer_than_one_answer_is_read_in_pieces():
    content = bytes(range(256)) * 2 + b"end"

    class Long:
        def transmit(self, apdu):
            offset = apdu[3] if apdu[2] & 0x80 else int.from_bytes(apdu[2:4], "big")
            return content[offset : offset + 239] + b"\x90\x00" if offset < len(content) else b"\x6b\x00"

    assert read_binary(Long(), 0x05).data == content


def test_what_is_not_there_says_why(card):
    reader = selected(card)

    assert read_binary(reader, 0x0B).status == "6A82"
    assert read_binary(reader, 0x18).status == "6981"
    assert read_records(reader, 0x18).status == "6A83"


def test_every_file_that_anybody_may_read_is_found(card):
    found = {file.sfi: file for file in read_files(selected(card))}

    assert {0x15, 0x16, 0x17, 0x18, 0x1E} <= found.keys()
    assert len(found[0x16].data) == 55
