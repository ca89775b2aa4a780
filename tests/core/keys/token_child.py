"""Change a vault in a token, in a process of its own that is killed at a point of choice."""

import itertools
import os
import signal
import sys

from citycard.keys import Pkcs11Vault, pkcs11vault
from citycard.keys.tokenkeys import TokenKeys
from citycard.keys.tokenobjects import TokenObjects

path, module, label, pin, what, stop = sys.argv[1:]
points = itertools.count(1)


def point():
    if next(points) == int(stop):
        os.kill(os.getpid(), signal.SIGKILL)


def mortal(true):
    """Die before or after a write, when its turn comes."""

    def call(*args, **kwargs):
        point()
        answer = true(*args, **kwargs)
        point()
        return answer

    return call


vault = Pkcs11Vault.open(path, module, label, pin)
TokenObjects.import_key = mortal(TokenObjects.import_key)
pkcs11vault.write_private = mortal(pkcs11vault.write_private)
TokenKeys.confirm = mortal(TokenKeys.confirm)
if what == "put":
    vault.put("load", bytes(range(16)))
for _ in range({"put": 0, "roll": 1, "rolls": 3}[what]):
    vault.roll("load")
