"""A raw client that knows every key: it writes APDUs from the specification and reads the answers."""

from __future__ import annotations

from collections.abc import Callable

from reference import crypto

AID = bytes.fromhex("A000000632010105")
TERMINAL = bytes.fromhex("001122334455")
WHEN = bytes.fromhex("20241229141740")
PIN = bytes.fromhex("123456")


def key(seed: int) -> bytes:
    """Return the made-up key number ``seed``."""
    return crypto.des(bytes(range(16)), bytes((seed,)) * 16)


MASTER, MASTER_LINE = key(1), key(2)
AUTHENTICATION, OTHER_AUTHENTICATION = key(3), key(4)
LINE, OTHER_LINE, UNBLOCK, RELOAD = key(5), key(6), key(7), key(8)
PURCHASE, NEW_PURCHASE, LOAD, UNLOAD, OVERDRAFT, TAC = key(9), key(10), key(11), key(12), key(13), key(14)
ENCRYPT, DECRYPT, MAC_KEY = key(15), key(16)[:8], key(17)
TRANSPORT = b"\xff" * 16


def command(head: str, data: bytes = b"", le: int | None = None) -> bytes:
    """Return a short APDU; ``head`` is class, instruction and parameters in hex."""
    body = bytes((len(data),)) + data if data else b""
    return bytes.fromhex(head) + body + (b"" if le is None else bytes((le,)))


def put(kind: str, kid: int, header: str, value: bytes) -> bytes:
    return command(f"80D401{kid:02X}", bytes.fromhex(kind + header) + value)


ISSUING = [
    put("39", 0, "F0 F0 0F 33", MASTER),
    put("36", 0, "F0 F0 FF 33", MASTER_LINE),
    command("80E00001", bytes.fromhex("2A0213F0F0FFFF")),
    command("00E2000C", bytes.fromhex("61114F08A00000063201010550054D4F545F54")),
    command("80E00004", bytes.fromhex("280010F001FFFF")),
    command("80E03F01", bytes.fromhex("381400F0F395FFFF") + AID),
    command("00A40400", AID, 0),
    command("80E00000", bytes.fromhex("3F028095FFFFFF")),
    command("80E00015", bytes.fromhex("A8001EF0F0FFFF")),
    command("80E00016", bytes.fromhex("280037F122FFFF")),
    command("80E00017", bytes.fromhex("28003CF0F0FFFF")),
    command("80E00005", bytes.fromhex("E80010F0F0FFFF")),
    command("80E00008", bytes.fromhex("A80010F0F0FF7E")),
    command("80E00006", bytes.fromhex("2A0408F0F0FFFF")),
    command("80E00007", bytes.fromhex("AA0408F0F0FFFF")),
    command("80E00009", bytes.fromhex("2C0040F0F0FFFF")),
    command("80E0001A", bytes.fromhex("AC0100F0F0FFFF")),
    command("80E0001E", bytes.fromhex("2E0530F0F0FFFF")),
    command("80E00018", bytes.fromhex("2E0A17F1EFFFFF")),
    command("80E00001", bytes.fromhex("2F0208F000FF18")),
    command("80E00002", bytes.fromhex("2F0208F000FF18")),
    command("00D69700", bytes.fromhex("0000015610001000000101")),
]
KEYS_LAST = [
    put("34", 0, "F0 F2 01 00", TAC),
    put("3E", 1, "F0 F2 01 00", PURCHASE),
    put("3F", 1, "F0 F2 01 00", LOAD),
    put("3D", 1, "F0 F2 01 00", UNLOAD),
    put("3C", 1, "F0 F2 01 00", OVERDRAFT),
    put("30", 0, "F0 F2 01 00", ENCRYPT),
    put("31", 0, "F0 F2 01 00", DECRYPT),
    put("32", 0, "F1 F2 01 00", MAC_KEY),
    put("36", 0, "F0 F2 FF 33", LINE),
    put("36", 1, "F0 F2 FF 33", OTHER_LINE),
    put("37", 0, "F0 F2 FF 33", UNBLOCK),
    put("38", 0, "F0 F2 FF 33", RELOAD),
    put("3A", 0, "F0 EF 01 33", PIN),
    put("39", 0, "F0 F2 02 33", AUTHENTICATION),
    put("39", 1, "F0 F2 03 33", OTHER_AUTHENTICATION),
]


