"""The card itself: memory, working state, and how a command finds its way.

Plain Python from the specification, for comparison with the chip: nothing here is taken from the chip's code,
and nothing here is fast, atomic or stored. Start with ``Card(random)``: the transport state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from reference import crypto
from reference.files import MASTER_NAME, Directory, File, Key, KeyFile

CLASSES = {0x00, 0x04, 0x80, 0x84, 0xE0}

# Commands that have no answer take no Le.
SILENT = {0xD6, 0xD0, 0xDC, 0xE2, 0xE0, 0x82, 0x20, 0x24, 0x1E, 0x18, 0x16}

# What a temporarily blocked application still does: SELECT, GET CHALLENGE, UNBLOCK, and to block it for good.
UNBLOCKING = {b"\x00\xa4", b"\x00\x84", b"\x84\x18", b"\x84\x1e", b"\x84\x16"}

Random = Callable[[int], bytes]
Command = Callable[..., bytes | None]


class Refused(Exception):
    def __init__(self, status: int) -> None:
        self.status = status


@dataclass
class Apdu:
    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    le: int | None

    @property
    def head(self) -> bytes:
        return bytes((self.cla, self.ins, self.p1, self.p2))


def parse(raw: bytes) -> Apdu:
    """Take a short APDU apart; the length bytes must fit."""
    if len(raw) < 4:
        raise Refused(0x6700)
    cla, ins, p1, p2, *rest = raw
    if not rest:
        return Apdu(cla, ins, p1, p2, b"", None)
    if len(rest) == 1:
        return Apdu(cla, ins, p1, p2, b"", rest[0])
    count, body = rest[0], bytes(rest[1:])
    if count == 0 or len(body) not in {count, count + 1}:
        raise Refused(0x6700)
    return Apdu(cla, ins, p1, p2, body[:count], body[count] if len(body) > count else None)


@dataclass
class Pending:
    """A purse transaction between its two commands."""

    kind: str
    purse: object
    tti: int
    key: Key
    amount: int
    terminal: bytes
    rnd: bytes
    cache: list = field(default_factory=list)


class Card:
    """One card. ``transmit`` answers every APDU; ``reset`` takes the working state away."""

    def __init__(self, random: Random, **profile) -> None:
        self.random = random
        self.load_needs_pin = profile.get("load_needs_pin", False)
        self.record_id_size = profile.get("record_id_size", 2)
        self.application_version = profile.get("application_version", b"\x02")
        self.warns_unwritten = profile.get("warns_unwritten", False)
        self.protected_cache = profile.get("protected_cache", False)
        self.longest = profile.get("longest", 256)
        self.master = Directory(0x3F00, MASTER_NAME, 0xFFFF, 0xF1, 0xF1)
        self.blocked = False
        self.warning = b""
        self.reset()

    def deliver(self) -> None:
        """Put the card into transport state: one authentication key of FF bytes, and nothing else."""
        keys = KeyFile(0, 0x3F, write=0xF1, size=0x15, sfi=1)
        keys.keys.append(Key(0x39, 0, 0xF0, 0xF1, 0x0F, 0x33, b"\xff" * 16))
        self.master.files[0] = keys

    def reset(self) -> None:
        self.directory, self.file = self.master, None
        self.record: int | None = None  # the record that next and previous start from
        self.master_status = self.status = 0
        self.challenge: bytes | None = None
        self.pending: Pending | None = None
        self.pin_given = False

    def transmit(self, raw: bytes) -> bytes:
        try:
            data = self.perform(raw)
        except Refused as refused:
            self.after(raw)
            return refused.status.to_bytes(2, "big")
        self.after(raw)
        status, self.warning = self.warning or b"\x90\x00", b""
        return data + status

    def command(self, raw: bytes) -> Command:
        """Find the command by class and instruction, before anything else of the APDU counts."""
        from reference.commands import COMMANDS

        if self.blocked:
            raise Refused(0x6A81)
        if len(raw) < 4:
            raise Refused(0x6700)
        if raw[0] not in CLASSES:
            raise Refused(0x6E00)
        found = COMMANDS.get((raw[0], raw[1]))
        if found is None:
            raise Refused(0x6D00)
        return found

    def perform(self, raw: bytes) -> bytes:
        command, apdu = self.command(raw), parse(raw)
        blocked = self.directory.blocked
        if blocked == "permanent" and apdu.ins != 0xA4:
            raise Refused(0x9303)
        if blocked == "temporary" and raw[:2] not in UNBLOCKING:
            raise Refused(0x6A81)
        if (
            apdu.le is not None
            and apdu.ins in SILENT
            and not (apdu.ins == 0xDC and self.pending is None and apdu.cla & 0x80)
        ):
            raise Refused(0x6700)
        return command(self, apdu) or b""

    def after(self, raw: bytes) -> None:
        """A challenge is good for the next command only; a transaction, until another command comes."""
        head = raw[:2]
        if head != b"\x00\x84":
            self.challenge = None
        if head not in {b"\x00\x84", b"\x80\x50", b"\x80\xdc", b"\x84\xdc", b"\xe0\x7a"}:
            self.pending = None

    @property
    def locked(self) -> bool:
        lock = self.directory.lock
        return lock is not None and lock.status == 0x01

    # ── rights and keys ──────────────────────────────────────────────────────────────────────────

    def allowed(self, right: int) -> bool:
        """XY: Y <= status of the directory <= X; 0Y: status of the master file >= Y."""
        high, low = right >> 4, right & 0x0F
        if high == 0:
            return self.master_status >= low
        return low <= self.status_here <= high

    @property
    def status_here(self) -> int:
        return self.master_status if self.directory is self.master else self.status

    def become(self, status: int) -> None:
        if self.directory is self.master:
            self.master_status = status
        self.status = status

    def need(self, right: int) -> None:
        if not self.allowed(right):
            raise Refused(0x6982)

    def need_here(self, right: int) -> None:
        """A right to change the directory itself: who makes one, makes it whole before it has keys."""
        if self.directory.keys is not None and self.directory.keys.keys:
            self.need(right)

    def key(self, kind: int, kid: int) -> Key:
        keys = self.directory.keys
        found = keys.find(kind, kid) if isinstance(keys, KeyFile) else None
        if found is None:
            raise Refused(0x6A88)
        return found

    def take_challenge(self) -> bytes:
        if self.challenge is None:
            raise Refused(0x6984)
        taken, self.challenge = self.challenge, None
        return taken.ljust(8, b"\x00")

    def open_line(self, apdu: Apdu, key: Key, sealed: bool) -> tuple[bytes, bytes]:
        """Check the MAC of a protected command; return its data and the initial vector for the answer."""
        if len(apdu.data) < 4:
            raise Refused(0x6987)
        iv = self.take_challenge()
        if key.locked:
            raise Refused(0x9303 if key.kind == 0x36 else 0x6983)
        body, given = apdu.data[:-4], apdu.data[-4:]
        command = apdu.head + bytes((len(apdu.data),)) + body
        if crypto.mac(key.value, command, iv) != given:
            if key.fail() == 0 and key.kind == 0x36:
                self.directory.blocked = "permanent"
                raise Refused(0x9303)
            raise Refused(0x6988)
        key.succeed()
        if sealed:
            opened = crypto.unseal(key.value, body)
            if opened is None:
                raise Refused(0x6A80)
            body = opened
        return body, iv

    # ── files ────────────────────────────────────────────────────────────────────────────────────

    def find(self, sfi: int) -> File:
        """Make the file with this short identifier the current one; 0 is the current one."""
        if sfi == 0:
            if self.file is None:
                raise Refused(0x6986)
            return self.file
        found = self.directory.files.get(sfi)
        if not isinstance(found, File) or isinstance(found, KeyFile):
            raise Refused(0x6A82)
        if found is not self.file:
            self.file, self.record = found, None
        return found
