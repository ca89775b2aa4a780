"""The desk that puts money on cards: MAC1 in, MAC2 out, nothing taken before the card proves it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Protocol

import attrs

from citycard.errors import LoadProofWrong, LoadRefused, Phrase
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import Limit
from citycard.wallet.load import Load, LoadMoney, LoadState, Proof, load_id
from citycard.wallet.loadbook import BufferedBook, LoadBook, LoadPage, StoredBook
from citycard.wallet.payer import Payer, PayerKind

__all__ = ["LoadVault", "TopUpDesk"]


class LoadVault(Protocol):
    """What a vault does for a desk; no key leaves it."""

    def check_load_mac1(
        self,
        *,
        asn8: bytes,
        key_version: int,
        rnd4: bytes,
        online_atc: int,
        balance_fen: int,
        amount_fen: int,
        terminal6: bytes,
        mac1: bytes,
    ) -> bool: ...

    def load_mac2(
        self,
        *,
        asn8: bytes,
        key_version: int,
        rnd4: bytes,
        online_atc: int,
        amount_fen: int,
        terminal6: bytes,
        date4_time3: bytes,
    ) -> bytes: ...

    def check_load_tac(
        self,
        *,
        asn8: bytes,
        key_version: int,
        new_balance_fen: int,
        online_atc: int,
        amount_fen: int,
        terminal6: bytes,
        date4_time3: bytes,
        tac4: bytes,
    ) -> bool: ...


class TopUpDesk:
    """Grant loads to terminals (their ``LoadHost``), and post each of them once.

    A load is pending in the store before its MAC2 leaves the desk. The card settles it: by its TAC, at
    once or through GET TRANSACTION PROVE later, or by its online counter, which the next MAC1 vouches
    for (docs/ledger.md). ``agent`` is who pays, in the words of a ``Payer``: empty for cash at the city's
    counter. Money that can run out is reserved with the pending load, under ``limits`` if given. ``veto``
    gets ASN and amount and may answer with a reason to refuse; no purse is filled over ``purse_limit_fen``,
    which may depend on the card.
    """

    def __init__(
        self,
        vault: LoadVault,
        ledger: Ledger,
        *,
        agent: str = "",
        limits: tuple[Limit, ...] = (),
        veto: Callable[[str, int], str | None] | None = None,
        purse_limit_fen: int | Callable[[str], int | None] | None = None,
    ) -> None:
        self._vault = vault
        self._ledger = ledger
        self._agent = Payer.read(agent).words
        self._limits = limits
        self._veto = veto
        self._purse_limit_fen = purse_limit_fen
        self._book: LoadBook = StoredBook(ledger)

    def for_agent(self, agent: str, *, limits: tuple[Limit, ...] = ()) -> TopUpDesk:
        """Give a desk that works like this one, for money of ``agent`` or another payer; PayerInvalid."""
        return TopUpDesk(
            self._vault,
            self._ledger,
            agent=agent,
            limits=limits,
            veto=self._veto,
            purse_limit_fen=self._purse_limit_fen,
        )

    def begin(
        self,
        asn: str,
        key_version: int,
        balance_fen: int,
        online_atc: int,
        rnd: bytes,
        mac1: bytes,
        amount_fen: int,
        terminal: str,
        at: datetime,
    ) -> bytes:
        """Check MAC1, settle what was open of this card, note the load as pending and return MAC2 (4 bytes).

        Asked again in the same words, it gives the same answer. Raise LoadRefused with one of the reasons
        ``amount``, ``mac1``, ``purse-limit``, ``veto``, ``counter-went-back``, and where money is reserved
        ``funds``, ``quota``, ``limit``, ``order``, ``given-back``. What the card's counter tells about
        earlier loads is kept all the same.
        """
        self._check_request(asn, balance_fen, amount_fen)
        asn8, terminal6 = bytes.fromhex(asn)[-8:], bytes.fromhex(terminal)
        self._check_mac1(asn, key_version, balance_fen, online_atc, rnd, mac1, amount_fen, terminal)
        wanted = Load(
            id=load_id(asn, online_atc, mac1, terminal, at),
            asn=asn,
            online_atc=online_atc,
            key_version=key_version,
            amount_fen=amount_fen,
            balance_before_fen=balance_fen,
            terminal=terminal,
            agent=self._agent,
            at=at,
            mac1=mac1.hex(),
        )
        if wanted.payer.kind is not PayerKind.CASH:
            # First by itself: a refusal for want of money must not make what the card shows unseen.
            with self._book.page(asn, online_atc) as page:
                _settle_passed(page, online_atc)
        with self._book.page(asn, online_atc, self._limits) as page:
            _note(page, wanted)
        return self._vault.load_mac2(
            asn8=asn8,
            key_version=key_version,
            rnd4=rnd,
            online_atc=online_atc,
            amount_fen=amount_fen,
            terminal6=terminal6,
            date4_time3=_bcd(at),
        )

    def witness(
        self,
        asn: str,
        key_version: int,
        balance_fen: int,
        online_atc: int,
        rnd: bytes,
        mac1: bytes,
        amount_fen: int,
        terminal: str,
    ) -> None:
        """Settle what the card's counter tells about earlier loads, and begin none.

        The arguments are those of ``begin``. Raise LoadRefused with the reason ``mac1``.
        """
        self._check_mac1(asn, key_version, balance_fen, online_atc, rnd, mac1, amount_fen, terminal)
        with self._book.page(asn, online_atc) as page:
            _settle_passed(page, online_atc)

    def confirm(self, asn: str, online_atc: int, tac: bytes) -> None:
        """Take the card's TAC and post the load; again without harm.

        ``tac`` is empty when only the card's log shows the load: then the terminal's word settles it. Raise
        LoadProofWrong when the TAC belongs to no load of this card under this counter, and LoadRefused
        with the reason ``unknown`` when there is none.
        """
        with self._book.page(asn, online_atc) as page:
            attempts = [known for known in page.loads if known.online_atc == online_atc]
            if not attempts:
                raise LoadRefused(
                    reason="unknown",
                    explanation=Phrase(
                        "card {asn} began no load under {online_atc}", asn=asn, online_atc=online_atc
                    ),
                )
            proven = [known for known in attempts if known.state is LoadState.PROVEN]
            if proven and (not tac or proven[0].tac == tac.hex()):
                return
            for known in proven or sorted(attempts, key=lambda one: one.state is not LoadState.PENDING):
                if not tac or self._proves(known, tac):
                    _prove(page, known, Proof.TAC if tac else Proof.TERMINAL, tac.hex())
                    return
        raise LoadProofWrong(asn=asn, online_atc=online_atc)

    def reverse(self, asn: str, online_atc: int) -> None:
        """Take note that a terminal says this load was not done; a proof of the card overrules it."""
        with self._book.page(asn, online_atc) as page:
            for known in page.loads:
                if known.online_atc == online_atc and known.state is LoadState.PENDING:
                    page.write(known.settled(LoadState.REVERSED, Proof.NONE))

    @contextmanager
    def buffered(self) -> Iterator[TopUpDesk]:
        """Keep loads in memory and write them all at the end; for replays with simulated cards only.

        Neither veto nor purse limit is asked: each may read the registry. With real cards a process that
        dies here has given money away. On an error nothing is written.
        """
        book = BufferedBook(self._ledger)
        before, self._book = self._book, book
        try:
            yield self
            book.flush()
        finally:
            self._book = before

    def flush(self) -> int:
        """Write what a buffered desk has in memory and return how many loads that were."""
        return self._book.flush() if isinstance(self._book, BufferedBook) else 0

    def _check_mac1(
        self,
        asn: str,
        key_version: int,
        balance_fen: int,
        online_atc: int,
        rnd: bytes,
        mac1: bytes,
        amount_fen: int,
        terminal: str,
    ) -> None:
        if not self._vault.check_load_mac1(
            asn8=bytes.fromhex(asn)[-8:],
            key_version=key_version,
            rnd4=rnd,
            online_atc=online_atc,
            balance_fen=balance_fen,
            amount_fen=amount_fen,
            terminal6=bytes.fromhex(terminal),
            mac1=mac1,
        ):
            raise LoadRefused(reason="mac1", explanation=Phrase("MAC1 of card {asn} is wrong", asn=asn))

    def _check_request(self, asn: str, balance_fen: int, amount_fen: int) -> None:
        if amount_fen <= 0:
            raise LoadRefused(
                reason="amount",
                explanation=Phrase("{amount_fen} fen is not an amount to load", amount_fen=amount_fen),
            )
        if isinstance(self._book, BufferedBook):  # simulated cards: whoever plays them says what they load
            return
        limit = self._purse_limit_fen
        limit_fen = limit(asn) if callable(limit) else limit
        if limit_fen is not None and balance_fen + amount_fen > limit_fen:
            explanation = Phrase(
                "the purse would hold {purse_fen} fen, more than {limit_fen}",
                purse_fen=balance_fen + amount_fen,
                limit_fen=limit_fen,
            )
            raise LoadRefused(reason="purse-limit", explanation=explanation)
        refusal = self._veto(asn, amount_fen) if self._veto else None
        if refusal is not None:
            raise LoadRefused(reason="veto", explanation=refusal)

    def _proves(self, known: Load, tac: bytes) -> bool:
        return self._vault.check_load_tac(
            asn8=bytes.fromhex(known.asn)[-8:],
            key_version=known.key_version,
            new_balance_fen=known.balance_before_fen + known.amount_fen,
            online_atc=known.online_atc,
            amount_fen=known.amount_fen,
            terminal6=bytes.fromhex(known.terminal),
            date4_time3=_bcd(known.at),
            tac4=tac,
        )


def _note(page: LoadPage, wanted: Load) -> None:
    """Settle what the card's counter tells about earlier loads, and note the new one as pending."""
    known = page.loads
    if any(one.state is LoadState.PROVEN and one.online_atc >= wanted.online_atc for one in known):
        explanation = Phrase(
            "card {asn} shows counter {online_atc} again, under which it was loaded",
            asn=wanted.asn,
            online_atc=wanted.online_atc,
        )
        raise LoadRefused(reason="counter-went-back", explanation=explanation)
    for one in known:
        if one.state is LoadState.PENDING and one.id != wanted.id and one.online_atc >= wanted.online_atc:
            # The card is still at this counter. A MAC1 that was made earlier and kept would say the same,
            # so that this is not yet a proof: the load stays open.
            page.write(one.settled(LoadState.REVERSED, Proof.NONE))
    _settle_passed(page, wanted.online_atc)
    page.write(_sharing(wanted, known))


