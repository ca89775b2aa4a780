"""What goes wrong with Spark is one sentence that names what to do; what goes right is in test_engines."""

from __future__ import annotations

import importlib
from functools import partial

import numpy as np
import pytest

from citycard.clearing.bucket import Known, Loads, States
from citycard.clearing.columns import SLICES
from citycard.clearing.spark import Spark, check_installed
from citycard.clearing.work import Work
from citycard.errors import JavaMissing, SparkFailed, SparkIdle
from citycard.testing.spark import SparkCluster


@pytest.fixture
def works(town):
    """Give one piece of work, whose worker cannot be made: its module is nowhere."""
    town.worker = partial(importlib.import_module, "nowhere")
    nobody = np.zeros(0, np.int64)
    known = Known(
        terminals={},
        issued=nobody,
        test_cards=nobody,
        expires_on=nobody,
        closed_at=nobody,
        states=States.new(0),
        loads=Loads(card=nobody, online_atc=nobody, amount_fen=nobody, proven=nobody, at=nobody),
    )
    work = Work(
        run=1,
        bucket=0,
        slices=range(SLICES),
        segments=(),
        held=(),
        known=known,
        terms=town.terms,
        rules_version=town.rules_version,
    )
    return [(work, None)]


def test_without_java_its_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for home in ("", str(tmp_path)):
        monkeypatch.setenv("JAVA_HOME", home)
        with pytest.raises(JavaMissing, match="openjdk-17-jre-headless") as missing:
            check_installed()
    assert missing.value.exit_code == 4


def test_what_a_worker_fails_by_is_told_in_one_line(town, works):
    with pytest.raises(SparkFailed) as failed:
        list(Spark("spark-local:1").done(town, works))
    assert failed.value.data["reason"] == "ModuleNotFoundError: No module named 'nowhere'"
    assert failed.value.exit_code == 4


def test_a_cluster_that_gives_no_worker_is_not_waited_for_for_ever(town, works):
    with SparkCluster(workers=0) as cluster, pytest.raises(SparkIdle, match="gave no worker") as idle:
        list(Spark(cluster.url, idle_s=2).done(town, works))
    assert idle.value.exit_code == 4
