"""Any sequence of commands, against a card written a second time from the specification: every byte the same.

``reference`` is that second card: plain Python that shares no code with the chip. Both get the same commands
and the same random numbers. Where they differ, one is wrong by the specification, not always the chip.
"""

from __future__ import annotations

import sys
from collections import Counter
from copy import deepcopy
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from citycard.chip import FMCOS, T_UNION, Chip, PowerLoss

sys.path.insert(0, str(Path(__file__).parent))
from reference import client as known
from reference import crypto
from reference.card import Card
from reference.client import Client, command
from reference.plays import SPOIL, FilePlays
from reference.purseplays import PursePlays

HEADS = st.sampled_from(
    [
        "00A40000",
        "00A40400",
        "00B08500",
        "00B28100",
        "00D69700",
        "00E20034",
        "00840000",
        "00820000",
        "00880000",
        "00200000",
        "00C00000",
        "80500002",
        "80500102",
        "80500302",
        "80520000",
        "80540100",
        "80540300",
        "80580000",
        "805A0009",
        "805C0002",
        "80DC0034",
        "84DC0034",
        "805E0000",
        "84240000",
        "841E0000",
        "84180000",
        "84160000",
        "80D40100",
        "84D40100",
        "80E00010",
        "800E0000",
        "04B08800",
        "04D68500",
        "90500002",
        "FFCA0000",
        "E0CA0000",
        "E07A0802",
        "E07A0902",
        "E07C0800",
        "E07E0802",
        "E07E0900",
        "00FF0000",
    ]
)


SECOND = {bytes.fromhex(head) for head in ("8052", "8054", "8058", "E07C")}
"""Second commands of a transaction: they cost no try, so a cut leaves the old card or the new one."""


