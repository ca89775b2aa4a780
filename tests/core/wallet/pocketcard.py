"""A card that makes its MACs with the keys the vault gave it: a purse's side of a load, by the book."""

from datetime import datetime, timedelta

import attrs

from citycard.keys.purse import TTI_LOAD_EP, load_mac1, load_mac2, load_session_key, load_tac

ASN = "01042910000000000017"
TERMINAL = "001122334455"
AT = datetime(2018, 9, 1, 8, 30, 15)


@attrs.define
class PocketCard:
    """A purse's side of a load, by the book."""

    keys: object
    asn: str = ASN
    balance_fen: int = 0
    online_atc: int = 0
    tac: bytes = b""
    _randoms: int = 0

    def init(self, amount_fen):
        self._randoms += 1
        rnd = self._randoms.to_bytes(4, "big")
        session = load_session_key(self.keys.load, rnd, self.online_atc)
        terminal6 = bytes.fromhex(TERMINAL)
        mac1 = load_mac1(session, self.balance_fen, amount_fen, TTI_LOAD_EP, terminal6)
        return {
            "asn": self.asn,
            "key_version": 1,
            "balance_fen": self.balance_fen,
            "online_atc": self.online_atc,
            "rnd": rnd,
            "mac1": mac1,
            "amount_fen": amount_fen,
            "terminal": TERMINAL,
            "at": AT + timedelta(seconds=self._randoms),
        }

    def credit(self, asked, mac2):
        session = load_session_key(self.keys.load, asked["rnd"], asked["online_atc"])
        terminal6, moment = bytes.fromhex(TERMINAL), bytes.fromhex(asked["at"].strftime("%Y%m%d%H%M%S"))
        assert mac2 == load_mac2(session, asked["amount_fen"], TTI_LOAD_EP, terminal6, moment)
        self.balance_fen += asked["amount_fen"]
        self.tac = load_tac(
            self.keys.tac,
            self.balance_fen,
            self.online_atc,
            asked["amount_fen"],
            TTI_LOAD_EP,
            terminal6,
            moment,
        )
        self.online_atc += 1
        return self.tac
