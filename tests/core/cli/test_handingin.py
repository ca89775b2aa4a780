"""``citycard clearing convert`` and ``sender`` over the town that the tests of clearing play."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from click.testing import CliRunner

from citycard.clearing.cover import read_cover
from citycard.clearing.intake import receive
from citycard.cli import handingin
from citycard.errors import FileThere, SenderKeyInvalid
from citycard.keys.protocol import draw_signer, public_pem

AT = datetime.fromisoformat("2018-09-01T07:00")


@pytest.fixture
def batches(town, tmp_path):
    """Files of two batches, and the keys of the office that hands them in."""
    (card,) = town.issue(1)
    town.load(card, 10_000)
    files = []
    for amount_fen in (200, 300):
        town.tap(card, amount_fen, AT)
        name, data = town.batch()
        files.append(tmp_path / name)
        files[-1].write_bytes(data)
    key = draw_signer()
    (tmp_path / "office.pem").write_bytes(key)
    (tmp_path / "office.pub").write_text(public_pem(key))
    return files


@pytest.fixture
def call(town, tmp_path, monkeypatch):
    monkeypatch.setattr(handingin, "opened", lambda _folder: town)

    def calling(command, *words):
        done = CliRunner().invoke(command, [*map(str, words), "--json"], standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return json.loads(done.stdout)

    return calling


def test_what_is_converted_comes_in_with_its_sender(call, batches, town, tmp_path):
    made = call(handingin.add_command, "office", "--partner", "metro", "--key", tmp_path / "office.pub")
    assert call(handingin.list_command) == [made]
    out, words = tmp_path / "day.csv", ("--to", "csv", "--sender", "office", "--number", "1")
    told = call(handingin.convert_command, *batches, *words, "--key", tmp_path / "office.pem", "--out", out)
    cover = tmp_path / "day.csv.cover.json"
    assert (told["records"], told["amount_fen"], told["signature"]) == (
        2,
        500,
        read_cover(cover.read_bytes()).signature,
    )
    assert [(one.state, one.amount_fen) for one in receive(town, [cover]).sent] == [("accepted", 500)]


def test_another_file_is_never_written_over(call, batches, tmp_path):
    out, words = tmp_path / "day.csv", ("--to", "csv", "--sender", "office", "--number", "1")
    call(handingin.convert_command, batches[0], *words, "--out", out)
    before = out.read_bytes()
    # The same once more, as after a crash, changes nothing.
    call(handingin.convert_command, batches[0], *words, "--out", out)
    with pytest.raises(FileThere, match=r"day\.csv is there already"):
        call(handingin.convert_command, batches[1], *words, "--out", out)
    assert out.read_bytes() == before


def test_who_gives_the_wrong_one_of_two_keys_is_told_how_to_get_the_other(call, batches, tmp_path):
    private, public = tmp_path / "office.pem", tmp_path / "office.pub"
    with pytest.raises(SenderKeyInvalid, match="no public Ed25519 key in PEM: openssl pkey -in"):
        call(handingin.add_command, "office", "--partner", "metro", "--key", private)
    words = ("--to", "csv", "--sender", "office", "--number", "1", "--out", tmp_path / "day.csv")
    with pytest.raises(SenderKeyInvalid, match="no private Ed25519 key"):
        call(handingin.convert_command, *batches, *words, "--key", public)
