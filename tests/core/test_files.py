from __future__ import annotations

import os
import stat

import pytest

from citycard.files import append_durably, write_whole


def test_a_file_is_there_whole(tmp_path):
    path = tmp_path / "new" / "one"
    write_whole(path, b"first")
    assert path.read_bytes() == b"first"
    write_whole(path, lambda file: file.write(b"second"))
    assert path.read_bytes() == b"second"
    assert [entry.name for entry in path.parent.iterdir()] == ["one"]


def test_a_writer_that_breaks_off_leaves_what_was_there(tmp_path):
    path = tmp_path / "one"
    write_whole(path, b"first")

    def broken(file):
        file.write(b"sec")
        raise OSError(28, "no space")

    with pytest.raises(OSError, match="no space"):
        write_whole(path, broken)
    assert path.read_bytes() == b"first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["one"]


def test_an_existing_file_is_not_touched_unless_it_may_be_replaced(tmp_path):
    path = tmp_path / "one"
    write_whole(path, b"first", replace=False)
    with pytest.raises(FileExistsError):
        write_whole(path, b"second", replace=False)
    assert path.read_bytes() == b"first"


def test_a_secret_file_is_its_owners_alone(tmp_path):
    write_whole(tmp_path / "one", b"", mode=0o600)
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600


def test_file_and_folder_are_forced_to_the_medium(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(stat.S_ISDIR(os.fstat(number).st_mode)))
    write_whole(tmp_path / "one", b"first")
    assert synced == [False, True]
    with (tmp_path / "one").open("ab") as file:
        append_durably(file, b" and more")
        assert (tmp_path / "one").read_bytes() == b"first and more"
    assert synced == [False, True, False]
