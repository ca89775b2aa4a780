"""What a machine does with money: every transaction, whole and in pieces, and the grey lock."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule
from reference import client as known
from reference.client import command
from reference.plays import AMOUNT, RECORD, SMALL, SPOIL


class PursePlays:
    """Rules for purse, passbook and lock; ``send``, ``client`` and ``locks`` come from the machine."""

    # ── money ────────────────────────────────────────────────────────────────────────────────────

    @rule(which=st.sampled_from([1, 2]), amount=st.integers(0, 5000))
    def fill(self, which, amount):
        self.home()
        self.send(command("00200000", known.PIN))
        answer = self.client.initialize(0, which, amount)
        self.client.online("80520000", answer, amount.to_bytes(4, "big"), which, known.LOAD)

    @rule(which=st.sampled_from([1, 2, 2, 2]), amount=AMOUNT, spoil=SPOIL)
    def load(self, which, amount, spoil):
        answer = self.client.initialize(0, which, amount)
        self.client.online("80520000", answer, amount.to_bytes(4, "big"), which, known.LOAD, spoil)

    @rule(which=st.sampled_from([1, 2, 2]), amount=AMOUNT, kid=st.sampled_from([1, 1, 1, 2, 7]), spoil=SPOIL)
    def purchase(self, which, amount, kid, spoil):
        answer = self.client.initialize(1, which, amount, kid)
        self.client.offline(answer, amount, 4 + which, known.PURCHASE, spoil)

    @rule(amount=AMOUNT, spoil=SPOIL)
    def withdraw(self, amount, spoil):
        answer = self.client.initialize(2, 1, amount)
        self.client.offline(answer, amount, 4, known.PURCHASE, spoil)

    @rule(amount=AMOUNT, spoil=SPOIL)
    def unload(self, amount, spoil):
        answer = self.client.initialize(5, 1, amount)
        self.client.online("80540300", answer, amount.to_bytes(4, "big"), 3, known.UNLOAD, spoil)

    @rule(limit=st.sampled_from([0, 100, 5000, 0xFFFFFF]), spoil=SPOIL)
    def set_the_overdraft_limit(self, limit, spoil):
        answer = self.client.initialize(4, 1, 0)
        self.client.online("80580000", answer, limit.to_bytes(3, "big"), 7, known.OVERDRAFT, spoil)

    @rule(
        amount=st.integers(0, 200),
        updates=st.lists(
            st.tuples(st.sampled_from([6, 7, 9, 0x1A, 0x1E, 0x15]), SMALL, st.sampled_from([0, 4]), RECORD),
            max_size=4,
        ),
        protected=st.booleans(),
        spoil=SPOIL,
    )
    def pay_with_records(self, amount, updates, protected, spoil):
        answer = self.client.initialize(3, 2, amount)
        for sfi, number, mode, record in updates:
            p2 = sfi << 3 | mode
            if protected and sfi in {7, 0x1A}:
                self.client.protected(f"84DC{number:02X}{p2:02X}", record, known.LINE)
            else:
                self.send(command(f"80DC{number:02X}{p2:02X}", record))
        self.client.offline(answer, amount, 9, known.PURCHASE, spoil)

    @rule(
        amount=st.integers(0, 200),
        tag=st.sampled_from([1, 2]),
        sfi=st.sampled_from([9, 0x1A]),
        body=st.binary(min_size=3, max_size=4),
    )
    def ride(self, amount, tag, sfi, body):
        answer = self.client.initialize(3, 2, amount)
        self.send(command(f"80DC{tag:02X}{sfi << 3:02X}", self.client.record(tag, body)))
        self.send(command("80DC00F0", bytes((tag,)) * 48))
        self.client.offline(answer, amount, 9, known.PURCHASE)

    @rule(
        which=st.sampled_from([1, 2]),
        amount=st.integers(0, 200),
        spoil=SPOIL,
        second=SPOIL,
        wait=st.booleans(),
    )
    def fuel(self, which, amount, spoil, second, wait):
        session, counter = self.client.lock(which, spoil)
        self.locks.append((which, session, counter))
        if not wait:
            self.client.unlock(which, amount, session, counter, second)

    @rule(amount=st.integers(0, 200), spoil=SPOIL, online=st.booleans(), other=st.booleans())
    def unlock(self, amount, spoil, online, other):
        which, session, counter = self.locks[-1] if self.locks else (2, bytes(8), bytes(2))
        if online:
            self.client.unlock_online(3 - which if other else which, amount, spoil)
        else:
            self.client.unlock(which, amount, session, counter, spoil)

    @rule(p1=st.sampled_from([0, 0, 1, 2]), le=st.sampled_from([30, 30, 0, 29, None]))
    def ask_for_the_lock(self, p1, le):
        self.send(command(f"E0CA{p1:02X}00", le=le))

    @rule(kind=st.integers(0, 6), which=st.integers(0, 3), amount=AMOUNT, kid=st.sampled_from([1, 1, 2]))
    def initialize_only(self, kind, which, amount, kid):
        self.client.initialize(kind, which, amount, kid)

    @rule(
        head=st.sampled_from(["80520000", "80540100", "80540300", "80580000", "80540000"]),
        size=st.sampled_from([11, 15, 14, 3]),
    )
    def second_command_only(self, head, size):
        self.send(command(head, bytes(size)))

    @rule(
        tti=st.sampled_from([1, 2, 3, 4, 5, 6, 7, 9, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96]),
        counter=st.integers(0, 5),
    )
    def prove(self, tti, counter):
        self.send(command(f"805A00{tti:02X}", counter.to_bytes(2, "big"), 8))

    @rule(what=st.integers(0, 4), which=st.integers(0, 3), le=st.sampled_from([4, 4, 0, None, 5]))
    def balance(self, what, which, le):
        self.send(command(f"805C{what:02X}{which:02X}", le=le))