class Client:
    """Say what a terminal, a load host and an issuer say; ``send`` is the card."""

    def __init__(self, send: Callable[[bytes], bytes], record_id_size: int = 2) -> None:
        self.send = send
        self.serial = 0
        self.kept: tuple[bytes, bytes] = (bytes(8), bytes(2))
        self.prefix = b"\x27" * (record_id_size - 1)

    def ok(self, apdu: bytes) -> bytes:
        answer = self.send(apdu)
        assert answer[-2:] == b"\x90\x00", (apdu.hex(), answer.hex())
        return answer[:-2]

    def record(self, tag: int, body: bytes) -> bytes:
        """Return a variable record; T-Union's have an identifier of two bytes, ``27`` and the tag."""
        return self.prefix + bytes((tag, len(body))) + body

    def open_transport(self) -> None:
        """Take the maker's key off a card in transport state, as issuing scripts begin."""
        self.ok(command("00A40000", b"\x3f\x00"))
        assert self.authenticate(TRANSPORT) == b"\x90\x00"
        self.ok(command("800E0000", le=0))

    def issue(self, add_right: str = "F0") -> None:
        """Make a transit card of a blank one, keys last, so that files need no rights before."""
        self.ok(command("80E00000", bytes.fromhex("3F010001F0FFFF")))
        for number, apdu in enumerate(ISSUING):
            if number == 2:
                assert self.authenticate(MASTER) == b"\x90\x00"
            self.ok(apdu.replace(bytes.fromhex("95FFFFFF"), bytes.fromhex(f"95{add_right}FFFF")))
        for tag, body in ((1, b"RAIL"), (2, b"BUS")):
            self.ok(command("00E2004C", self.record(tag, body)))
        for apdu in KEYS_LAST:
            self.ok(apdu)

    def challenge(self, size: int = 4) -> bytes:
        return self.send(command("00840000", le=size))[:-2]

    def authenticate(self, secret: bytes, kid: int = 0, size: int = 8) -> bytes:
        challenge = self.challenge(size).ljust(8, b"\x00")
        return self.send(command(f"008200{kid:02X}", crypto.des(secret, challenge)))

    def protected(self, head: str, data: bytes, secret: bytes, sealed: bool = False, le=None, spoil: int = 0):
        """Send a command with MAC; ``spoil`` is xored into the last byte of the MAC."""
        challenge = self.challenge().ljust(8, b"\x00")
        body = crypto.seal(secret, data) if sealed else data
        mac = crypto.mac(secret, bytes.fromhex(head) + bytes((len(body) + 4,)) + body, challenge)
        return self.send(command(head, body + mac[:3] + bytes((mac[3] ^ spoil,)), le))

    # ── the purse ────────────────────────────────────────────────────────────────────────────────

    def initialize(self, kind: int, which: int, amount: int, kid: int = 1) -> bytes:
        value = b"" if kind == 4 else amount.to_bytes(4, "big")
        le = {0: 0x10, 4: 0x13, 5: 0x10}.get(kind, 0x0F)
        answer = self.send(command(f"8050{kind:02X}{which:02X}", bytes((kid,)) + value + TERMINAL, le))
        return answer.ljust(21, b"\x00")  # a refusal is taken for an answer of zeros

    def offline(self, answer: bytes, amount: int, tti: int, secret: bytes, spoil: int = 0) -> bytes:
        """Debit a purchase, a withdrawal or a composite purchase."""
        self.serial += 1
        serial = self.serial.to_bytes(4, "big")
        session = crypto.des(secret, answer[11:15] + answer[4:6] + serial[2:])
        mac = crypto.mac(session, amount.to_bytes(4, "big") + bytes((tti,)) + TERMINAL + WHEN)
        return self.send(command("80540100", serial + WHEN + mac[:3] + bytes((mac[3] ^ spoil,)), 8))

    def online(
        self, head: str, answer: bytes, value: bytes, tti: int, secret: bytes, spoil: int = 0
    ) -> bytes:
        """Finish a load, an unload or a change of the overdraft limit; ``value`` is amount or limit."""
        at = 11 if tti == 7 else 8
        session = crypto.des(secret, answer[at : at + 4] + answer[4:6] + b"\x80\x00")
        mac = crypto.mac(session, value + bytes((tti,)) + TERMINAL + WHEN)
        data = (value if tti == 7 else b"") + WHEN + mac[:3] + bytes((mac[3] ^ spoil,))
        return self.send(command(head, data, 4))

    # ── the grey lock ────────────────────────────────────────────────────────────────────────────

    def lock(self, which: int, spoil: int = 0) -> tuple[bytes, bytes]:
        """Lock the card; return the session key, which a SAM keeps, and the offline counter."""
        self.send_lock(which, spoil)
        return self.kept

    def send_lock(self, which: int, spoil: int = 0) -> bytes:
        answer = self.send(command(f"E07A08{which:02X}", b"\x01" + TERMINAL, 15)).ljust(17, b"\x00")
        self.serial += 1
        serial, rnd = self.serial.to_bytes(4, "big"), b"\x0a\x0b\x0c\x0d"
        session = crypto.des(PURCHASE, answer[11:15] + answer[4:6] + serial[2:])
        session = crypto.des(session, rnd + b"\x80\x00\x00\x00")
        mac = crypto.mac(session, bytes((0x90 + which,)) + TERMINAL + WHEN)
        self.kept = session, answer[4:6]
        return self.send(command("E07C0800", serial + rnd + WHEN + mac[:3] + bytes((mac[3] ^ spoil,)), 8))

    def unlock(self, which: int, amount: int, session: bytes, counter: bytes, spoil: int = 0) -> bytes:
        """Debit a locked card and open it, as the SAM says that locked it."""
        value = amount.to_bytes(4, "big")
        mac = crypto.mac(session, value)
        data = value + counter + TERMINAL + bytes(4) + WHEN + mac[:3] + bytes((mac[3] ^ spoil,))
        return self.send(command(f"E07E08{which:02X}", data, 4))

    def unlock_online(self, which: int, amount: int, spoil: int = 0) -> bytes:
        """Debit a locked card and open it, as the issuer's host says."""
        answer = self.send(command(f"E07A09{which:02X}", b"\x01" + TERMINAL, 18)).ljust(20, b"\x00")
        session = crypto.des(UNLOAD, answer[10:14] + answer[6:8] + b"\x80\x00")
        value = amount.to_bytes(4, "big")
        mac = crypto.mac(session, value + bytes((0x94 + which,)) + TERMINAL + WHEN)
        return self.send(command("E07E0900", value + WHEN + mac[:3] + bytes((mac[3] ^ spoil,)), 4))
