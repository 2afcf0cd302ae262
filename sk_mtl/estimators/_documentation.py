"""The docstring and the signature of an estimator, put together from its bases."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

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
        The text between it and the first section.

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

    def set_entries(self, title: str, entries: dict[str, str]) -> None:
        """Make a section of entries, unless there are none."""
        if entries:
            self.sections[title] = "\n\n".join(entries.values())

    def render(self) -> str:
        """Return the whole text."""
        ordered = sorted(self.sections, key=_TITLES.index)
        sections = (
            f"{title}\n{'-' * len(title)}\n{self.sections[title]}" for title in ordered
        )
        parts = [self.summary, self.text, *sections]
        return "\n\n".join(part for part in parts if part) + "\n"


def share_documentation(cls: type) -> type:
    """Complete a class's docstring from its bases' docstrings; a class decorator.

    The signature of its own constructor follows the order of the docstring: the
    parameters of the class first, then the parameters of its bases, nearest first.

    Entries of the sections "Parameters" and "Attributes" are appended, from the nearest
    base first, unless the class has an entry of that name. A base with its own
    attribute `_teaches` also contributes its text, which follows the class's text, and
    the sections that the class does not have, unless the class itself has `_teaches`.
    Bases of other packages contribute nothing.
    """
    # A user's own class may also derive from bases in the user's package.
    packages = {each.partition(".")[0] for each in (__name__, cls.__module__)}
    bases = [
        base
        for base in cls.__mro__[1:]
        if base.__module__.partition(".")[0] in packages
    ]
    doc = Docstring.of(cls)
    parameters = doc.entries("Parameters")
    for title, entries in (
        ("Parameters", parameters),
        ("Attributes", doc.entries("Attributes")),
    ):
        for base in bases:
            for name, entry in _base_entries(base, title).items():
                entries.setdefault(name, entry)
        doc.set_entries(title, entries)
    if "_teaches" not in vars(cls):
        for base in bases:
            if "_teaches" in vars(base):
                other = _base_docstring(base)
                doc.text = "\n\n".join(part for part in (doc.text, other.text) if part)
                doc.sections = {**other.sections, **doc.sections}
    cls.__doc__ = doc.render()
    if "__init__" in vars(cls):
        _order_signature(cls, list(parameters))
    return cls


@cache
def _base_docstring(base: type) -> Docstring:
    """Return the docstring of a class that is complete."""
    return Docstring.of(base)


@cache
def _base_entries(base: type, title: str) -> dict[str, str]:
    """Return the entries of a section of a class that is complete."""
    return _base_docstring(base).entries(title)


def _order_signature(cls: type, documented: list[str]) -> None:
    """Show the parameters of a constructor in this order, with evaluated types.

    Undocumented ones come first. A dataclass takes all of them by name, so the order
    affects only what is shown.
    """
    types = {k: v for base in cls.__mro__[::-1] for k, v in _field_types(base).items()}
    written = cls.__init__.__annotations__
    written |= {name: types.get(name, kind) for name, kind in written.items()}
    signature = inspect.signature(cls.__init__)
    place = {name: k for k, name in enumerate(documented, 1)}
    shown = sorted(
        signature.parameters.values(),
        key=lambda each: (each.kind, place.get(each.name, 0)),
    )
    cls.__init__.__signature__ = signature.replace(parameters=shown)


@cache
def _field_types(cls: type) -> dict[str, Any]:
    """Return the types of the fields that a class itself declares."""
    try:
        return inspect.get_annotations(cls, eval_str=True)
    except NameError:
        # The class is defined in a function, so its names cannot be resolved.
        return inspect.get_annotations(cls)
