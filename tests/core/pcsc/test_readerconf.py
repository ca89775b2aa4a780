from __future__ import annotations

from citycard.pcsc.readerconf import Slot, write_reader_conf


def test_each_reader_has_two_slots_and_a_driver_of_its_own(tmp_path):
    driver = tmp_path / "libifdvpcd.so"
    driver.write_bytes(b"driver")
    slots = write_reader_conf(tmp_path / "conf", [21000, 23456], name="Gate", driver=driver)

    assert slots == [
        Slot(reader="Gate A 00 00", port=21000),
        Slot(reader="Gate A 00 01", port=21001),
        Slot(reader="Gate B 00 00", port=23456),
        Slot(reader="Gate B 00 01", port=23457),
    ]
    text = (tmp_path / "conf" / "citycard").read_text()
    assert text.count("FRIENDLYNAME") == 2
    assert "CHANNELID    0x5BA0" in text
    # Whatever else lies in the folder is taken for a configuration too, so nothing else may.
    assert [path.name for path in (tmp_path / "conf").iterdir()] == ["citycard"]
    assert {path.read_bytes() for path in tmp_path.glob("libifdvpcd-*.so")} == {b"driver"}
