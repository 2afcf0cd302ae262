"""The time that a fit takes, and its limit."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from numbers import Real


@dataclass(frozen=True)
class FitClock:
    """The clock of a fit, which starts when it is made.

    Attributes
    ----------
    limit : float or None
        Seconds after which training stops; None for no limit.

    start : float
        The time of the start, in seconds of an unspecified origin.
    """

    limit: float | None = None
    start: float = field(default_factory=time.perf_counter)

    @classmethod
    def begin(cls, time_limit) -> FitClock:
        """Return the clock of a fit that starts now; raise for a wrong limit."""
        is_number = isinstance(time_limit, Real) and not isinstance(time_limit, bool)
        if time_limit is not None and not (is_number and time_limit > 0):
            raise ValueError(
                "time_limit must be a number of seconds above 0, or None for no limit; "
                f"found {time_limit!r}. Give for instance 60."
            )
        return cls(time_limit)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.start

    @property
    def is_over(self) -> bool:
        """True from the time of the limit on."""
        return self.limit is not None and self.seconds >= self.limit
