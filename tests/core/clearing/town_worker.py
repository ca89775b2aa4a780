"""The town that the tests play, opened for judging in other processes: from its folder, without its store.

This file is imported there by name, so that it lies on the path of whoever needs it.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from pathlib import Path


def load_town(folder):
    """Open the town in a folder."""
    name = "clearing_town"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("conftest.py"))
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name].Town(folder)


class TownWorker:
    """What a worker sees of the town. ``dies_once`` names a file: the worker that can make it is killed."""

    def __init__(self, folder, shares, *, rules_version="rules-1", dies_once=None):
        town = load_town(folder)
        self.folder, self.vault, self.rules_version = town.folder, town.vault, rules_version
        self.town, self.dies_once = town, dies_once
        town.shares.update(shares)
        # Whoever asks the store for anything from here on gets nothing.
        town.engine.dispose()
        town.engine = town.ledger = None

    def rate(self, record):
        if self.dies_once is not None and not self.dies_once.exists():
            self.dies_once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return self.town.rate(record)

    def of_day(self, service):
        return self.town.of_day(service)

    def claimed_fen(self, service, records):
        """Say that no price depends on what a card paid before."""

    def alike(self, service, records):
        return self.town.alike(service, records)
