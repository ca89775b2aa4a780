"""Everything that can go wrong, one class each: its data, its sentence, its HTTP status and its exit code.

Exit codes of the command line: 0 done, 1 the work found something wrong, 2 the call is wrong,
3 the input is wrong, 4 something needed is missing, 5 refused. One module per area; import from here.
"""

from __future__ import annotations

from citycard.errors.accounts import *
from citycard.errors.bank import *
from citycard.errors.base import *
from citycard.errors.card import *
from citycard.errors.ceremony import *
from citycard.errors.chip import *
from citycard.errors.city import *
from citycard.errors.clearing import *
from citycard.errors.disputes import *
from citycard.errors.engines import *
from citycard.errors.exchange import *
from citycard.errors.fuel import *
from citycard.errors.intake import *
from citycard.errors.kernel import *
from citycard.errors.keys import *
from citycard.errors.ledger import *
from citycard.errors.lists import *
from citycard.errors.mifare import *
from citycard.errors.money import *
from citycard.errors.moneyout import *
from citycard.errors.office import *
from citycard.errors.pcsc import *
from citycard.errors.period import *
from citycard.errors.phrase import *
from citycard.errors.sams import *
from citycard.errors.seal import *
from citycard.errors.simulate import *
from citycard.errors.stock import *
from citycard.errors.terminal import *
from citycard.errors.topup import *
from citycard.errors.web import *
