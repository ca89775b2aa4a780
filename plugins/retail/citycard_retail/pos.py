"""The host of POS: what each ISO 8583 message does, once for its terminal, day and STAN.

A message is written down before anything happens, and its answer before it is sent: whoever asks again gets
the same answer, and another message with its STAN none. A reversal that comes before its original leaves its
mark, so that the original does nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, select, update

from citycard import registry
from citycard.errors import CitycardError
from citycard.ids import derived_id
from citycard.store import reading, writing
from citycard.store.bulk import insert_missing
from citycard.wallet.tables import account_hold
from citycard_retail.answers import APPROVED, FAULT, NOTHING_DONE, REPEATED, code_of
from citycard_retail.errors import MerchantUnknown, MessageInvalid, SaleUnknown
from citycard_retail.hotel import capture, find_hold, hold, release
from citycard_retail.iso import Message, check_mac, read_message, write_message
from citycard_retail.market import Market, digest_of
from citycard_retail.merchants import Merchant, merchant_of_terminal, merchants
from citycard_retail.posbatches import open_batch, settle
from citycard_retail.poskeys import pos_key
from citycard_retail.refunds import refund_sale, void_sale
from citycard_retail.retrying import is_due, next_try
from citycard_retail.sales import find_sale, finish_sales, sell, settled
from citycard_retail.tables import message as message_table
from citycard_retail.tables import sale

__all__ = ["PosHost"]

_log = logging.getLogger("citycard.retail.pos")
_LATE = timedelta(days=7)
_PURCHASE, _VOID, _REFUND = "00", "02", "20"
_ECHOED = ("3", "4", "11", "12", "13", "41", "42", "49")


@attrs.frozen(kw_only=True)
class _Asked:
    """A message whose terminal is known: its merchant, day and id, and the row that stands for it."""

    message: Message
    terminal: str
    merchant: Merchant
    day: date
    act: UUID
    rrn: str


class PosHost:
    """Answer messages of POS for a market."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def answer(self, data: bytes) -> bytes:
        """Answer a message; raise MessageInvalid for bytes that nobody can be answered for."""
        message, covered, mac8 = read_message(data)
        terminal = f"{self._market.city.code}{message.get(41)}"
        key = pos_key(self._market.city, terminal)
        try:
            check_mac(key, covered, mac8)
            asked = self._known(message, terminal)
        except CitycardError as refused:
            return write_message(_reply(message, {"39": code_of(refused)}), key)
        return self._answered(asked, key)

    def _known(self, message: Message, terminal: str) -> _Asked:
        """Find whose terminal it is and which day it means; raise MessageInvalid or MerchantUnknown."""
        market = self._market
        with reading(market.city.engine) as conn:
            partner = merchant_of_terminal(conn, terminal)
            if registry.find_terminal(conn, terminal).status is not registry.TerminalStatus.ACTIVE:
                raise MessageInvalid(reason="the terminal is revoked", field=41, code="58")
            merchant = merchants(market, conn, partner=partner)[0]
        if message.get(42) != merchant.code:
            raise MerchantUnknown(what=f"acceptor {message.get(42)} with terminal {terminal}")
        day = _day(message.get(13), market.city.now_local())
        stan = message.get(11)
        return _Asked(
            message=message,
            terminal=terminal,
            merchant=merchant,
            day=day,
            act=derived_id("retail pos", terminal, day, stan),
            rrn=f"{day:%y}"[-1] + f"{day:%j}{message.get(12)[:2]}{stan}",
        )

    def _answered(self, asked: _Asked, key: bytes) -> bytes:
        row, repeated = self._noted(asked)
        if row.digest != bytes.fromhex(digest_of(asked.message.plain)):
            # A mark of a reversal that came first has no content: nothing is done for its original.
            code = NOTHING_DONE if row.reversed and not row.digest else REPEATED
            return write_message(_reply(asked.message, {"39": code}), key)
        if repeated and row.reply:
            return bytes(row.reply)
        try:
            if row.reversed:
                # It may have been paid when the host stopped, before anybody saw that it was reversed.
                self._undo(asked.terminal, asked.message.mti, asked.message.fields.get("3", ""), asked.act)
                code, more = NOTHING_DONE, {}
            else:
                more = self._done(asked)
                code = more.pop("39", APPROVED)
        except CitycardError as refused:
            code, more = code_of(refused), {}
            _log.info("terminal %s STAN %s: %s", asked.terminal, asked.message.get(11), refused)
            if code == FAULT:
                # Not the answer for ever: sent again, it is tried again.
                return write_message(_reply(asked.message, {"39": FAULT}), key)
        if code == APPROVED and self._was_reversed(asked):
            self._undo(asked.terminal, asked.message.mti, asked.message.fields.get("3", ""), asked.act)
            code, more = NOTHING_DONE, {}
        return self._ended(asked, key, code, more)

    # ── what is written down ─────────────────────────────────────────────────────────────────────

    def finish(self) -> int:
        """Finish sales that were broken off, undo what a POS reversed and is not undone, count the paid.

        What is to be undone is read from what stands written, so that it is done the next time when it
        breaks off between the end of a sale and its void.
        """
        found = finish_sales(self._market)
        for row in self._not_undone():
            try:
                if is_due(self._market, _reversal(row.act)):
                    self._undo(row.terminal, row.kind, row.processing, row.act)
            except CitycardError as refused:
                _log.warning("message %s was reversed and cannot be undone: %s", row.act, refused)
        return len(found)

    def _not_undone(self) -> list[Row[Any]]:
        """Give reversed messages whose sale is paid, or whose hold may not have ended."""
        sold = (sale.c.state == "paid") & (sale.c.amount_fen > 0) & (sale.c.returned_fen == 0)
        held = account_hold.c.expires_at > self._market.city.clock.now()
        reversed_ = select(message_table).where(message_table.c.reversed == 1)
        queries = (
            reversed_.join(sale, (sale.c.id == message_table.c.act) & sold),
            reversed_.join(account_hold, (account_hold.c.id == message_table.c.act) & held),
        )
        with reading(self._market.city.engine) as conn:
            return [row for query in queries for row in conn.execute(query)]

    def _noted(self, asked: _Asked) -> tuple[Row[Any], bool]:
        message = asked.message
        with writing(self._market.city.engine) as conn:
            row = _row(conn, asked.terminal, asked.day, message.get(11))
            if row is not None:
                return row, True
            made = {
                "kind": f"{message.mti[:3]}0",
                "digest": bytes.fromhex(digest_of(message.plain)),
                "act": asked.act,
                "rrn": asked.rrn,
                "account": message.fields.get("102", ""),
                "amount_fen": int(message.fields.get("4", "0")),
                "processing": message.fields.get("3", "")[:2],
                "reversed": 0,
            }
            new = _write(self._market, conn, asked.terminal, asked.day, message.get(11), made)
            row = _row(conn, asked.terminal, asked.day, message.get(11))
            assert row is not None
            return row, not new

    def _ended(self, asked: _Asked, key: bytes, code: str, more: dict[str, str]) -> bytes:
        if code == APPROVED:
            more = {"37": asked.rrn, "38": f"{asked.act.int % 10**6:06d}"} | more
        reply = write_message(_reply(asked.message, {"39": code} | more), key)
        with writing(self._market.city.engine) as conn:
            mine = _mine(asked.terminal, asked.day, asked.message.get(11))
            changed = update(message_table).where(mine, message_table.c.reply == b"")
            conn.execute(changed.values(code=code, reply=reply))
        return reply

    def _was_reversed(self, asked: _Asked) -> bool:
        mine = _mine(asked.terminal, asked.day, asked.message.get(11))
        with reading(self._market.city.engine) as conn:
            return bool(conn.scalar(select(message_table.c.reversed).where(mine)))

    # ── what is done ─────────────────────────────────────────────────────────────────────────────

    def _done(self, asked: _Asked) -> dict[str, str]:
        does: dict[str, Callable[[_Asked], dict[str, str]]] = {
            "0100": self._authorise,
            "0200": self._financial,
            "0220": self._advised,
            "0400": self._reverse,
            "0420": self._reverse,
            "0500": self._settle,
        }
        found = does.get(f"{asked.message.mti[:3]}0")
        if found is None:
            raise MessageInvalid(reason=f"type {asked.message.mti} is not done here", field="t", code="12")
        return found(asked)

    def _authorise(self, asked: _Asked) -> dict[str, str]:
        hold(
            self._market,
            asked.act,
            asked.message.get(102),
            asked.merchant.partner,
            asked.message.number(4),
            note=_note(asked),
            actor=_actor(asked),
        )
        return {}

    def _financial(self, asked: _Asked) -> dict[str, str]:
        message, code = asked.message, asked.message.get(3)[:2]
        message.get(49)
        if code == _PURCHASE:
            self._sell(asked)
        elif code == _VOID:
            original = self._original(asked)
            if original.amount_fen != message.number(4):
                raise MessageInvalid(reason="a void is of the whole amount", field=4, code="13")
            void_sale(self._market, asked.act, str(original.act), actor=_actor(asked))
        elif code == _REFUND:
            refund_sale(
                self._market,
                asked.act,
                str(self._original(asked).act),
                message.number(4),
                reason="refund at the POS",
                approved_by=_actor(asked),
                actor=_actor(asked),
            )
        else:
            raise MessageInvalid(reason=f"processing code {code} is not done here", field=3, code="12")
        return {}

    def _advised(self, asked: _Asked) -> dict[str, str]:
        """Take an advice: what a hold came to, or a purchase that the POS made while it was alone."""
        asked.message.get(49)
        if "37" not in asked.message.fields:
            self._sell(asked)
            return {}
        original = self._original(asked)
        capture(self._market, asked.act, original.act, asked.message.number(4), actor=_actor(asked))
        return {}

    def _sell(self, asked: _Asked) -> None:
        sell(
            self._market,
            asked.act,
            asked.message.get(102),
            asked.merchant.partner,
            asked.message.number(4),
            note=_note(asked),
            actor=_actor(asked),
        )

    def _original(self, asked: _Asked) -> Row[Any]:
        """Find the approved message that a reference number (field 37) is of, at any till of the merchant."""
        query = select(message_table).where(
            message_table.c.rrn == asked.message.get(37),
            message_table.c.terminal.in_(asked.merchant.terminals),
            message_table.c.code == APPROVED,
            message_table.c.reversed == 0,
        )
        with reading(self._market.city.engine) as conn:
            rows = conn.execute(query).all()
        if len(rows) != 1:
            raise SaleUnknown(id=asked.message.get(37))
        return rows[0]

    def _reverse(self, asked: _Asked) -> dict[str, str]:
        """Undo the message that field 90 names; of one that did not come, note that it does nothing."""
        from citycard.city.charging import give_up_charge

        told = asked.message.get(90)
        mti, stan, day = told[:4], told[4:10], _day(told[10:14], self._market.city.now_local())
        with writing(self._market.city.engine) as conn:
            row = _row(conn, asked.terminal, day, stan)
            if row is None:
                act = derived_id("retail pos", asked.terminal, day, stan)
                made = {"kind": mti, "digest": b"", "act": act, "rrn": "", "account": "", "amount_fen": 0}
                made |= {"processing": "", "reversed": 1, "code": NOTHING_DONE}
                if _write(self._market, conn, asked.terminal, day, stan, made):
                    return {"39": NOTHING_DONE}
                row = _row(conn, asked.terminal, day, stan)
                assert row is not None
            if row.kind not in {"0100", "0200", "0220"} or row.processing in {_VOID, _REFUND}:
                raise MessageInvalid(reason="this cannot be reversed", field=90, code="12")
            conn.execute(update(message_table).where(_mine(asked.terminal, day, stan)).values(reversed=1))
            # What was not done yet is not done any more, though it may be under way at this moment.
            give_up_charge(
                self._market.city, conn, row.act, number=row.account, actor=f"terminal {asked.terminal}"
            )
        self._undo(asked.terminal, row.kind, row.processing, row.act)
        return {}

    def _undo(self, terminal: str, kind: str, processing: str, act: UUID) -> None:
        if processing[:2] in {_VOID, _REFUND} or kind[:2] not in {"01", "02"}:
            return
        identity = _reversal(act)
        actor = f"terminal {terminal}"
        try:
            if kind[:2] == "01":
                if find_hold(self._market, act).state == "pending":
                    release(self._market, identity, act, actor=actor)
            elif settled(self._market, find_sale(self._market, str(act))).state == "paid":
                void_sale(self._market, next_try(self._market, identity), str(act), actor=actor, any_day=True)
        except CitycardError as nothing:
            if code_of(nothing) != "25":  # it was never done
                raise

    def _settle(self, asked: _Asked) -> dict[str, str]:
        return settle(self._market, asked.terminal, asked.message)


