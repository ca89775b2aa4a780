"""A desk for passbook and purse that shares no code with the chip: DES, literal APDUs, expected answers.

It issues a card by hand, as FMCOS scripts do, plays terminal, SAM and host, and checks every code the card
answers against its own few lines of DES.
"""

from __future__ import annotations

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from citycard.chip import FMCOS, Chip

ED, EP = 1, 2
DUK = bytes.fromhex("3C3C3C3C3C3C3C3C0011223344556677")
DULK = bytes.fromhex("3D3D3D3D3D3D3D3D0011223344556677")
DPK = bytes.fromhex("3E3E3E3E3E3E3E3E0011223344556677")
DLK = bytes.fromhex("3F3F3F3F3F3F3F3F0011223344556677")
DTK = bytes.fromhex("34343434343434340011223344556677")
LINE = bytes.fromhex("36363636363636360011223344556677")
TERMINAL = bytes.fromhex("300089000340")
WHEN = bytes.fromhex("20260301081530")
OK = b"\x90\x00"

SCRIPT = (
    "80E03F0111381000F0F095FFFFA00000000386980701",
    "00A4040009A00000000386980701",
    "80E00000073F010095F0FFFF",
    *(
        f"80D4010115{kind}F0F0{version}00{key.hex()}"
        for kind, version, key in (
            ("3C", "0C", DUK),
            ("3D", "0D", DULK),
            ("3E", "0E", DPK),
            ("3F", "0F", DLK),
        )
    ),
    "80D4010015" + "34F0F00400" + DTK.hex(),
    "80D4010015" + "36F0F0FF33" + LINE.hex(),
    "80D401000D3AF0EF0133313233343536FFFF",
    "80E00018072E0A17F0EFFFFF",
    "80E00001072F0208F000FF18",
    "80E00002072F0208F000FF18",
    "80E00019072C0040F0F0FFFF",
    "00E200CC0611040A0B0C0D",
    "00E200CC06120401020304",
    "80E0001A07AC0040F0F0FFFF",
    "80E0001E072E0308F0EFFFFF",
    "80E0001C072A0404F0F0FFFF",
)


def des(key: bytes, block: bytes) -> bytes:
    """Encrypt one block: single DES with 8 bytes of key, two-key 3DES with 16."""
    whole = key * 3 if len(key) == 8 else key + key[:8]
    return Cipher(TripleDES(whole), modes.ECB()).encryptor().update(block)


def undo(key: bytes, block: bytes) -> bytes:
    return Cipher(TripleDES(key * 3), modes.ECB()).decryptor().update(block)


def mac(key: bytes, message: bytes, chain: bytes = bytes(8)) -> bytes:
    """Return the 4 leftmost bytes of the DES-CBC-MAC; a 16-byte key gives the retail MAC."""
    message += b"\x80" + bytes(-(len(message) + 1) % 8)
    for start in range(0, len(message), 8):
        block = message[start : start + 8]
        chain = des(key[:8], bytes(a ^ b for a, b in zip(chain, block, strict=True)))
    if len(key) == 16:
        chain = des(key[:8], undo(key[8:], chain))
    return chain[:4]


def fold(key: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(key[:8], key[8:], strict=True))


def u(number: int, size: int) -> bytes:
    return number.to_bytes(size, "big")


def n(data: bytes) -> int:
    return int.from_bytes(data, "big")


