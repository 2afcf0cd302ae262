"""Merges what the bases of an estimator document into its docstring."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass

_SECTION = re.compile(r"^([A-Z][\w ]+)\n-{3,}\n", re.MULTILINE)
_ENTRY = re.compile(r"^(?=\S)", re.MULTILINE)

# The order of numpydoc.
_TITLES = (
    *("Parameters", "Attributes", "Raises", "See Also", "Notes", "References"),
    "Examples",
)


@dataclass
class Docstring:
    """A numpydoc text in its parts.

    Attributes
    ----------
    summary : str
        The first line.

    text : str
        What stands between it and the first section.

    sections : dict of str to str
        The bodies of the sections by their titles.
    """

    summary: str
    text: str
    sections: dict[str, str]

    @classmethod
    def of(cls, documented: type) -> Docstring:
        """Return the docstring of a class."""
        head, *parts = _SECTION.split(inspect.cleandoc(documented.__doc__ or ""))
        summary, _, text = head.partition("\n")
        bodies = (body.strip("\n") for body in parts[1::2])
        sections = dict(zip(parts[::2], bodies, strict=True))
        return cls(summary.strip(), text.strip(), sections)

    def entries(self, title: str) -> dict[str, str]:
        """Return the entries of a section by their names."""
        blocks = _ENTRY.split(self.sections.get(title, ""))
        kept = (block.rstrip() for block in blocks if block.strip())
        return {block.split(" :", 1)[0].strip(): block for block in kept}

    def add_entries(self, title: str, more: dict[str, str]) -> None:
        """Append entries to a section, but those that it has already."""
        entries = {**more, **(own := self.entries(title))}
        ordered = [*own, *(name for name in more if name not in own)]
        if ordered:
            self.sections[title] = "\n\n".join(entries[name] for name in ordered)

    def render(self) -> str:
        """Return the whole text."""
        ordered = sorted(self.sections, key=_TITLES.index)
        sections = (
            f"{title}\n{'-' * len(title)}\n{self.sections[title]}" for title in ordered
        )
        parts = [self.summary, self.text, *sections]
        return "\n\n".join(part for part in parts if part) + "\n"


def share_documentation(cls: type) -> type:
    """Complete a class's docstring by those of its bases; a class decorator.

    Entries of the sections "Parameters" and "Attributes" are appended, those of the
    nearer base first, unless the class has an entry of that name. A base with an
    attribute `_teaches` of its own also gives its text, which follows the class's, and
    the sections that the class lacks. Bases of other packages give nothing.
    """
    # A class of the caller's own derives from bases in its own package, too.
    packages = {each.partition(".")[0] for each in (__name__, cls.__module__)}
    doc = Docstring.of(cls)
    for base in cls.__mro__[1:]:
        if base.__module__.partition(".")[0] not in packages:
            continue
        other = Docstring.of(base)
        for title in ("Parameters", "Attributes"):
            doc.add_entries(title, other.entries(title))
        if "_teaches" in vars(base):
            doc.text = "\n\n".join(part for part in (doc.text, other.text) if part)
            doc.sections = {**other.sections, **doc.sections}
    cls.__doc__ = doc.render()
    return cls
