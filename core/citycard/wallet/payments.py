"""Pay a partner from an online account and its subsidies, and give back what was paid to where it came from.

What a partner is paid stands in ``partner/<id>/payable`` and is settled with its next clearing run. A payment
is one group of transfers: all of it is posted, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, insert

from citycard.errors import FundsMissing, Phrase, RefundRefused, WalletInvalid
from citycard.ids import derived_id
from citycard.ledger import reversal
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.records import AccountSpec, Transfer
from citycard.store.engine import reading
from citycard.wallet.acts import Act, once
from citycard.wallet.addresses import account_refund, account_subsidy, online_account, partner_payable
from citycard.wallet.context import Payee, WalletContext
from citycard.wallet.enforcing import post_limited
from citycard.wallet.limits import ActKind
from citycard.wallet.online import AccountStatus, OnlineAccount, available_fen, hold_account
from citycard.wallet.onward import Onward, brought_back, moved_on, told
from citycard.wallet.paymentbook import PaidPart, Payment, add_returned, find_payment, write_payment
from citycard.wallet.planning import OWN_MONEY, Part, plan, returns
from citycard.wallet.programmes import note_lapse, pots_of, programmes_by_id
from citycard.wallet.tables import payment_refund

__all__ = ["Payments", "check_amount", "open_payable"]


class Payments:
    """Pay partners from online accounts. Every call has the id that its client made, and happens once."""

    def __init__(self, context: WalletContext) -> None:
        self._context = context

    def pay(
        self,
        identity: UUID,
        number: str,
        payee: Payee,
        amount_fen: int,
        *,
        onward: Sequence[Onward] = (),
        note: str = "",
        service: str = "",
        actor: str = "",
    ) -> Payment:
        """Pay a partner; subsidies that fit pay first, the account itself the rest.

        ``service`` names what is paid for, so that it counts for its domain. What goes ``onward`` from the
        partner, such as its fee, is moved in the same step.

        Raise AccountNotOpen, FundsMissing or LimitExceeded. Limits count what the account itself pays.
        """
        check_amount(amount_fen, Phrase("payment {id}", id=identity))
        content = {"partner": payee.partner, "amount_fen": amount_fen, "note": note, **told(onward)}
        content |= {"service": service} if service else {}
        words = {"partner": payee.partner, "service": service, "amount_fen": amount_fen}
        act = Act(id=identity, kind="pay", number=number, actor=actor, content=content, words=words)

        def work(conn: Connection) -> None:
            self.pay_within(
                conn, identity, number, payee, amount_fen, onward=onward, note=note, service=service
            )

        once(self._context, act, work)
        return self.find(identity)

    def give_back(
        self,
        identity: UUID,
        payment_id: UUID,
        amount_fen: int,
        *,
        onward: Sequence[Onward] | None = None,
        note: str = "",
        actor: str = "",
    ) -> Payment:
        """Give back a payment or a part of it: the account's own money first, then the subsidies.

        Those to whom it had gone on give back their shares of it to the partner in the same step, and fees
        stay; or ``onward`` says what comes back from whom, no more than each has of it, and the partner bears
        the rest. What a programme paid that is over meanwhile goes back to its fund; money of an account that
        is closed becomes a refund that is due. Raise PaymentUnknown, RefundRefused or ShareRefused.
        """
        check_amount(amount_fen, Phrase("refund {id}", id=identity))
        number = self.find(payment_id).number
        content = {"payment": str(payment_id), "amount_fen": amount_fen, "note": note, **told(onward)}
        words = {"payment": str(payment_id), "amount_fen": amount_fen}
        act = Act(id=identity, kind="give-back", number=number, actor=actor, content=content, words=words)
        once(
            self._context,
            act,
            lambda conn: self._give_back(conn, identity, payment_id, amount_fen, onward, note),
        )
        return self.find(payment_id)

    def find(self, identity: UUID) -> Payment:
        """Give a payment; raise PaymentUnknown."""
        with reading(self._context.engine) as conn:
            return find_payment(conn, identity)

    def pay_within(
        self,
        conn: Connection,
        identity: UUID,
        number: str,
        payee: Payee,
        amount_fen: int,
        *,
        onward: Sequence[Onward] = (),
        note: str = "",
        service: str = "",
    ) -> None:
        """Pay as ``pay`` does, within an act that answers for the id (``acts.once``)."""
        context = self._context
        account = hold_account(conn, number)
        account.must_be_open()
        own_fen = available_fen(conn, context, online_account(number))
        pots = pots_of(conn, context, number)
        parts = plan(amount_fen, pots, own_fen, partner=payee.partner, kind=payee.kind, on=context.today())
        if parts is None:
            fitting = [pot for pot in pots if pot.fits(payee.partner, payee.kind, context.today())]
            have_fen = own_fen + sum(pot.available_fen for pot in fitting)
            raise FundsMissing(
                owner=Phrase("account {number}", number=number), available_fen=have_fen, wanted_fen=amount_fen
            )
        open_payable(conn, context, payee.partner)
        transfers = [self._part(identity, place, account, payee, part) for place, part in enumerate(parts)]
        own = next((part.amount_fen for part in parts if part.programme == OWN_MONEY), 0)
        further = moved_on(conn, context, identity, payee.partner, amount_fen, onward)
        post_limited(conn, context, account, ActKind.PAY, own, [*transfers, *further])
        write_payment(
            conn,
            Payment(
                id=identity,
                number=number,
                partner=payee.partner,
                amount_fen=amount_fen,
                hold=None,
                note=note,
                at=context.now_local(),
                service=service,
                parts=tuple(
                    PaidPart(programme=part.programme, amount_fen=part.amount_fen, transfer=moved.id)
                    for part, moved in zip(parts, transfers, strict=True)
                ),
            ),
        )

    def _part(self, identity: UUID, place: int, account: OnlineAccount, payee: Payee, part: Part) -> Transfer:
        own = part.programme == OWN_MONEY
        source = online_account(account.number) if own else account_subsidy(account.number, part.programme)
        return self._context.transfer(
            derived_id("payment", identity, place),
            source,
            partner_payable(payee.partner),
            part.amount_fen,
            TransferCode.ACCOUNT_PAID if own else TransferCode.SUBSIDY_SPENT,
            ref=f"payment/{identity}",
            group=derived_id("payment", identity),
        )

    def _give_back(
        self,
        conn: Connection,
        identity: UUID,
        payment_id: UUID,
        amount_fen: int,
        onward: Sequence[Onward] | None,
        note: str,
    ) -> None:
        context = self._context
        account = hold_account(conn, find_payment(conn, payment_id).number)
        paid = find_payment(conn, payment_id)
        split = returns(amount_fen, [part.left_fen for part in paid.parts])
        if split is None:
            left_fen = paid.amount_fen - paid.returned_fen
            raise RefundRefused(id=payment_id, left_fen=left_fen, wanted_fen=amount_fen)
        transfers = brought_back(conn, context, identity, payment_id, amount_fen, onward)
        for one in split:
            part = paid.parts[one.place]
            transfers += self._returned(conn, identity, account, part, one.place, one.amount_fen)
            add_returned(conn, paid, one.place, one.amount_fen)
        context.ledger.post_all(conn, transfers)
        row = {"id": identity, "payment": payment_id, "amount_fen": amount_fen, "note": note}
        conn.execute(insert(payment_refund), row | {"at": context.now_local()})

    def _returned(
        self,
        conn: Connection,
        identity: UUID,
        account: OnlineAccount,
        part: PaidPart,
        place: int,
        amount_fen: int,
    ) -> list[Transfer]:
        """Take a part back from the partner, and on to where it belongs when its source is over."""
        context = self._context
        posted = context.ledger.find(conn, [part.transfer])[part.transfer].transfer
        at = context.now_local()
        own = part.programme == OWN_MONEY
        ref = f"refund/{identity}"
        group = derived_id("refund", identity)
        back = reversal(
            posted,
            id=derived_id("refund", identity, place),
            amount_fen=amount_fen,
            code=TransferCode.ACCOUNT_GIVEN_BACK if own else TransferCode.SUBSIDY_GIVEN_BACK,
            event_time=at,
            business_date=at.date(),
            ref=ref,
            group=group,
        )
        moved = [back]
        if own and account.status is AccountStatus.CLOSED:
            owed = account_refund(account.number)
            spec = AccountSpec(address=owed, code=AccountCode.REFUNDS_DUE, owner=account.number)
            context.ledger.open_accounts(conn, [spec])
            onward = derived_id("refund", identity, place, "owed")
            moved.append(
                context.transfer(
                    onward,
                    online_account(account.number),
                    owed,
                    amount_fen,
                    TransferCode.ACCOUNT_CLOSED,
                    ref=ref,
                    group=group,
                )
            )
        elif not own:
            programme = programmes_by_id(conn)[part.programme]
            if programme.over(at.date()) or account.status is AccountStatus.CLOSED:
                lapse = derived_id("refund", identity, place, "lapse")
                moved.append(
                    note_lapse(
                        conn,
                        context,
                        lapse,
                        programme.id,
                        account.number,
                        amount_fen,
                        "given back",
                        group=group,
                    )
                )
        return moved


def check_amount(amount_fen: int, record: str) -> None:
    """Raise WalletInvalid unless an amount is one that can be paid."""
    if not 0 < amount_fen <= 10**12:
        raise WalletInvalid(record=record, field="amount_fen", value=amount_fen, expected="1 fen or more")


def open_payable(conn: Connection, context: WalletContext, partner: str) -> str:
    """Open the account of what is owed to a partner, if it is not, and give its address."""
    address = partner_payable(partner)
    spec = AccountSpec(address=address, code=AccountCode.PAYABLE_TO_PARTNERS, owner=partner)
    context.ledger.open_accounts(conn, [spec])
    return address
