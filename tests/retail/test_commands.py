import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from citycard.errors import CitycardError
from citycard.ids import new_id
from citycard_retail import commands
from citycard_retail.files import APPLICATION_COLUMNS, PRODUCT_COLUMNS
from citycard_retail.iso import read_message, write_message
from citycard_retail.sales import sell


@pytest.fixture
def call(shops):
    """Return a function that calls a command in the town's folder."""

    def run(word, *words, code=0):
        folder = str(shops.town.city.folder)
        done = CliRunner().invoke(getattr(commands, word), [*map(str, words), "--city", folder])
        refused = done.exception if isinstance(done.exception, CitycardError) else None
        ended = refused.exit_code if refused is not None else done.exit_code
        assert (word, words, ended) == (word, words, code), (done.output, done.exception)
        return done.stdout if refused is None else str(refused)

    return run


def test_merchants_come_from_a_file_and_a_second_person_approves_them(call, tmp_path):
    row = "harbour-mart,Harbour Mart,supermarket,standard,,,6200990100000300001,CITYCNBJXXX,Mrs Chen,1"
    path = tmp_path / "merchants.csv"
    path.write_text(f"{','.join(APPLICATION_COLUMNS)}\n{row}\n")
    for _ in range(2):
        (made,) = json.loads(call("apply", path, "--by", "Li", "--json"))
    assert "Li" in call("decide", made["id"], "--approve", "--by", "Li", code=5)
    assert call("decide", made["id"], "--approve", "--by", "Wang") == "harbour-mart is approved\n"
    (found,) = json.loads(call("merchants", "--json"))
    assert (found["partner"], found["tier"], found["terminals"]) == (
        "harbour-mart",
        "standard",
        ["990120000001"],
    )
    assert "990154110000001" in call("merchants")
    path.write_text(f"{','.join(APPLICATION_COLUMNS)}\n{row.replace('standard', 'hotel')}\n")
    assert "merchants.csv, line 2, tier" in call("apply", path, code=3)


def test_a_statement_is_told_and_written_to_the_fen(call, shops, tmp_path):
    shops.open("harbour-mart", "supermarket", tier="standard")
    account = shops.town.account(shops.town.card(), 50_000)
    sell(shops.market, new_id(), account, "harbour-mart", 12_345)
    call("statement", "harbour-mart", code=4)
    shops.town.clear()
    told = json.loads(call("statement", "harbour-mart", "--json"))
    assert (told["online_fen"], told["online_fee_fen"], told["paid_fen"]) == (12_345, 74, 12_271)
    call("statement", "harbour-mart", "--csv", "--out", tmp_path / "s.csv")
    head, line = (tmp_path / "s.csv").read_text().splitlines()
    assert head == "at,kind,reference,amount,fee,net"
    assert line.split(",")[1] == "online"
    assert line.endswith("123.45,0.74,122.71")
    assert "123.45 of 1 sales, fees 0.74" in call("statement", "harbour-mart")
    assert "nobody" in call("statement", "nobody", code=4)


def test_products_and_fees(call, tmp_path):
    path = tmp_path / "goods.csv"
    path.write_text(f"{','.join(PRODUCT_COLUMNS)}\nrice,Rice,大米,39.90,120,yes\ntea,Tea,茶,58,0,no\n")
    for _ in range(2):
        assert json.loads(call("products", path, "--json")) == {"products": 2}
    path.write_text(f"{','.join(PRODUCT_COLUMNS)}\nrice,Rice,,39.90,1,yes\nrice,Rice,,1,1,yes\n")
    assert "line 3, sku" in call("products", path, code=3)
    assert json.loads(call("fee", "100", "--json")) == {
        "standard": 60,
        "small": 38,
        "catering": 80,
        "hotel": 100,
    }
    assert "expected one of standard, small" in call("fee", "100", "--tier", "gold", code=3)
    call("fee", "1.001", code=3)


def test_a_key_goes_into_a_new_file_of_its_owner(call, shops, pos, tmp_path):
    out = tmp_path / "pos.key"
    told = json.loads(call("pos", "key", pos.terminal, "--out", out, "--json"))
    assert (told["terminal"], told["file"]) == (pos.terminal, str(out))
    assert pos.key.hex().upper() not in json.dumps(told)
    assert bytes.fromhex(out.read_text()) == pos.key
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    call("pos", "key", "990199999999", "--out", tmp_path / "other.key", code=4)
    assert not (tmp_path / "other.key").exists()


def test_the_host_of_pos_answers_until_it_is_ended(shops, pos, guest):
    command = Path(sys.executable).with_name("citycard")
    if not command.exists():
        command = Path(shutil.which("citycard") or "")
    words = [str(command), "retail", "pos", "serve", "--port", "0", "--city", str(shops.town.city.folder)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as served:
        line = served.stderr.readline()
        port = int(line.rpartition(":")[2])
        # The host's clock is the real one, and so is the day of what is sent to it.
        now = time.localtime()
        message = pos.purchase(guest, 1_000)
        told = dict(message.fields) | {"13": time.strftime("%m%d", now), "12": time.strftime("%H%M%S", now)}
        raw = write_message(type(message)(mti="0200", fields=told), pos.key)
        with socket.create_connection(("127.0.0.1", port), timeout=30) as line_to:
            line_to.sendall(len(raw).to_bytes(2) + raw)
            reply = read_message(line_to.recv(4096)[2:])[0]
        served.terminate()
        assert served.wait(30) == 0
    assert reply.fields["39"] == "00"
