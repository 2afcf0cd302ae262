"""The parameters of columns, embeddings and interactions."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

from sklearn.base import BaseEstimator

from sk_mtl._sklearn_compat import HasMethods, Interval, StrOptions
from sk_mtl.estimators._choices._interactions import Interaction
from sk_mtl.estimators._choices._numeric_embedding import NumericEmbedding
from sk_mtl.estimators._constraints import COUNT, SHARE
from sk_mtl.estimators._keyword_parameters import KeywordParameters

SEQUENCE_POOLINGS = ("mean", "max", "sum", "attention", "target_attention")


@dataclass(kw_only=True, eq=False, repr=False)
class FeatureParameters(KeywordParameters):
    """Parameters of columns, embeddings and interactions.

    Parameters
    ----------
    preprocessor : transformer, default=None
        Turns columns into codes and numbers: a
        :class:`~sklearn.compose.ColumnTransformer`, or another transformer. It is
        cloned and fitted on the training part only, before the early-stopping rows
        are transformed. None takes
        :func:`~sk_mtl.preprocessing.make_tabular_preprocessor`: numbers are imputed
        and scaled, everything else is coded. It warns about columns that need attention
        (:class:`~sk_mtl.exceptions.ColumnWarning`). Of more than 200 numbers in 500 to
        10,000 training rows, those that tell nothing about a label by themselves are
        left out then, with a warning, unless another parameter names them.

    target_for_preprocessor : str or None, default=None
        The task whose labels go to the steps of `preprocessor` that learn from labels,
        such as :class:`~sklearn.preprocessing.TargetEncoder` or
        :class:`~sklearn.feature_selection.SelectKBest`. They are fitted on the rows of
        the training part that have a label of this task, all other steps on every row.
        None takes the first task, and passes labels only to steps that need them.

    categorical_features : array-like, "from_dtype" or None, default=None
        Columns that hold categories or the integer codes of an earlier encoder: names,
        positions, a boolean mask, or ``"from_dtype"`` for the columns of dtype
        ``category``. Codes are kept exactly; -1 and NaN mean unknown. None takes
        every column that is not numeric, and whole numbers whose name ends in a word
        for identifiers (``user_id``). Identifiers that are new in more than half of the
        rows are left out then, with a warning, unless another parameter, such as
        `shared_embedding` or `feature_groups`, names them. Not allowed together with
        `preprocessor`.

    embedding_dim : int, {"auto", "cardinality"} or dict, default="auto"
        Width of the embedding of each categorical column. Wider embeddings distinguish
        more categories and cost memory, time and, with few rows, accuracy. ``"auto"``
        is 8, or 16 with a large vocabulary, such as of users or items: a column of more
        than 100 categories with at least 5 training rows each on average, in a table
        of at least 5,000 rows. ``"cardinality"`` takes the smallest of 2, 4, 8, 16, 32
        that is at least the cube root of the number of categories. A dict maps columns
        to any of these; columns left out get ``"cardinality"``, or the width of the
        columns that they share an embedding with.

    embedding_dropout : float, default=0.0
        Share of embedding entries that are zeroed in training, in [0, 1). Larger shares
        regularise rare categories more; too large ones underfit.

    embedding_l2 : float or "auto", default="auto"
        L2 penalty of the rows of embedding tables, of categories and of bins of
        numbers, >= 0. Its gradient, `embedding_l2` times the row, joins the gradient of
        the losses, with any `optimizer`. Adam and AdamW divide steps by the size of
        gradients: rows of rare categories then return to zero, which means "unknown",
        rather than learn their few labels by heart, and rows of frequent ones hardly
        change. Larger values pull more rows to zero; 1e-4 to 3e-4 suit logs of users
        and items. It is in addition to `weight_decay`, which AdamW decouples from the
        gradients. In tables with sparse gradients (`sparse_embedding`) only the rows of
        a batch are penalised, which is no gain on such logs. ``"auto"`` is 1e-3 with
        one large vocabulary (`embedding_dim`), 1e-4 with several, else 0.

    unknown_rate : float, default=0.01
        Share of codes that are replaced by "unknown" in training, in [0, 1), so that a
        category never seen before reads a trained row. Larger shares train that row
        more and blur the known ones; 0 leaves it untrained.

    feature_groups : dict or None, default=None
        Fields such as ``{"user": [...], "item": [...]}``: names or positions (integers
        are always positions) of columns of `X`. Columns not named form one more field.
        Numbers follow the fields, named or not; their embeddings (`numeric_embedding`)
        belong to the field. None makes one field of all columns.
        Fields matter only with a `group_pooling` other than ``"concat"``.

    group_pooling : {"concat", "sum", "mean"}, default="concat"
        Pooling of the embeddings inside a field. ``"sum"`` and ``"mean"`` pool them
        element by element into one vector per field, as in the figure of the ESMM
        paper: a small input, in which columns are not distinguished, and which needs
        equal widths inside a field. ``"concat"`` keeps them side by side.

    sequence_pooling : str or dict, default="mean"
        Pooling of the items of a sequence into one vector: ``"mean"``, ``"max"``,
        ``"sum"``, ``"attention"`` (weights from a learned query) or
        ``"target_attention"`` (weights from comparing each item with the one of
        `sequence_target`, as in the Deep Interest Network: most expensive, and best
        where the answer depends on whether the item shown is like an earlier one). A
        dict maps columns to poolings; columns left out get ``"mean"``.

    sequence_target : dict or None, default=None
        For ``"target_attention"``, the column of categories that a sequence is compared
        with, such as ``{"history": "item_id"}``. Both must share an embedding
        (`shared_embedding`). Ignored by the other poolings.

    shared_embedding : list of lists or None, default=None
        Columns, by name or position, that share one vocabulary and one embedding table,
        such as ``[["item_id", "history"]]``: an item learnt in one of them is known in
        the others, even if they never held it. An item that is rare in one of them
        stays rare there.

    sparse_embedding : bool or "auto", default="auto"
        Whether embedding tables are trained by sparse gradients, so that the cost of a
        step depends on the rows of its batch and not on the size of the table. It adds
        :class:`torch.optim.SparseAdam` to any `optimizer`, at the same `lr` and without
        `weight_decay`. ``"auto"`` applies to tables of more than 4,000,000 numbers,
        which is 500,000 rows at a width of 8. At an `lr` large enough for SGD, such
        tables diverge.

    numeric_embedding : str, NumericEmbedding, callable, list or None, default="auto"
        Embeddings of the numeric columns, in addition to the numbers themselves.
        ``"auto"`` is ``["ple", "bins"]`` with up to 100,000 training rows, and
        ``"bins"``, which are faster, with more. ``"bins"``: a learned vector for each
        quantile bin; learns steps and peaks. ``"ple"``: piecewise-linear in the same
        bins; learns bends. ``"periodic"``: sines of learned frequencies. An object has
        settings: ``Bins(32, width=4)``, ``PiecewiseLinear(16)``,
        ``Periodic(frequency_scale=0.1)``. A callable makes a module of your own:
        ``(values, width) -> torch.nn.Module`` gets the numeric columns of the training
        rows, scaled and imputed, without the indicators of missing numbers, as a tensor
        (n_samples, n_numbers), and the width (`embedding_dim` where that is one number,
        else 8); the module takes (n, n_numbers) to (n, n_numbers, width). A list such
        as ``["bins", "ple"]`` takes several. None takes the numbers alone.

    interaction : {"auto", "cross", "fm", "senet"}, Interaction or None, default="auto"
        Products of features before the first layer. ``"auto"`` is ``"cross"``, a
        low-rank cross layer
        (DCN-v2) over the whole input, which learns joint effects of two columns.
        ``"fm"``: a factorisation machine, the sum of the inner products of all pairs of
        embeddings, added to each logit with a separate weight. ``"senet"``: squeeze
        and excitation, weights per embedding that depend on the row. ``"fm"`` and
        ``"senet"`` need equal widths. An object has settings, ``Cross(rank=64)`` or
        ``SENet(reduction=2)``, or is of a class of your own (`Interaction`). None adds
        no interactions and is fastest.

    wide : bool, default=False
        Whether a linear term per category is added to each logit (Wide & Deep). It
        memorises the rate of a category, where embeddings generalise.
    """

    _parameter_constraints: ClassVar[dict] = {
        "preprocessor": [HasMethods(["fit_transform", "transform"]), None],
        "target_for_preprocessor": "no_validation",  # Any name of a task.
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), None],
        "embedding_dim": [*COUNT, StrOptions({"auto", "cardinality"}), dict],
        "embedding_dropout": SHARE,
        "embedding_l2": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "unknown_rate": SHARE,
        "feature_groups": [dict, None],
        "group_pooling": [StrOptions({"concat", "sum", "mean"})],
        "sequence_pooling": [StrOptions(set(SEQUENCE_POOLINGS)), dict],
        "sequence_target": [dict, None],
        "shared_embedding": [list, tuple, None],
        "sparse_embedding": ["boolean", StrOptions({"auto"})],
        # `resolve_choice` raises an error that names the choices.
        "numeric_embedding": "no_validation",
        "interaction": "no_validation",
        "wide": ["boolean"],
    }

    preprocessor: BaseEstimator | None = None
    target_for_preprocessor: Hashable | None = None
    categorical_features: Sequence | str | None = None
    embedding_dim: int | str | Mapping[str, int | str] = "auto"
    embedding_dropout: float = 0.0
    embedding_l2: float | str = "auto"
    unknown_rate: float = 0.01
    feature_groups: Mapping[str, Sequence] | None = None
    group_pooling: str = "concat"
    sequence_pooling: str | Mapping[str, str] = "mean"
    sequence_target: Mapping[str, str] | None = None
    shared_embedding: Sequence[Sequence[str]] | None = None
    sparse_embedding: bool | str = "auto"
    numeric_embedding: str | NumericEmbedding | Callable | Sequence | None = "auto"
    interaction: str | Interaction | None = "auto"
    wide: bool = False
