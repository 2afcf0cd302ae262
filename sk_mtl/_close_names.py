"""The question that an error asks about a mistyped name."""

from collections.abc import Iterable
from difflib import SequenceMatcher

# Less alike is another name; less alike than the best is another meaning.
_LEAST = 0.6
_BEHIND_BEST = 0.1


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return "Did you mean 'a' or 'b'?", or nothing where no name is close.

    Capitals count as small letters: a class may be named after what is meant.
    """
    alike = {each: _likeness(name.lower(), each.lower()) for each in names}
    least = max(_LEAST, max(alike.values(), default=0) - _BEHIND_BEST)
    close = [each for each in alike if alike[each] >= least]
    close.sort(key=alike.get, reverse=True)
    return f"Did you mean {' or '.join(map(repr, close))}?" if close else ""


def _likeness(a: str, b: str) -> float:
    return SequenceMatcher(None, a, b).ratio()
