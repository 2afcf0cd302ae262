"""The prose of the package: imperative first lines, noun phrases, no worn idioms."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sk_mtl"
FILES = sorted(PACKAGE.rglob("*.py"))

OPENERS = {"What", "Which", "Who", "Whose", "How", "Where", "Whether", "That", "When"}
# First words of functions that are no imperatives; an imperative has no article.
NOT_IMPERATIVE = {"The", "A", "An", "One", "Each", "All", "Some", "This", "These"}
# Nouns in the plural end in s, and so do these imperatives.
ENDING_IN_S = {"Pass", "Process", "Discuss", "Guess", "Assess", "Cross", "Express"}
IDIOMS = [
    r"\bthose of\b",
    r"\black(s|ed|ing)? ",
    r"\b(is|are|was|were|be) told\b",
    r"\bdearest\b|\bdearer\b",
    r"\bgo(es)? on\b",
    r"\blook(s)? back\b",
    r"\bnothing says\b|\bnobody\b|\bwhoever\b|\bwhatever its\b",
    r"\bmade up for\b",
    r"\b(tells?|told)( \w+)* apart\b|\bwants it\b|\bwarned of\b|\btold of\b",
    r"; (give|convert|write|use|set|drop|let|impute|transform|scale|call) ",
]


def documented(source: str) -> Iterator[tuple[ast.AST, str]]:
    """Yield each module, class and function with its docstring."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node, text


def wrong_first_lines(source: str) -> list[str]:
    found = []
    for node, text in documented(source):
        first = text.splitlines()[0]
        if first.split()[0].strip(",:") in OPENERS or _is_no_imperative(node, first):
            found.append(first)
    return found


def _is_no_imperative(node: ast.AST, first: str) -> bool:
    """Return whether a function's docstring starts with a noun phrase.

    Properties are named as what they are, and modules of torch by their shapes.
    """
    if not isinstance(node, ast.FunctionDef) or first.startswith(("(", "`")):
        return False
    if any("property" in ast.unparse(each) for each in node.decorator_list):
        return False
    word = first.split()[0].strip(",:")
    plural = word.endswith("s") and word not in ENDING_IN_S
    return word in NOT_IMPERATIVE or plural or not word.isalpha()


def prose(source: str) -> Iterator[str]:
    """Yield comments and texts, the lines of each joined."""
    comment: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comment.append(token.string.lstrip("#: "))
        elif token.type != tokenize.NL:
            yield " ".join(comment)
            comment = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield " ".join(node.value.split())


def idioms(source: str) -> list[str]:
    return [
        f"{match[0]!r} in {text[max(0, match.start() - 40) : match.end() + 40]!r}"
        for text in prose(source)
        for idiom in IDIOMS
        if (match := re.search(idiom, text))
    ]


@pytest.mark.parametrize("check", [wrong_first_lines, idioms])
def test_prose_is_plain(check):
    found = {
        str(path.relative_to(PACKAGE)): wrong
        for path in FILES
        if (wrong := check(path.read_text()))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        '"""What this module does."""',
        'class A:\n    """Whether it is."""',
        'def f():\n    """The mean of all."""',
        'def f():\n    """Values of all."""',
        'def f():\n    """`X` as an array."""\n\ndef g():\n    """Which one."""',
    ],
)
def test_wrong_first_lines_are_found(source):
    assert len(wrong_first_lines(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        '"""Plain words."""\nclass A:\n    """A role."""',
        'def f():\n    """Return the mean."""',
        'class A:\n    @property\n    def width(self):\n        """The width."""',
        'def forward():\n    """(n, d) -> (n,)."""',
    ],
)
def test_right_first_lines_pass(source):
    assert wrong_first_lines(source) == []


@pytest.mark.parametrize(
    "source",
    [
        "# The codes of one are those\n# of the other.",
        'def f():\n    """Return NaN where a label lacks a row."""',
        'raise ValueError("must hold numbers; found a text; convert the column")',
    ],
)
def test_idioms_are_found(source):
    assert len(idioms(source)) == 1


def test_check_covers_the_package():
    assert len(FILES) > 200
