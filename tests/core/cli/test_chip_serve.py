"""``citycard chip serve`` as a user runs it: a process of its own, the real pcscd, orders on stdin."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest

from citycard.chip import PROFILES, Chip
from citycard.cli.cardfile import chip_file, read_card_file, write_card_file
from citycard.errors import CardRemoved
from citycard.pcsc import PcscReader

CITYCARD = (sys.executable, "-c", "from citycard.cli.main import main; main()")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "one.card"
    write_card_file(path, chip_file(Chip.blank(PROFILES["fmcos"], transport=True), "fmcos"))
    return path


@pytest.fixture
def serve(pcscd):
    running = []

    def start(*arguments):
        port = pcscd.slots[2].port
        process = subprocess.Popen(
            [*CITYCARD, "chip", "serve", "--port", str(port), "--json", *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **pcscd.environment},
        )
        running.append(process)
        return Serving(process)

    yield start
    for process in running:
        process.kill()
        process.communicate()


class Serving:
    def __init__(self, process):
        self.process = process

    def until(self, word):
        """Read events up to the first of this name."""
        for line in self.process.stdout:
            event = json.loads(line)
            if event["event"] == word:
                return event
        raise AssertionError(f"{word} never came: {self.process.stderr.read()}")

    def order(self, text):
        print(text, file=self.process.stdin, flush=True)


@pytest.fixture
def reader(pcscd):
    with PcscReader(pcscd.slots[2].reader) as one:
        yield one


def transport(reader):
    """Answer the card's challenge under the transport key, and erase the card."""
    from citycard.keys.cipher import tdes

    reader.connect()
    reader.transmit(bytes.fromhex("00A40000023F00"))
    challenge = reader.transmit(bytes.fromhex("0084000008"))[:-2]
    answers = [reader.transmit(bytes.fromhex("0082000008") + tdes(b"\xff" * 16, challenge))]
    return [*answers, reader.transmit(bytes.fromhex("800E000000"))]


def test_a_blank_card_is_taken_out_of_transport_state_by_a_reader(serve, reader):
    served = serve("--blank", "--profile", "fmcos")
    served.until("ready")
    reader.wait_for_card(10)

    assert transport(reader) == [b"\x90\x00", b"\x90\x00"]


def test_what_a_reader_changes_is_in_the_file_at_once(serve, reader, file):
    before = file.read_bytes()
    served = serve(file, "--save")
    served.until("ready")
    reader.wait_for_card(10)
    transport(reader)

    assert file.read_bytes() != before
    assert read_card_file(file).card().image() == read_card_file(file).image


def test_a_card_is_torn_and_put_in_again_by_orders(serve, reader, file):
    served = serve(file)
    served.until("ready")
    reader.wait_for_card(10)
    served.order("tear 1 0 torn")
    assert served.until("tear-ordered") == {
        "event": "tear-ordered",
        "card": 1,
        "after_writes": 0,
        "torn": True,
    }
    with pytest.raises(CardRemoved):
        transport(reader)
    served.until("torn")
    served.order("insert 1")
    served.until("inserted")
    reader.wait_for_card(10)

    assert transport(reader)[-1] == b"\x90\x00"


def test_an_order_that_makes_no_sense_is_refused_and_the_next_is_obeyed(serve, file):
    served = serve(file, "--blank")
    served.until("ready")
    for wrong in ("fly 1", "insert 3", "tear 1", "tear 1 x", "remove"):
        served.order(wrong)
        assert served.until("refused")["order"] == wrong
    served.order("insert 7")
    assert served.until("refused")["reason"] == "no card 7: there are 2 cards, 1 to 2"
    served.order("list")
    assert served.until("card")["inserted"]
    served.order("quit")
    assert served.until("stopped")
    assert served.process.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_takes_the_card_out_and_ends_well(serve, file, number):
    served = serve(file)
    served.until("ready")
    served.process.send_signal(number)

    assert served.until("removed")
    assert served.process.wait(10) == 0


def test_where_nothing_listens_it_says_what_to_start(file):
    done = subprocess.run(
        [*CITYCARD, "chip", "serve", str(file), "--port", "1", "--wait", "0.2"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 4
    assert "systemctl start pcscd" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_also_while_it_waits_for_the_service(file, number):
    process = subprocess.Popen(
        [*CITYCARD, "chip", "serve", str(file), "--port", "1", "--wait", "60"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert "nothing listens on 127.0.0.1:1 yet" in process.stderr.readline()
    process.send_signal(number)

    assert process.wait(10) == 0
    process.communicate()


def test_without_a_card_the_call_is_wrong():
    done = subprocess.run([*CITYCARD, "chip", "serve"], capture_output=True, text=True, check=False)

    assert done.returncode == 2


def test_it_ends_and_takes_the_cards_out_when_nobody_reads_its_events_any_more(serve, reader, file):
    served = serve(file, "--save")
    served.until("ready")
    reader.wait_for_card(10)
    served.process.stdout.close()
    with contextlib.suppress(CardRemoved):
        reader.connect()  # power-on is an event that nobody hears

    assert served.process.wait(10) == 0
    assert served.process.stderr.read() == ""
