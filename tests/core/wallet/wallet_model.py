"""A second book of the wallet, in plain Python: it knows no ledger, no tables and no code of the wallet.

Every method does what it says to the pockets, or returns the word for why it cannot: ``closed``, ``funds``,
``limit``, ``ended``, ``too-much``, ``budget`` or ``points``.
"""

from collections import defaultdict
from datetime import timedelta


class Book:
    def __init__(self, day, programmes, schemes, accepts, rates, limits):
        self.day = day
        self.programmes = programmes  # name -> (kinds, last day)
        self.schemes = schemes  # name -> (points per yuan, fen per point, days)
        self.accepts = accepts  # (scheme, partner) -> fen per point
        self.rates = rates  # (source, target) -> (give, get)
        self.limits = limits  # act -> (fen a day, times a day)
        self.own = {}  # (account, act) -> fen a day
        self.pockets = defaultdict(int)
        self.state = {}
        self.holds = {}
        self.payments = {}
        self.lots = []
        self.used = defaultdict(lambda: [0, 0])

    # ── what there is ──

    def held(self, who):
        return sum(one["fen"] for one in self.holds.values() if one["who"] == who and one["open"])

    def free(self, who):
        return self.pockets["own", who] - self.held(who)

    def worth(self, scheme):
        return sum(lot["left"] * lot["fen"] for lot in self.lots if lot["scheme"] == scheme)

    def points(self, who, scheme):
        return sum(lot["left"] for lot in self.lots if (lot["who"], lot["scheme"]) == (who, scheme))

    def _move(self, source, target, fen):
        self.pockets[source] -= fen
        self.pockets[target] += fen

    # ── accounts ──

    def open(self, who):
        self.state.setdefault(who, "open")

    def put_in(self, who, fen):
        self._move("bank", ("own", who), fen)

    def become(self, who, state):
        if self.state[who] == "closed":
            return "closed"
        self.state[who] = state
        return None

    def close(self, who):
        if self.state[who] == "closed":
            return None
        if self.held(who):
            return "closed"
        self._move(("own", who), ("owed", who), self.pockets["own", who])
        for name in self.programmes:
            self._move(("subsidy", who, name), ("fund", name), self.pockets["subsidy", who, name])
        for lot in self.lots:
            if lot["who"] == who:
                self._back_to_issuer(lot)
        self.state[who] = "closed"
        return None

    def limit(self, who, act, fen):
        if fen > self.limits[act][0]:
            return "looser"
        if self.state[who] == "closed":
            return "closed"
        self.own[who, act] = fen
        return None

    def _over_limit(self, who, act, fen):
        used = self.used[who, act, self.day]
        most_fen, most_times = self.limits[act]
        most_fen = min(most_fen, self.own.get((who, act), most_fen))
        return used[0] + fen > most_fen or used[1] + 1 > most_times

    def _count(self, who, act, day, fen, times):
        self.used[who, act, day][0] += fen
        self.used[who, act, day][1] += times

    # ── paying ──

    def pay(self, key, who, partner, kind, fen):
        if self.state[who] != "open":
            return "closed"
        left, parts = fen, []
        for _, name in sorted((last, name) for name, (_, last) in self.programmes.items()):
            kinds, last = self.programmes[name]
            if kind in kinds and self.day <= last:
                part = min(left, self.pockets["subsidy", who, name])
                if part:
                    parts.append([name, part])
                    left -= part
        if left > self.free(who):
            return "funds"
        if left and self._over_limit(who, "pay", left):
            return "limit"
        for name, part in parts:
            self._move(("subsidy", who, name), ("partner", partner), part)
        if left:
            parts.append([None, left])
            self._move(("own", who), ("partner", partner), left)
            self._count(who, "pay", self.day, left, 1)
        self.payments[key] = {"who": who, "partner": partner, "parts": parts}
        return None

    def give_back(self, key, fen):
        paid = self.payments[key]
        if fen > sum(part for _, part in paid["parts"]):
            return "too-much"
        for part in reversed(paid["parts"]):
            taken = min(fen, part[1])
            part[1] -= taken
            fen -= taken
            who, closed = paid["who"], self.state[paid["who"]] == "closed"
            if part[0] is None:
                target = ("owed", who) if closed else ("own", who)
            else:
                over = self.day > self.programmes[part[0]][1]
                target = ("fund", part[0]) if over or closed else ("subsidy", who, part[0])
            self._move(("partner", paid["partner"]), target, taken)
        return None

    # ── holds ──

    def authorise(self, key, who, partner, fen, days):
        if self.state[who] != "open":
            return "closed"
        if fen > self.free(who):
            return "funds"
        if self._over_limit(who, "hold", fen):
            return "limit"
        self._count(who, "hold", self.day, fen, 1)
        last = self.day + timedelta(days=days)
        self.holds[key] = {
            "who": who,
            "partner": partner,
            "fen": fen,
            "open": True,
            "day": self.day,
            "end": last,
        }
        return None

    def capture(self, key, payment, fen):
        hold = self.holds[key]
        if fen > hold["fen"]:
            return "ended"
        if not hold["open"]:
            return "ended"
        self._end(hold, fen)
        self._move(("own", hold["who"]), ("partner", hold["partner"]), fen)
        self.payments[payment] = {"who": hold["who"], "partner": hold["partner"], "parts": [[None, fen]]}
        return None

    def release(self, key):
        if not self.holds[key]["open"]:
            return "ended"
        self._end(self.holds[key], 0)
        return None

    def _end(self, hold, taken):
        hold["open"] = False
        self._count(hold["who"], "hold", hold["day"], taken - hold["fen"], 0 if taken else -1)

    # ── subsidies ──

    def fund(self, name, fen):
        self._move("bank", ("fund", name), fen)
        self._move(("left", name), "nothing", -fen)

    def grant(self, name, who, fen):
        if self.day > self.programmes[name][1] or fen > self.pockets["left", name]:
            return "budget"
        if self.state[who] == "closed":
            return "closed"
        self._move(("left", name), "nothing", fen)
        self._move(("fund", name), ("subsidy", who, name), fen)
        return None

    # ── points ──

    def earn(self, who, scheme, fen):
        per_yuan, _, days = self.schemes[scheme]
        if self.state[who] == "closed":
            return "closed"
        if fen * per_yuan < 100:
            return "points"
        self._add(who, scheme, fen * per_yuan // 100, self.day + timedelta(days=days))
        return None

    def use(self, who, scheme, partner, points):
        if self.state[who] != "open":
            return "closed"
        if (scheme, partner) not in self.accepts:
            return "points"
        taken = self._take(who, scheme, points)
        if taken is None:
            return "points"
        for fen, count in taken:
            paid = min(fen, self.accepts[scheme, partner])
            self.pockets["partner", partner] += paid * count
            self.pockets["partner", scheme] += (fen - paid) * count
        return None

    def exchange(self, who, source, target, points):
        give, get = self.rates[source, target]
        if self.state[who] != "open":
            return "closed"
        if points % give:
            return "points"
        lasts = []
        taken = self._take(who, source, points, lasts)
        if taken is None:
            return "points"
        self.pockets["partner", source] += sum(fen * count for fen, count in taken)
        got = points // give * get
        last = min(self.day + timedelta(days=self.schemes[target][2]), max(lasts))
        self._add(who, target, got, last, payer=source)
        return None

    def _add(self, who, scheme, points, last, payer=None):
        rate = self.schemes[scheme][1]
        self.pockets["partner", payer or scheme] -= points * rate
        lot = {
            "who": who,
            "scheme": scheme,
            "left": points,
            "fen": rate,
            "last": last,
            "made": len(self.lots),
        }
        self.lots.append(lot)

    def _take(self, who, scheme, points, lasts=None):
        mine = [lot for lot in self.lots if (lot["who"], lot["scheme"]) == (who, scheme)]
        living = sorted((lot for lot in mine if lot["last"] >= self.day and lot["left"]), key=_order)
        if sum(lot["left"] for lot in living) < points:
            return None
        taken = []
        for lot in living:
            count = min(points, lot["left"])
            if count:
                lot["left"] -= count
                points -= count
                taken.append((lot["fen"], count))
                if lasts is not None:
                    lasts.append(lot["last"])
        return taken

    def _back_to_issuer(self, lot):
        self.pockets["partner", lot["scheme"]] += lot["left"] * lot["fen"]
        lot["left"] = 0

    # ── time ──

    def days_pass(self, days):
        self.day += timedelta(days=days)
        for hold in self.holds.values():
            if hold["open"] and hold["end"] <= self.day:
                self._end(hold, 0)

    def sweep(self):
        for name, (_, last) in self.programmes.items():
            for who in self.state if self.day > last else ():
                self._move(("subsidy", who, name), ("fund", name), self.pockets["subsidy", who, name])
        for lot in self.lots:
            if lot["last"] < self.day:
                self._back_to_issuer(lot)


def _order(lot):
    return lot["last"], lot["made"]