def _reversal(act: UUID) -> UUID:
    """Give the id under which what an act did is undone for the first time."""
    return derived_id("retail pos reversal", act)


def _reply(message: Message, more: dict[str, str]) -> Message:
    mti = f"{message.mti[:2]}{int(message.mti[2]) + 1}0"
    echoed = {name: message.fields[name] for name in _ECHOED if name in message.fields}
    return Message(mti=mti, fields=echoed | more)


def _day(text: str, now: datetime) -> date:
    """Give the day that a month and day mean, at most a week ago and at most tomorrow; code 30 otherwise."""
    for year in (now.year, now.year - 1, now.year + 1):
        try:
            day = date(year, int(text[:2]), int(text[2:]))
        except ValueError:
            continue
        if now.date() - _LATE <= day <= now.date() + timedelta(days=1):
            return day
    raise MessageInvalid(reason=f"{text} is not one of the last days", field=13, code="30")


def _mine(terminal: str, day: date, stan: str) -> Any:
    table = message_table.c
    return (table.terminal == terminal) & (table.day == f"{day:%Y%m%d}") & (table.stan == stan)


def _row(conn: Connection, terminal: str, day: date, stan: str) -> Row[Any] | None:
    """Give the row of a message, held until the transaction ends."""
    query = select(message_table).where(_mine(terminal, day, stan)).with_for_update()
    return conn.execute(query).one_or_none()


def _write(
    market: Market, conn: Connection, terminal: str, day: date, stan: str, made: dict[str, Any]
) -> bool:
    """Write a message down, and say whether nobody else did at this very moment."""
    row: dict[str, Any] = {"terminal": terminal, "day": f"{day:%Y%m%d}", "stan": stan}
    row |= {"code": "", "reply": b""}
    row |= {"batch": open_batch(conn, terminal), "at": market.city.now_local()}
    return bool(insert_missing(conn, message_table, [row | made]))


def _note(asked: _Asked) -> str:
    return f"POS {asked.terminal} {asked.message.get(11)}"


def _actor(asked: _Asked) -> str:
    return f"terminal {asked.terminal}"
