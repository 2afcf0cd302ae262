"""Constraints that many parameters share."""

from numbers import Integral, Real

from sk_mtl._sklearn_compat import Interval, StrOptions

# Numbers from 0 up to, but below, 1.
SHARE = [Interval(Real, 0, 1, closed="left")]
COUNT = [Interval(Integral, 1, None, closed="left")]
# Widths of layers; a single one may stand alone. The entries of an array-like are
# checked where the layers are made.
LAYER_SIZES = [*COUNT, "array-like"]
# Chosen by the data.
AUTO = StrOptions({"auto"})
