"""Merges the text of shared parameters into the docstring of each estimator."""

from __future__ import annotations

import inspect
import re

_SECTION = re.compile(r"^(?P<title>[A-Z][\w ]+)\n-{3,}\n", re.MULTILINE)
_ENTRY = re.compile(r"^(?=\S)", re.MULTILINE)


def share_documentation(*sources: type):
    """Return a class decorator that adds entries which the class does not document.

    Parameters
    ----------
    *sources : classes
        Their "Parameters" and "Attributes" sections are appended to those of the
        decorated class, entry by entry, unless it has an entry of that name itself.
    """

    def decorate(cls: type) -> type:
        doc = inspect.cleandoc(cls.__doc__)
        for source in sources:
            other = inspect.cleandoc(source.__doc__)
            for title in ("Parameters", "Attributes"):
                doc = _append_entries(doc, title, entries(other, title))
        cls.__doc__ = doc
        return cls

    return decorate


def entries(doc: str, title: str) -> dict[str, str]:
    """Return the entries of a section of a numpydoc text, by their names."""
    found = _find_section(doc, title)
    if found is None:
        return {}
    body = doc[slice(*found)].strip("\n")
    blocks = [block.rstrip() for block in _ENTRY.split(body) if block.strip()]
    return {block.split(" :", 1)[0].strip(): block for block in blocks}


def _find_section(doc: str, title: str) -> tuple[int, int] | None:
    matches = list(_SECTION.finditer(doc))
    for match, following in zip(matches, [*matches[1:], None], strict=True):
        if match["title"] == title:
            return match.end(), following.start() if following else len(doc)
    return None


def _append_entries(doc: str, title: str, more: dict[str, str]) -> str:
    own = entries(doc, title)
    added = [block for name, block in more.items() if name not in own]
    if not added:
        return doc
    if not own:
        # The section is opened behind the parameters.
        at = _find_section(doc, "Parameters")[1]
        doc = f"{doc[:at]}{title}\n{'-' * len(title)}\n\n{doc[at:]}"
    start, stop = _find_section(doc, title)
    blocks = "\n".join([*own.values(), *added])
    return f"{doc[:start]}{blocks}\n\n{doc[stop:]}".rstrip() + "\n"
