import json

from citycard.cli.main import _run


def test_the_ledger_is_measured_beside_a_peer(capsys, tmp_path):
    database = f"sqlite:///{tmp_path / 'bench.db'}"
    few = ["--seconds", "1", "--accounts", "50", "--bulk", "200", "--callers", "4"]
    assert _run(["bench", "wallet", "--database", database, *few, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["database"] == "sqlite"
    assert figures["authorised_per_second"] > 0
    assert figures["bulk_per_second"] > 0
    assert figures["p99_ms"] >= figures["p50_ms"] > 0
    assert figures["peer"]["per_second"] > 0
    assert figures["machine"]["cores"] > 0
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_touched(capsys, tmp_path):
    (tmp_path / "city.db").write_text("mine")
    assert _run(["bench", "wallet", "--database", f"sqlite:///{tmp_path / 'city.db'}"]) == 5
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "city.db").read_text() == "mine"
