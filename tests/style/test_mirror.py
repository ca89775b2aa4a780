"""Tests mirror the code: the test of a module is where you look for it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What is tried on a package as a whole, and so has no module of its own.
ACROSS = {
    "algorithms",
    "crashes",
    "fuzz",
    "makes",
    "model",
    "power_cuts",
    "promises",
    "rolled_keys",
    "security",
    "story",
    "translations",
    "vectors",
}


def mirrored(test: Path, root: Path) -> Path:
    """Return the source file that a test file stands for."""
    area, *folders, name = test.relative_to(root / "tests").parts
    package = root / "core" / "citycard" if area == "core" else root / "plugins" / area / f"citycard_{area}"
    return package.joinpath(*folders, name.removeprefix("test_"))


def strays(root: Path) -> list[str]:
    """Return the test files of the core and the plugins that stand for no source file."""
    areas = ["core", *(path.name for path in (root / "plugins").iterdir() if path.is_dir())]
    tests = [test for area in areas for test in sorted((root / "tests" / area).rglob("test_*.py"))]
    return [str(test.relative_to(root)) for test in tests if not stands(test, root)]


def stands(test: Path, root: Path) -> bool:
    source = mirrored(test, root)
    return source.is_file() or (source.stem in ACROSS and (source.parent / "__init__.py").is_file())


def test_every_test_file_stands_for_a_source_file():
    assert strays(ROOT) == []


def test_tests_are_no_package():
    # Below a folder "data" lie plugins that tests install: those are packages.
    packages = [path.relative_to(ROOT) for path in (ROOT / "tests").rglob("__init__.py")]
    assert [str(path) for path in packages if "data" not in path.parts] == []


@pytest.fixture
def small(tmp_path):
    for name in (
        "core/citycard/keys/vault.py",
        "core/citycard/keys/__init__.py",
        "plugins/zoo/citycard_zoo/gate.py",
        "tests/core/keys/test_vault.py",
        "tests/core/keys/test_safe.py",
        "tests/core/keys/test_vectors.py",
        "tests/core/nowhere/test_vectors.py",
        "tests/zoo/test_gate.py",
        "tests/zoo/test_lion.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_stray_test_file_is_found(small):
    assert strays(small) == [
        "tests/core/keys/test_safe.py",
        "tests/core/nowhere/test_vectors.py",
        "tests/zoo/test_lion.py",
    ]
