"""The pages hang together: every page is in the index, links lead somewhere, every hook is explained."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def pages() -> list[Path]:
    top = [path for path in ROOT.glob("*.md") if path.is_file()]
    readmes = [
        *ROOT.glob("core/README.md"),
        *ROOT.glob("plugins/*/README.md"),
        *ROOT.glob("examples/**/*.md"),
    ]
    return sorted([*top, *readmes, *DOCS.rglob("*.md")])


def links(text: str) -> Iterator[str]:
    yield from LINK.findall(CODE.sub("", text))


def anchors(text: str) -> set[str]:
    """Return the anchors that a page's headings get."""
    titles = re.findall(r"^#+ +(.*?) *$", CODE.sub(lambda found: found[0].strip("`"), text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken(page: Path, text: str) -> list[str]:
    """Return the links of a page that lead to no file, or to no heading of it."""
    found = []
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (
            anchor and anchor not in anchors(text if target == page else target.read_text())
        ):
            found.append(link)
    return found


def squeezed(text: str) -> str:
    """Leave out what may differ between two ways of writing one signature."""
    return re.sub(r"\s", "", text).replace(",)", ")")


def hooks(source: str) -> dict[str, str]:
    """Return the signature of every hook specification by its name."""
    found = {}
    for node in ast.parse(source).body:
        marks = {ast.unparse(mark).partition("(")[0] for mark in getattr(node, "decorator_list", [])}
        if isinstance(node, ast.FunctionDef) and "hookspec" in marks:
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            found[node.name] = f"{node.name}({ast.unparse(node.args)}){returns}"
    return found


def undocumented(source: str, page: str) -> list[str]:
    """Return the hooks whose exact signature the page does not show."""
    text = squeezed(page)
    return [signature for signature in hooks(source).values() if squeezed(signature) not in text]


def unknown(source: str, page: str) -> set[str]:
    """Return the hooks that the page mentions and the code does not have."""
    return set(re.findall(r"\b(citycard_[a-z_]+)\(", page)) - hooks(source).keys()


HOOKS = (ROOT / "core" / "citycard" / "kernel" / "hookspecs.py").read_text()


def test_every_page_is_in_the_index():
    index = (DOCS / "README.md").read_text()
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in links(index)}
    below = {path.resolve() for path in DOCS.glob("*.md")} | {(DOCS / "decisions" / "README.md").resolve()}
    assert sorted(below - linked - {(DOCS / "README.md").resolve()}) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    assert broken(page, page.read_text()) == []


def test_every_hook_is_documented_with_its_exact_signature():
    assert undocumented(HOOKS, (DOCS / "plugins.md").read_text()) == []


def test_no_hook_is_documented_that_does_not_exist():
    assert unknown(HOOKS, (DOCS / "plugins.md").read_text()) == set()


def test_every_hook_is_tested():
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("*.py"))
    assert [name for name in hooks(HOOKS) if f"{name}(" not in tests] == []


# ── the checks themselves, on small bad samples ──

SPEC = """
@hookspec
def citycard_sectors(context: Context, at: int = 0) -> Iterable[Sector]: ...

@hookspec(firstresult=True)
def citycard_plugin() -> Info | None: ...

def helper(): ...
"""


def test_a_hook_with_another_signature_is_found():
    good = (
        "citycard_sectors(\n    context: Context, at: int=0,\n) -> Iterable[Sector]\n\n"
        "citycard_plugin() -> Info | None"
    )
    assert undocumented(SPEC, good) == []
    assert undocumented(SPEC, good.replace("Info | None", "Info")) == ["citycard_plugin() -> Info | None"]
    assert len(undocumented(SPEC, good.replace("at: int=0", "at: int"))) == 1


def test_a_hook_that_is_gone_is_found():
    assert unknown(SPEC, "def citycard_menu():\ncitycard_plugin() citycard_zoo.plugin") == {"citycard_menu"}


def test_a_broken_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    text = (
        "# The `key` of it\n[a](#the-key-of-it) [b](#gone) [c](gone.md) [d](https://x.org) `[e](gone.md)`\n"
    )
    page.write_text(text)
    assert broken(page, text) == ["#gone", "gone.md"]
