"""What a machine does to files, keys, PINs and working state: nearly always right, so that it gets far."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule
from reference import client as known
from reference import crypto
from reference.client import command

SPOIL = st.sampled_from([0, 0, 0, 0, 1])
AMOUNT = st.integers(0, 300) | st.sampled_from([5000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
SFI = st.sampled_from([0, 1, 2, 4, 5, 6, 7, 8, 9, 0x15, 0x16, 0x17, 0x18, 0x1A, 0x1E, 0x1F])
RIGHT = st.sampled_from(["F0", "F1", "F2", "EF", "22", "01", "02"])
SECRETS = st.sampled_from(
    [known.AUTHENTICATION, known.AUTHENTICATION, known.OTHER_AUTHENTICATION, known.MASTER]
)
SMALL = st.integers(0, 4)
RECORD = st.one_of(
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=48, max_size=48),
    st.tuples(st.sampled_from([b"\x27\x01", b"\x27\x02", b"\x27\x03"]), st.binary(max_size=6)).map(
        lambda pair: pair[0] + bytes((len(pair[1]),)) + pair[1]
    ),
    st.tuples(st.integers(1, 3), st.binary(max_size=6)).map(
        lambda pair: bytes((pair[0], len(pair[1]))) + pair[1]
    ),
    st.binary(max_size=12),
)


class FilePlays:
    """Rules for everything but money; ``send``, ``home`` and ``client`` come from the machine."""

    # ── working state ────────────────────────────────────────────────────────────────────────────

    @rule()
    def reset(self):
        self.chip.reset()
        self.model.reset()

    @rule()
    def select_the_application(self):
        self.home()

    @rule(
        fid=st.sampled_from([0x3F00, 0x3F01, 0x0015, 0x0018, 0x0002, 0x0000, 0x0077]),
        le=st.sampled_from([None, 0]),
    )
    def select(self, fid, le):
        self.send(command("00A40000", fid.to_bytes(2, "big"), le))

    @rule(size=st.sampled_from([4, 8, 0, 5]))
    def challenge(self, size):
        self.client.challenge(size)

    @rule(secret=SECRETS, kid=st.sampled_from([0, 0, 0, 1, 7]), size=st.sampled_from([4, 8]))
    def authenticate(self, secret, kid, size):
        self.client.authenticate(secret, kid, size)

    @rule()
    def become_the_issuer(self):
        self.home()
        self.client.authenticate(known.AUTHENTICATION)

    @rule(how=st.integers(0, 3), kid=st.sampled_from([0, 0, 1]), data=st.binary(min_size=1, max_size=17))
    def authenticate_the_card(self, how, kid, data):
        self.send(command(f"0088{how:02X}{kid:02X}", data))

    @rule(how=st.integers(0, 2), blocks=st.integers(1, 2))
    def let_the_card_compute(self, how, blocks):
        self.send(command(f"0088{how:02X}00", bytes(range(8 * blocks)), 8 * blocks))

    # ── the PIN ──────────────────────────────────────────────────────────────────────────────────

    @rule(
        pin=st.sampled_from([known.PIN, known.PIN, known.PIN, b"\x99\x99", b"\x12\x34\x56\xff"]),
        kid=st.sampled_from([0, 0, 3]),
    )
    def verify(self, pin, kid):
        self.send(command(f"002000{kid:02X}", pin))

    @rule(pin=st.sampled_from([b"", b"\x12", b"1234567", b"123456789"]))
    def verify_a_pin_of_a_strange_length(self, pin):
        self.send(command("00200000", pin))

    @rule(
        old=st.sampled_from([known.PIN, b"\x99\x99"]),
        new=st.sampled_from([known.PIN, b"\x99\x99", b"123456"]),
    )
    def change_pin(self, old, new):
        self.send(command("805E0100", old + b"\xff" + new))

    @rule(data=st.binary(max_size=14))
    def change_pin_to_anything(self, data):
        self.send(command("805E0100", data))

    @rule(new=st.sampled_from([known.PIN, known.PIN, b"\x99\x99"]), spoil=SPOIL)
    def reload_pin(self, new, spoil):
        mac = crypto.mac(crypto.fold(known.RELOAD), new)
        self.send(command("805E0000", new + mac[:3] + bytes((mac[3] ^ spoil,))))

    @rule(pin=st.sampled_from([known.PIN, known.PIN, b"\x99\x99"]), spoil=SPOIL)
    def unblock_pin(self, pin, spoil):
        self.client.protected("84240000", pin, known.UNBLOCK, sealed=True, spoil=spoil)

    @rule()
    def forget_the_pin_until_it_is_locked_and_get_it_back(self):
        for _ in range(4):
            self.send(command("00200000", b"\x00\x00\x00"))
        mac = crypto.mac(crypto.fold(known.RELOAD), known.PIN)
        self.send(command("805E0000", known.PIN + mac))

    # ── files ────────────────────────────────────────────────────────────────────────────────────

    @rule(
        sfi=SFI,
        offset=st.sampled_from([0, 0, 1, 15, 29, 30, 60]),
        le=st.sampled_from([0, 0, 1, 8, 30, 60, 255, None]),
    )
    def read_binary(self, sfi, offset, le):
        self.send(command(f"00B0{0x80 | sfi:02X}{offset:02X}", le=le))

    @rule(offset=st.sampled_from([0, 1, 40, 300]), le=st.sampled_from([0, 4]))
    def read_the_current_file(self, offset, le):
        self.send(command(f"00B0{offset:04X}", le=le))

    @rule(sfi=SFI, offset=st.sampled_from([0, 1, 15, 30]), data=st.binary(max_size=20))
    def update_binary(self, sfi, offset, data):
        self.send(command(f"00D6{0x80 | sfi:02X}{offset:02X}", data))

    @rule(
        sfi=st.sampled_from([0x15, 5, 8, 0x16]),
        offset=st.sampled_from([0, 1, 15]),
        data=st.binary(min_size=1, max_size=16),
        spoil=SPOIL,
    )
    def update_binary_with_mac(self, sfi, offset, data, spoil):
        secret = known.OTHER_LINE if sfi == 8 else known.LINE
        self.client.protected(f"04D6{0x80 | sfi:02X}{offset:02X}", data, secret, sfi == 5, spoil=spoil)

    @rule(offset=st.sampled_from([0, 3, 16]), le=st.sampled_from([0, 4, 16, 17]), spoil=SPOIL)
    def read_binary_with_mac(self, offset, le, spoil):
        self.client.protected(f"04B088{offset:02X}", b"", known.LINE, le=le, spoil=spoil)

    @rule(
        sfi=SFI, number=SMALL, mode=st.sampled_from([4, 4, 4, 0, 5, 1]), le=st.sampled_from([0, 0, 8, 23, 48])
    )
    def read_record(self, sfi, number, mode, le):
        self.send(command(f"00B2{number:02X}{sfi << 3 | mode:02X}", le=le))

    @rule(sfi=st.sampled_from([6, 7, 9, 0x1E, 0x18, 0x15]), record=RECORD, mode=st.sampled_from([4, 4, 4, 0]))
    def append_record(self, sfi, record, mode):
        self.send(command(f"00E200{sfi << 3 | mode:02X}", record))

    @rule(sfi=st.sampled_from([7, 0x1A, 6]), record=RECORD, spoil=SPOIL)
    def append_record_with_mac(self, sfi, record, spoil):
        self.client.protected(f"04E200{sfi << 3 | 4:02X}", record, known.LINE, spoil=spoil)

    @rule(
        sfi=st.sampled_from([6, 7, 9, 0x1E, 0x18]),
        number=SMALL,
        mode=st.sampled_from([4, 4, 0, 2, 3]),
        record=RECORD,
    )
    def update_record(self, sfi, number, mode, record):
        self.send(command(f"00DC{number:02X}{sfi << 3 | mode:02X}", record))

    @rule(
        sfi=st.sampled_from([7, 0x1A]),
        number=SMALL,
        mode=st.sampled_from([4, 4, 0]),
        record=RECORD,
        spoil=SPOIL,
    )
    def update_record_with_mac(self, sfi, number, mode, record, spoil):
        self.client.protected(f"04DC{number:02X}{sfi << 3 | mode:02X}", record, known.LINE, spoil=spoil)

    @rule(
        fid=st.integers(0x0A, 0x0E),
        kind=st.sampled_from(["28", "A8", "2A", "2E", "2C", "2F", "3F", "33"]),
        size=st.sampled_from(["0010", "0204", "0108", "7000"]),
        right=RIGHT,
    )
    def create_file(self, fid, kind, size, right):
        self.send(command(f"80E0{fid:04X}", bytes.fromhex(f"{kind}{size}{right}{right}FFFF")))

    @rule(fid=st.sampled_from([0x3F02, 0x3F01]), name=st.binary(min_size=4, max_size=17))
    def create_directory(self, fid, name):
        self.send(command(f"80E0{fid:04X}", bytes.fromhex("380100F0F095FFFF") + name))

    @rule()
    def erase(self):
        self.send(bytes.fromhex("800E000000"))

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────

    @rule(
        p1=st.sampled_from([1, 1, 0x3E, 0x3F, 0x39]),
        kid=st.sampled_from([1, 2, 3]),
        kind=st.sampled_from([0x3E, 0x3E, 0x3F, 0x39, 0x1E, 0x3A]),
        size=st.sampled_from([16, 16, 8, 7]),
    )
    def write_key(self, p1, kid, kind, size):
        value = bytes((kind, 0xF0, 0xF2, 0x02, 0x33)) + known.key(p1 + kid)[:size]
        self.send(command(f"80D4{p1:02X}{kid:02X}", value))

    @rule(
        p1=st.sampled_from([1, 0x3E]), kid=st.sampled_from([1, 2]), seed=st.sampled_from([9, 10]), spoil=SPOIL
    )
    def write_key_sealed(self, p1, kid, seed, spoil):
        value = bytes.fromhex("3EF0F20200") + known.key(seed)
        self.client.protected(f"84D4{p1:02X}{kid:02X}", value, known.AUTHENTICATION, sealed=True, spoil=spoil)
