"""A private PC/SC service comes up, says where it is, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from citycard.errors import PcscDriverMissing
from citycard.testing.pcscd import PcscService


def test_a_missing_driver_is_told_with_its_package(tmp_path):
    with pytest.raises(PcscDriverMissing, match="apt install pcscd vsmartcard-vpcd"):
        PcscService(driver=tmp_path / "libifdvpcd.so")


def test_it_can_be_stopped_and_started_and_leaves_nothing_behind(pcscd):
    # The service of the whole run stands; another one beside it gets other ports and another socket.
    if pcscd.socket == Path("/run/pcscd/pcscd.comm"):
        pytest.skip("without mount namespaces there is one service on a machine")
    with PcscService(readers=1) as own:
        assert own.socket != pcscd.socket
        assert {slot.port for slot in own.slots}.isdisjoint(slot.port for slot in pcscd.slots)
        folder = own.socket.parents[2]
        own.stop(kill=True)
        own.start()
        assert own.socket.exists()

    assert not Path(folder).exists()
