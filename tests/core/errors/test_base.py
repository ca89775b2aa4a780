"""An error reaches whoever gave work to another process as it was raised there."""

from __future__ import annotations

import pickle

import pytest

from citycard.errors import LimitExceeded, RegistryMissing, StockShort, WorkerDied


@pytest.mark.parametrize(
    "error",
    [
        WorkerDied(engine="pool:2"),
        RegistryMissing(record="terminal", key="344000000001"),
        StockShort(place="store", held=1, lot="a", wanted=2),
        LimitExceeded(number="1", limit="pay", limit_value=1, used=1, wanted=1, resets_at="tomorrow"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_is_the_same_in_another_process(error):
    there = pickle.loads(pickle.dumps(error))
    assert type(there) is type(error)
    assert (str(there), there.data, there.exit_code) == (str(error), error.data, error.exit_code)
