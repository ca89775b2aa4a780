"""What is public is listed, sorted and explained; what is an error is raised somewhere."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def sources() -> Iterator[tuple[Path, str]]:
    """Yield the files of the core and of every plugin, without migrations, which are run and not imported."""
    packages = [ROOT / "core" / "citycard", *sorted((ROOT / "plugins").glob("*/citycard_*"))]
    for package in packages:
        for path in sorted(package.rglob("*.py")):
            if "migrations" not in path.parts:
                yield path, path.read_text()


def said(path: Path) -> str:
    return str(path.relative_to(ROOT))


def listed(tree: ast.Module) -> list[str] | None:
    """Return ``__all__`` as written, or None; an ``__all__`` that is computed counts as empty."""
    for node in tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(ast.unparse(target) == "__all__" for target in targets):
                literal = isinstance(node.value, (ast.List, ast.Tuple))
                return [str(ast.literal_eval(one)) for one in node.value.elts] if literal else []
    return None


def definitions(tree: ast.Module) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name: node for node in tree.body if isinstance(node, kinds)}


def without_list(text: str) -> bool:
    """Say whether a module defines public names and has no ``__all__``."""
    tree = ast.parse(text)
    return listed(tree) is None and any(not name.startswith("_") for name in definitions(tree))


def unexplained(text: str) -> list[str]:
    """Return the public classes and functions without a docstring."""
    tree = ast.parse(text)
    known = definitions(tree)
    return [name for name in listed(tree) or [] if name in known and not ast.get_docstring(known[name])]


def order(name: str) -> tuple[int, list[tuple[int, int | str]]]:
    """Sort as the linter does: CONSTANTS, Classes, the rest; numbers by value."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    parts = [(0, int(part)) if part.isdigit() else (1, part) for part in re.findall(r"\d+|\D+", name)]
    return kind, parts


def error_modules(package: Path) -> list[Path]:
    """Return the modules in which a package's errors stand: one file, or a folder with one per area."""
    folder = package / "errors"
    return sorted(folder.glob("[a-z]*.py")) if folder.is_dir() else [package / "errors.py"]


def unused(errors: str, others: str) -> list[str]:
    """Return the classes of an errors module that no other code names and no other error builds on."""
    tree = ast.parse(errors)
    bases = {ast.unparse(base) for node in definitions(tree).values() for base in getattr(node, "bases", [])}
    named = {node.id for node in ast.walk(ast.parse(others)) if isinstance(node, ast.Name)}
    named |= {node.attr for node in ast.walk(ast.parse(others)) if isinstance(node, ast.Attribute)}
    return [
        name
        for name, node in definitions(tree).items()
        if isinstance(node, ast.ClassDef) and name not in named | bases
    ]


def test_every_package_says_what_it_is():
    found = [
        said(path)
        for path, text in sources()
        if path.name == "__init__.py" and not ast.get_docstring(ast.parse(text))
    ]
    assert found == []


def test_every_module_says_what_it_is():
    assert [said(path) for path, text in sources() if not ast.get_docstring(ast.parse(text))] == []


def test_every_module_lists_its_public_names():
    # A plugin's plugin.py holds its hooks, which the kernel finds by their marks.
    found = [said(path) for path, text in sources() if path.name != "plugin.py" and without_list(text)]
    assert found == []


def test_every_public_name_is_explained():
    assert [f"{said(path)}: {name}" for path, text in sources() for name in unexplained(text)] == []


def test_every_list_of_public_names_is_sorted():
    lists = [(said(path), listed(ast.parse(text)) or []) for path, text in sources()]
    assert [where for where, names in lists if names != sorted(names, key=order)] == []


@pytest.mark.parametrize(
    "package", ["core/citycard", *(said(path) for path in sorted((ROOT / "plugins").glob("*/citycard_*")))]
)
def test_every_error_is_raised_or_caught_somewhere(package):
    modules = error_modules(ROOT / package)
    others = "\n".join(
        re.sub(r"^from __future__.*$", "", text, flags=re.MULTILINE)
        for path, text in sources()
        if path not in modules
    )
    assert (
        unused(
            "\n".join(re.sub(r"^from .*$", "", one.read_text(), flags=re.MULTILINE) for one in modules),
            others,
        )
        == []
    )


def test_every_error_is_explained_and_says_its_fields():
    for path, text in sources():
        if path.name == "errors.py" or path.parent.name == "errors":
            nodes = definitions(ast.parse(text)).values()
            assert [f"{said(path)}: {node.name}" for node in nodes if not ast.get_docstring(node)] == []


# ── the checks themselves, on small bad samples ──


def test_a_module_without_a_list_is_found():
    assert [
        without_list(text) for text in ("def f(): ...", "__all__ = ['f']\ndef f(): ...", "def _f(): ...")
    ] == [True, False, False]


def test_a_public_name_without_a_docstring_is_found():
    text = "__all__ = ['A', 'b', 'c']\nclass A: ...\ndef b(): 'Say b.'\nasync def c(): ...\ndef d(): ..."
    assert unexplained(text) == ["A", "c"]


def test_an_unsorted_list_is_found():
    names = ["AES", "TTI_LOAD", "Vault", "mac8", "mac16", "tdes"]
    assert names == sorted({*names}, key=order)
    assert sorted(["a", "B"], key=order) != ["a", "B"]


def test_an_unused_error_is_found_even_when_it_is_imported():
    errors = "class Base(Exception): ...\nclass A(Base): ...\nclass B(Base): ...\nclass C(Base): ..."
    assert unused(errors, "from errors import A\nraise B\ntry: ...\nexcept errors.C: ...") == ["A"]


def test_every_public_name_of_a_package_that_imports_late_is_there():
    """A name that is imported when it is used is in three lists of its package, which must agree."""
    packages = sorted((ROOT / "core" / "citycard").glob("*/__init__.py"))
    late = [f"citycard.{path.parent.name}" for path in packages if "def __getattr__" in path.read_text()]
    modules = [importlib.import_module(name) for name in ("citycard", *late)]
    assert [
        f"{one.__name__}.{name}" for one in modules for name in one.__all__ if not hasattr(one, name)
    ] == []