class Numbers:
    """The same random numbers for both cards."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, size: int) -> bytes:
        self.count += 1
        return crypto.des(known.TRANSPORT, self.count.to_bytes(8, "big"))[:size]


def told(card) -> list[str]:
    """Ask a card, or the other one, for what tells a finished transaction from one that never was."""
    if isinstance(card, Chip):
        card.power_on()
    else:
        card.reset()
    asked = [command("00A40400", known.AID, 0), command("E0CA0000", le=30)]
    for which in (1, 2):
        asked += [command(f"805C0{p1}0{which}", le=4) for p1 in range(2)]
    for tti in (1, 2, 3, 4, 5, 6, 7, 9, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96):
        asked += [command(f"805A00{tti:02X}", bytes((0, count)), 8) for count in range(32)]
    return [card.transmit(apdu).hex() for apdu in asked]


class CardMachine(FilePlays, PursePlays, RuleBasedStateMachine):
    """Do what terminals, load hosts, issuers and people do, nearly always right."""

    profile = T_UNION
    transport = False
    counted: ClassVar[Counter] = Counter()
    cut: tuple | None = None

    @initialize()
    def begin(self):
        self.model = Card(
            Numbers(),
            load_needs_pin=self.profile.load_needs_pin,
            record_id_size=self.profile.record_id_size,
            application_version=self.profile.application_version,
            warns_unwritten=self.profile.warns_unwritten,
            protected_cache=self.profile.protected_cache,
            longest=self.profile.longest_data,
        )
        self.chip = Chip.blank(self.profile, random=Numbers(), transport=self.transport)
        self.chip.power_on()
        self.last = bytes.fromhex("00A40000023F00")
        self.client = Client(self.send, self.profile.record_id_size)
        if self.transport:
            self.model.deliver()
            self.client.authenticate(known.MASTER)
            self.client.open_transport()
        self.client.issue()
        self.locks: list[tuple[int, bytes, bytes]] = []
        self.home()

    def send(self, apdu: bytes) -> bytes:
        self.counted["commands"] += 1
        self.last = apdu
        if self.cut is not None and apdu[:2] in SECOND:
            return self.torn(apdu)
        expected, actual = self.model.transmit(apdu), self.chip.transmit(apdu)
        assert actual.hex() == expected.hex(), (
            f"{apdu.hex()}: chip {actual.hex()}, specification {expected.hex()}"
        )
        return actual

    def torn(self, apdu: bytes) -> bytes:
        """Take the power away in the middle of a debit or a load; find out which card it is now."""
        before = deepcopy(self.model)
        expected = self.model.transmit(apdu)
        self.chip.eeprom.cut_after(*self.cut)
        try:
            actual = self.chip.transmit(apdu)
        except PowerLoss:
            self.counted["cuts"] += 1
            self.cut = None
            self.chip.power_on()
            found = told(self.chip.clone())
            (self.model,) = [model for model in (before, self.model) if told(deepcopy(model)) == found]
            self.model.reset()
            return b"\x6f\x00"
        self.chip.eeprom.cut_after(None)
        if actual[-2:] == b"\x90\x00":  # else no write was made, and the cut is still to come
            self.cut = None
        assert actual.hex() == expected.hex()
        return actual

    def home(self):
        return self.send(command("00A40400", known.AID, 0))

    # ── the end of an application, and noise ─────────────────────────────────────────────────────

    @rule(spoil=SPOIL)
    def block_for_a_time_and_unblock(self, spoil):
        self.client.protected("841E0000", b"", known.LINE)
        self.send(command("805C0002", le=4))
        self.home()
        self.client.protected("84180000", b"", known.LINE, spoil=spoil)

    @rule(
        rare=st.integers(0, 9),
        head=st.sampled_from(["841E0001", "84160000", "841E0002", "84180000"]),
        spoil=SPOIL,
    )
    def block(self, rare, head, spoil):
        if rare == 7:
            self.client.protected(head, b"", known.LINE, spoil=spoil)

    @rule(
        writes=st.integers(0, 16),
        torn=st.booleans(),
        prefix=st.integers(0, 200),
        which=st.sampled_from([1, 2]),
        amount=st.integers(1, 200),
    )
    def cut_a_purchase_or_the_next_transaction(self, writes, torn, prefix, which, amount):
        self.fill(which, 5000)
        self.cut = (writes, torn, prefix)
        self.purchase(which, amount, 1, 0)

    @rule()
    def keep_the_card_in_a_file(self):
        random = self.chip.random
        self.chip = Chip.from_image(self.chip.image(), self.profile)
        self.chip.random = random
        self.reset()

    @rule(head=HEADS, data=st.binary(max_size=20), le=st.none() | st.integers(0, 255))
    def any_command(self, head, data, le):
        self.send(command(head, data, le))

    @rule(raw=st.binary(max_size=12))
    def any_bytes(self, raw):
        self.send(raw)

    @rule(at=st.integers(0, 300), bit=st.integers(0, 7))
    def the_last_command_with_a_wrong_bit(self, at, bit):
        raw = bytearray(self.last)
        if raw:
            raw[at % len(raw)] ^= 1 << bit
            self.send(bytes(raw))

    @rule()
    def the_last_command_again(self):
        self.send(self.last)

    def teardown(self):
        """Read everything there is, as the issuer and as a passer-by."""
        if not hasattr(self, "client"):
            return
        self.reset()
        for sfi in range(1, 31):
            self.send(command(f"00B0{0x80 | sfi:02X}00", le=0))
        self.home()
        for secret in (known.AUTHENTICATION, None):
            if secret:
                self.client.authenticate(secret)
            else:
                self.send(command("00200000", known.PIN))
            for sfi in range(1, 31):
                self.send(command(f"00B0{0x80 | sfi:02X}00", le=0))
                for number in range(1, 12):
                    if self.send(command(f"00B2{number:02X}{sfi << 3 | 4:02X}", le=0))[-2:] != b"\x90\x00":
                        break
        for which in (1, 2):
            self.send(command(f"805C00{which:02X}", le=4))
            self.client.initialize(0, which, 0)
            self.client.initialize(1, which, 0)
        self.send(command("00200000", b"\x00\x00"))
        self.client.authenticate(known.MASTER)


class ManualMachine(CardMachine):
    """The same on a card as the maker's manual describes it, from transport state on."""

    profile = FMCOS
    transport = True


def play(machine, examples, steps):
    machine.counted = Counter()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return machine.counted


MACHINES = pytest.mark.parametrize("machine", [CardMachine, ManualMachine], ids=["t-union", "fmcos"])


def tell(counted, record_property):
    record_property("steps", counted["commands"])
    record_property("cuts", counted["cuts"])


@MACHINES
def test_the_chip_answers_as_the_specification(machine, record_property):
    counted = play(machine, examples=100, steps=80)
    assert counted["commands"] > 10_000
    assert counted["cuts"] > 1
    tell(counted, record_property)


@pytest.mark.deep
@MACHINES
def test_the_chip_answers_as_the_specification_for_long(machine, record_property):
    tell(play(machine, examples=200, steps=120), record_property)


@pytest.mark.deep
def test_a_counter_stops_at_its_last_number(record_property):
    machine = CardMachine()
    machine.begin()
    for _ in range(0xFFFF):
        answer = machine.client.initialize(1, 2, 0)
        assert machine.client.offline(answer, 0, 6, known.PURCHASE)[-2:] == b"\x90\x00"
    assert machine.client.initialize(1, 2, 0)[:2].hex() == "9402"
    assert machine.client.initialize(3, 2, 0)[:2].hex() == "9402"
    assert machine.client.initialize(0, 2, 0)[4:6].hex() == "0000"
    record_property("steps", 2 * 0xFFFF)