def _sharing(wanted: Load, known: Sequence[Load]) -> Load:
    """Let an attempt stand on what is held for an earlier one in the same words: one of them can be done."""
    for one in known:
        if one.id == wanted.id and one.money is LoadMoney.RETURNED:
            explanation = Phrase(
                "this load of card {asn} was begun {at} and given back: begin a new one",
                asn=one.asn,
                at=one.at,
            )
            raise LoadRefused(reason="given-back", explanation=explanation)
        same = (one.agent, one.online_atc, one.amount_fen) == (
            wanted.agent,
            wanted.online_atc,
            wanted.amount_fen,
        )
        if same and one.open and one.money is LoadMoney.HELD:
            return attrs.evolve(wanted, money=LoadMoney.HELD, hold=one.hold)
    return wanted


def _settle_passed(page: LoadPage, online_atc: int) -> None:
    """Take the open loads under lower counters for done: the card's counter has moved on since."""
    passed: dict[int, list[Load]] = defaultdict(list)
    for one in page.loads:
        if one.online_atc < online_atc and one.open:
            passed[one.online_atc].append(one)
    for attempts in passed.values():
        # The counter went on, so that one of these was done. Where there are several, the largest
        # stands: an agent must not gain by beginning a small load over a large one.
        _prove(page, max(attempts, key=lambda one: (one.amount_fen, str(one.id))), Proof.COUNTER, "")


def _prove(page: LoadPage, done: Load, proof: Proof, tac: str) -> None:
    page.write(done.settled(LoadState.PROVEN, proof, tac))
    for other in page.loads:
        if other.online_atc == done.online_atc and other.id != done.id:
            page.write(other.settled(LoadState.REVERSED, Proof.COUNTER))


def _bcd(at: datetime) -> bytes:
    return bytes.fromhex(at.strftime("%Y%m%d%H%M%S"))
