"""What is installed is known from metadata alone; importing comes later, and only for what is allowed."""

from __future__ import annotations

import sys

from citycard.kernel.discovery import find, names


def test_installed_plugins_are_found_with_name_distribution_and_version_and_not_imported(
    on_disk, monkeypatch
):
    monkeypatch.delitem(sys.modules, "citycard_park", raising=False)  # another test may have used it
    installed = on_disk("park", "farm")()

    assert [(found.name, str(found.owner)) for found in installed] == [
        ("farm", "citycard-farm 1.0"),
        ("park", "citycard-park 0.2"),
    ]
    assert "citycard_park" not in sys.modules


def test_every_name_is_listed_once(on_disk):
    installed = on_disk("citycard-twin-one", "citycard-twin-two")()

    assert len(installed) == 2
    assert names(installed) == ["twin"]


def test_a_distribution_without_metadata_is_still_found_by_its_entry_point(tmp_path, monkeypatch):
    info = tmp_path / "citycard_bare-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[citycard]\nbare = citycard_bare\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    (bare,) = [found for found in find() if found.name == "bare"]

    assert str(bare.owner) == "an unnamed distribution of no version"


def test_what_is_installed_while_the_process_runs_is_seen(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "newcomer" not in names(find())

    info = tmp_path / "citycard_newcomer-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: citycard-newcomer\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[citycard]\nnewcomer = citycard_newcomer\n")

    assert "newcomer" in names(find())
