"""What errors say in every language, as tests to inherit.

Pytest runs them for your distribution::

    import citycard_zoo
    from citycard.testing.errorwords import ErrorWordsContract

    class TestErrorWords(ErrorWordsContract):
        package = citycard_zoo

They read the source: the ``sentence`` of each class, the template of each ``Phrase``, and the words that an
error of the core or of the package is given as they are in a field of ``citycard.errors.WORDS``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from types import ModuleType
from typing import ClassVar

from citycard.errors import WORDS
from citycard.web.languages import CONTEXT, CORE_LOCALE, LANGUAGES, read_catalogue

__all__ = ["ErrorWordsContract", "errors_say"]

_SOURCE = "en"


class ErrorWordsContract:
    """The tests to inherit. ``package`` is the distribution's package.

    ``apart`` names the subpackages whose errors no page shows; of them only the sentences are translated.
    """

    package: ClassVar[ModuleType]
    apart: ClassVar[tuple[str, ...]] = ()

    def test_everything_that_errors_say_has_a_translation(self) -> None:
        """Each sentence, each phrase and each reason stands in a catalogue of the package or of the core."""
        said = self._said()
        assert said
        for code, known in self._catalogues():
            missing = {words: where for words, where in said.items() if words not in known}
            assert (code, missing) == (code, {})

    def test_a_translation_has_exactly_the_same_fields(self) -> None:
        """No datum is lost and none is invented, and each is written in the same way."""
        said = self._said()
        for code, known in self._catalogues():
            told = {words: known[words] for words in said if words in known}
            wrong = {words: text for words, text in told.items() if _fields(words) != _fields(text)}
            assert (code, wrong) == (code, {})

    def test_a_translation_is_not_the_english_words(self) -> None:
        """A sentence with words of its own is said in words of the other language."""
        for code, known in self._catalogues():
            same = [words for words in self._said() if known.get(words) == words and _has_words(words)]
            assert (code, same) == (code, [])

    def test_no_translation_is_left_of_words_that_are_gone(self) -> None:
        """Everything in ``errors.po`` is a text of the package's source."""
        for code in LANGUAGES:
            path = self._folder() / "locale" / code / "LC_MESSAGES" / "errors.po"
            messages = read_catalogue(path) if path.is_file() else {}
            pairs = [message.rpartition(CONTEXT) for message in messages]
            contexts, known = {context for context, _, _ in pairs if context}, {words for *_, words in pairs}
            written = _written(self._folder())
            strange = contexts - written - self._known(CORE_LOCALE, code).keys()
            assert (code, known - written, strange) == (code, set(), set())

    def _folder(self) -> Path:
        return Path(str(self.package.__file__)).parent

    def _said(self) -> Mapping[str, str]:
        return errors_say(self._folder(), self.apart)

    def _catalogues(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        for code in LANGUAGES:
            if code == _SOURCE:
                continue
            yield code, {**self._known(CORE_LOCALE, code), **self._known(self._folder() / "locale", code)}

    def _known(self, locale: Path, code: str) -> dict[str, str]:
        return {
            message: text
            for path in sorted(locale.glob(f"{code}/LC_MESSAGES/*.po"))
            for message, text in read_catalogue(path).items()
            if isinstance(text, str)
        }


def errors_say(folder: Path, apart: tuple[str, ...] = ()) -> dict[str, str]:
    """Find what errors say in the modules below a package's folder: the words, and where they stand."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        words = [*_sentences(tree)]
        if name.parts[0] not in apart:
            words += [*_phrases(tree), *_reasons(tree)]
        for line, text in words:
            found.setdefault(text, f"{name}:{line}")
    return found


def _sentences(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        for line in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(line, (ast.Assign, ast.AnnAssign)) and line.value is not None:
                targets = line.targets if isinstance(line, ast.Assign) else [line.target]
                if "sentence" in map(ast.unparse, targets):
                    yield line.lineno, str(ast.literal_eval(line.value))


def _phrases(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Phrase" and node.args:
            yield from ((node.lineno, text) for text in _texts(node.args[0]))


def _reasons(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Find the words that errors are given as they are, by themselves or through a function of the module."""
    errors = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and "errors" in (node.module or "").split(".")
        for alias in node.names
    }
    takers = dict(_takers(tree, errors))
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            # What a field of a query or a form is expected to be, in its metadata.
            keys = [ast.unparse(key) if key else "" for key in node.keys]
            words = [value for key, value in zip(keys, node.values, strict=True) if key == "'expected'"]
            yield from ((node.lineno, text) for value in words for text in _texts(value))
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func).rpartition(".")[2]
        given = [(keyword.arg or "", keyword.value) for keyword in node.keywords]
        if called in takers:
            given += zip(takers[called], node.args, strict=False)
        elif called not in errors:
            continue
        for name, value in given:
            if name in WORDS:
                yield from ((node.lineno, text) for text in _texts(value) if " " in text)


def _takers(tree: ast.Module, errors: set[str]) -> Iterator[tuple[str, list[str]]]:
    """Find the functions that hand words on to an error, and the names of their arguments."""
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
        names = names[1:] if names[:1] in (["self"], ["cls"]) else names
        takes = WORDS & {*names, *(argument.arg for argument in node.args.kwonlyargs)}
        handed = {
            ast.unparse(keyword.value)
            for call in ast.walk(node)
            if isinstance(call, ast.Call) and ast.unparse(call.func) in errors
            for keyword in call.keywords
            if keyword.arg in WORDS
        }
        if takes & handed:
            yield node.name, names


def _written(folder: Path) -> set[str]:
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py"))
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {node.value for node in nodes if isinstance(node.value, str)}


def _texts(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from (*_texts(value.body), *_texts(value.orelse))
    elif isinstance(value, ast.BoolOp):
        yield from (text for one in value.values for text in _texts(one))


def _fields(text: str) -> list[tuple[str, str, str]]:
    return sorted(
        (name, conversion or "", spec or "")
        for _, name, spec, conversion in Formatter().parse(text)
        if name is not None
    )


def _has_words(text: str) -> bool:
    return bool(re.search(r"[a-z]{2}", "".join(words for words, *_ in Formatter().parse(text))))
