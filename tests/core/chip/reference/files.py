"""What lies on a card: directories, files, keys, purses. No behaviour but what a thing knows of itself."""

from __future__ import annotations

from dataclasses import dataclass, field

HEADER = 11
PURSE_BODY = 22
MASTER_NAME = b"1PAY.SYS.DDF01"

BINARY, FIXED, CYCLIC, VARIABLE, PURSE, KEYS, DIRECTORY = 0x28, 0x2A, 0x2E, 0x2C, 0x2F, 0x3F, 0x38


@dataclass
class Key:
    kind: int
    kid: int
    use: int
    change: int
    fourth: int  # version, or what the status register becomes
    fifth: int  # algorithm, or tries: high nibble allowed, low nibble left
    value: bytes
    protection: int = 0  # 0x40 line protection, 0xC0 sealed with MAC: for the next change of this key

    @property
    def cost(self) -> int:
        """Two bytes for index and length, five of header, and the value; a PIN always takes eight."""
        return 7 + (8 if self.kind == 0x3A else len(self.value))

    @property
    def left(self) -> int:
        return self.fifth & 0x0F

    @property
    def locked(self) -> bool:
        return self.left == 0

    def fail(self) -> int:
        """Lose a try; return how many are left."""
        self.fifth -= 1
        return self.left

    def succeed(self) -> None:
        self.fifth = self.fifth & 0xF0 | self.fifth >> 4


@dataclass
class File:
    fid: int
    type: int
    read: int = 0xF0
    write: int = 0xF0
    control: int = 0xFF

    base = property(lambda self: self.type & 0x3F)
    mac_on_write = property(lambda self: bool(self.type & 0x80))
    mac_on_read = property(lambda self: self.mac_on_write and not self.control & 0x80)
    sealed_write = property(lambda self: bool(self.type & 0x40))
    read_key = property(lambda self: 3 - (self.control >> 2 & 3))
    write_key = property(lambda self: 3 - (self.control & 3))


@dataclass
class Binary(File):
    content: bytearray = field(default_factory=bytearray)
    written: bool = False

    @property
    def cost(self) -> int:
        return HEADER + len(self.content)


@dataclass
class Records(File):
    """Fixed, cyclic (record 1 is the newest) or variable (tag, length, value) records."""

    most: int = 0
    length: int = 0
    size: int = 0
    records: list[bytes] = field(default_factory=list)

    @property
    def cost(self) -> int:
        if self.base == VARIABLE:
            return HEADER + self.size
        return HEADER + self.most * (self.length + 1) + (8 if self.base == CYCLIC else 0)

    @property
    def used(self) -> int:
        return sum(map(len, self.records))


@dataclass
class KeyFile(File):
    size: int = 0
    sfi: int = 0
    keys: list[Key] = field(default_factory=list)

    @property
    def cost(self) -> int:
        return HEADER + self.size

    def find(self, kind: int, kid: int) -> Key | None:
        return next((key for key in self.keys if (key.kind, key.kid) == (kind, kid)), None)


@dataclass
class Purse(File):
    log: int = 0x18
    balance: int = 0
    limit: int = 0
    online: int = 0
    offline: int = 0
    cost = HEADER + PURSE_BODY


@dataclass
class Directory:
    fid: int
    name: bytes
    size: int
    create: int
    erase: int
    parent: Directory | None = None
    files: dict[int, File | Directory] = field(default_factory=dict)
    blocked: str = ""  # "temporary" or "permanent"
    proofs: dict[int, tuple[int, bytes]] = field(default_factory=dict)  # by type: counter, MAC and TAC
    lock: object = None  # the grey lock

    @property
    def keys(self) -> KeyFile | None:
        return next((found for found in self.files.values() if isinstance(found, KeyFile)), None)

    @property
    def cost(self) -> int:
        return HEADER + len(self.name) + sum(child.cost for child in self.files.values())

    @property
    def depth(self) -> int:
        return 1 + (self.parent.depth if self.parent else 0)

    def everything(self):
        """Yield this directory and all below it."""
        yield self
        for child in self.files.values():
            if isinstance(child, Directory):
                yield from child.everything()
