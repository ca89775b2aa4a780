"""Clear the town in a folder on an engine, and be killed at one point.

    python engine_child.py FOLDER ENGINE BUCKETS

Gets SIGKILL as soon as so many buckets are judged.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path

from town_worker import TownWorker, load_town

from citycard.clearing.run import clear


def main():
    folder, engine, buckets = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    town = load_town(folder)
    town.worker = partial(TownWorker, folder, {})

    def judged(done, _of):
        if done == buckets:
            os.kill(os.getpid(), signal.SIGKILL)

    clear(town, engine=engine, progress=judged)


if __name__ == "__main__":
    main()