class PurseDesk:
    """One card with both purses, its terminal, its SAM and its host."""

    def __init__(self, chip: Chip) -> None:
        self.chip = chip
        self.serial = 0x1234

    @classmethod
    def issue(cls, random, profile=FMCOS) -> PurseDesk:
        desk = cls(Chip.blank(profile, random=random))
        desk.chip.power_on()
        for step in SCRIPT:
            desk.ok(step)
        return desk.select()

    def clone(self) -> PurseDesk:
        other = PurseDesk(self.chip.clone())
        other.serial = self.serial
        return other.select()

    # ── commands ─────────────────────────────────────────────────────────────────────────────────

    def send(self, apdu) -> bytes:
        return self.chip.transmit(bytes.fromhex(apdu) if isinstance(apdu, str) else apdu)

    def ok(self, apdu) -> bytes:
        answer = self.send(apdu)
        assert answer[-2:] == OK, (apdu if isinstance(apdu, str) else apdu.hex(), answer.hex())
        return answer[:-2]

    def status(self, apdu) -> str:
        return self.send(apdu)[-2:].hex().upper()

    def select(self, pin=True) -> PurseDesk:
        self.chip.power_on()
        self.ok("00A4040009A00000000386980701")
        if pin:
            self.ok("0020000006313233343536")
        return self

    def init(self, p1, p2, amount, key=1, le=None) -> bytes:
        size = 0x10 if p1 in {0, 5} else 0x0F
        data = bytes((key,)) + u(amount, 4) + TERMINAL
        return self.send(bytes((0x80, 0x50, p1, p2, 0x0B)) + data + bytes((size if le is None else le,)))

    def balance(self, p2, p1=0) -> int:
        return n(self.ok(bytes((0x80, 0x5C, p1, p2, 4))))

    def counters(self, p2) -> tuple[int, int]:
        online, offline = self.init(0, p2, 0), self.init(1, p2, 0)
        self.balance(p2)
        return n(online[4:6]), n(offline[4:6])

    def log(self) -> list[tuple]:
        """Return the log, newest first: counter, limit, amount, TTI, terminal, moment."""
        found = []
        for number in range(1, 11):
            line = self.send(bytes((0x00, 0xB2, number, 0xC4, 0x17)))
            if line[-2:] != OK:
                break
            parts = (n(line[:2]), n(line[2:5]), n(line[5:9]), line[9], line[10:16], line[16:23])
            found.append(parts)
        return found

    def prove(self, tti, counter) -> bytes | None:
        answer = self.send(bytes((0x80, 0x5A, 0x00, tti, 2)) + u(counter, 2) + b"\x08")
        if answer[-2:] == OK:
            return answer[:-2]
        assert answer.hex() == "9406"
        return None

    # ── whole transactions; every one checks what the card says of itself ─────────────────────────

    def load(self, p2, amount) -> bytes:
        answer = self.init(0, p2, amount)
        if answer[-2:] != OK:
            return answer
        assert answer[6:8] == b"\x0f\x00"
        session = des(DLK, answer[8:12] + answer[4:6] + b"\x80\x00")
        what = u(amount, 4) + u(p2, 1) + TERMINAL
        assert answer[12:16] == mac(session, answer[:4] + what)
        done = self.send(b"\x80\x52\x00\x00\x0b" + WHEN + mac(session, what + WHEN) + b"\x04")
        if done[-2:] == OK:
            new = u(n(answer[:4]) + amount, 4)
            assert done[:4] == mac(fold(DTK), new + answer[4:6] + what + WHEN)
        return done

    def unload(self, amount) -> bytes:
        answer = self.init(5, ED, amount)
        if answer[-2:] != OK:
            return answer
        assert answer[6:8] == b"\x0d\x00"
        session = des(DULK, answer[8:12] + answer[4:6] + b"\x80\x00")
        what = u(amount, 4) + b"\x03" + TERMINAL
        assert answer[12:16] == mac(session, answer[:4] + what)
        done = self.send(b"\x80\x54\x03\x00\x0b" + WHEN + mac(session, what + WHEN) + b"\x04")
        if done[-2:] == OK:
            new = u(n(answer[:4]) - amount, 4)
            assert done[:4] == mac(session, new + answer[4:6] + what + WHEN)
        return done

    def debit(self, answer, amount, tti) -> bytes:
        self.serial += 1
        serial = u(self.serial, 4)
        session = des(DPK, answer[11:15] + answer[4:6] + serial[2:])
        what = u(amount, 4) + u(tti, 1) + TERMINAL
        mac1 = mac(session, what + WHEN)
        done = self.send(b"\x80\x54\x01\x00\x0f" + serial + WHEN + mac1 + b"\x08")
        if done[-2:] == OK:
            assert done[:4] == mac(fold(DTK), what + serial + WHEN)
            assert done[4:8] == mac(session, u(amount, 4))
        return done

    def pay(self, p1, p2, amount, tti, *updates) -> bytes:
        """Purchase (P1 01), withdraw (02) or composite purchase (03), with its cache commands."""
        answer = self.init(p1, p2, amount)
        if answer[-2:] != OK:
            return answer
        assert answer[9:11] == b"\x0e\x00"
        for update in updates:
            self.ok(update)
        return self.debit(answer, amount, tti)

    def purchase(self, p2, amount) -> bytes:
        return self.pay(1, p2, amount, 4 + p2)

    def withdraw(self, amount) -> bytes:
        return self.pay(2, ED, amount, 4)

    def set_limit(self, limit) -> bytes:
        answer = self.send(b"\x80\x50\x04\x01\x07\x01" + TERMINAL + b"\x13")
        if answer[-2:] != OK:
            return answer
        assert answer[9:11] == b"\x0c\x00"
        session = des(DUK, answer[11:15] + answer[4:6] + b"\x80\x00")
        assert answer[15:19] == mac(session, answer[:4] + answer[6:9] + b"\x07" + TERMINAL)
        what = u(limit, 3) + b"\x07" + TERMINAL + WHEN
        done = self.send(b"\x80\x58\x00\x00\x0e" + u(limit, 3) + WHEN + mac(session, what) + b"\x04")
        if done[-2:] == OK:
            new = u(n(answer[:4]) - n(answer[6:9]) + limit, 4)
            assert done[:4] == mac(fold(DTK), new + answer[4:6] + what)
        return done

    # ── the grey lock ────────────────────────────────────────────────────────────────────────────

    def init_lock(self, p2) -> bytes:
        return self.send(bytes((0xE0, 0x7A, 0x08, p2, 0x07, 0x01)) + TERMINAL + b"\x0f")

    def lock_session(self, answer, serial, random) -> bytes:
        first = des(DPK, answer[11:15] + answer[4:6] + serial[2:])
        return des(first, random + b"\x80\x00\x00\x00")

    def grey_lock(self, p2, tti=None, random=b"\xaa\xbb\xcc\xdd") -> tuple[bytes, bytes]:
        """Lock; return the session key and the card's answer."""
        tti = 0x90 + p2 if tti is None else tti
        answer = self.init_lock(p2)
        assert answer[-2:] == OK, answer.hex()
        self.serial += 1
        serial = u(self.serial, 4)
        session = self.lock_session(answer, serial, random)
        mac1 = mac(session, u(tti, 1) + TERMINAL + WHEN)
        done = self.send(b"\xe0\x7c\x08\x00\x13" + serial + random + WHEN + mac1 + b"\x08")
        if done[-2:] == OK:
            what = answer[:4] + answer[4:6] + u(tti, 1) + TERMINAL
            assert done[:4] == mac(fold(DTK), what + serial + WHEN)
            assert done[4:8] == mac(session, what)
        return session, done

    def debit_for_unlock(self, p2, session, amount, counter, tti=None, gmac=None) -> bytes:
        tti = 0x92 + p2 if tti is None else tti
        self.serial += 1
        where = TERMINAL + u(self.serial, 4) + WHEN
        code = mac(session, u(amount, 4)) if gmac is None else gmac
        head = bytes((0xE0, 0x7E, 0x08, p2, 0x1B)) + u(amount, 4) + u(counter, 2)
        done = self.send(head + where + code + b"\x04")
        if done[-2:] == OK:
            assert done[:4] == mac(fold(DTK), u(amount, 4) + u(tti, 1) + where)
        return done

    def online_unlock(self, p2, amount) -> bytes:
        answer = self.send(bytes((0xE0, 0x7A, 0x09, p2, 0x07, 0x01)) + TERMINAL + b"\x12")
        if answer[-2:] != OK:
            return answer
        assert answer[8:10] == b"\x0d\x00"
        session = des(DULK, answer[10:14] + answer[6:8] + b"\x80\x00")
        type_ = u(0x94 + p2, 1)
        assert answer[14:18] == mac(session, answer[:4] + answer[4:6] + type_ + TERMINAL)
        what = u(amount, 4) + type_ + TERMINAL + WHEN
        done = self.send(b"\xe0\x7e\x09\x00\x0f" + u(amount, 4) + WHEN + mac(session, what) + b"\x04")
        if done[-2:] == OK:
            assert done[:4] == mac(session, u(n(answer[:4]) - amount, 4) + answer[6:8] + what)
        return done

    def lock_proof(self, p1=0) -> bytes:
        return self.ok(bytes((0xE0, 0xCA, p1, 0x00, 0x1E)))

    def state(self) -> dict:
        """Return all that a transaction may change, as far as commands can tell."""
        free = self.lock_proof()[:1] != b"\x01"
        return {
            "balances": (self.balance(ED), self.balance(EP)),
            "limit": self.balance(ED, 1),
            "counters": (self.counters(ED), self.counters(EP)) if free else None,
            "log": self.log(),
            "lock": self.lock_proof(),
            "records": [self.send(f"00B20{i}{sfi}00") for i in (1, 2, 3) for sfi in ("CC", "F4")],
        }
