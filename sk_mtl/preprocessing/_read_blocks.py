"""Reading the blocks off a fitted preprocessor."""

import numpy as np
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import OrdinalEncoder

from sk_mtl.preprocessing._blocks import CodeBlock, LabelBlock, NumericBlock
from sk_mtl.preprocessing._category_encoder import CategoryEncoder
from sk_mtl.preprocessing._columns import as_pandas, column_kinds, is_frame


def feature_names(preprocessor, Z):
    """Names of the preprocessor's output columns.

    They come from the output itself or from `get_feature_names_out`; a column whose
    name is not known is called by its position, `x0`, `x1` and so on. The name of a
    step in front (`cat__town`) is dropped if the names stay different without it.
    """
    if is_frame(Z):
        names = [str(name) for name in Z.columns]
    else:
        known = _known_names(preprocessor, Z.shape[1])
        names = [f"x{j}" if name is None else str(name) for j, name in enumerate(known)]
    transformer = _last_step(preprocessor)
    short = list(names)
    if _puts_prefixes(transformer):
        for step, _, where in _parts(transformer):
            short[where] = [name.removeprefix(f"{step}__") for name in names[where]]
    return short if len(set(short)) == len(short) else names


def _known_names(transformer, n_outputs):
    """Names of a transformer's output columns, None where it does not know them."""
    try:
        names = list(transformer.get_feature_names_out())
    except (AttributeError, ValueError):
        names = []
    if len(names) == n_outputs:
        return names
    last = _last_step(transformer)
    if last is not transformer and hasattr(last, "feature_names_in_"):
        return _known_names(last, n_outputs)
    names = [None] * n_outputs
    if isinstance(last, ColumnTransformer):
        for name, step, where in _parts(last):
            if hasattr(step, "feature_names_in_"):
                prefix = f"{name}__" if _puts_prefixes(last) else ""
                inner = _known_names(step, where.stop - where.start)
                names[where] = [own and f"{prefix}{own}" for own in inner]
    return names


def _puts_prefixes(transformer):
    return getattr(transformer, "verbose_feature_names_out", None) is True


def take_columns(Z, where):
    """Columns of a transformer's output, as an array or a pandas data frame."""
    if sparse.issparse(Z):
        return Z.tocsc()[:, where].toarray()
    if isinstance(Z, np.ndarray):
        return Z[:, where]
    return as_pandas(Z).iloc[:, where]


def as_slice(positions):
    """The same positions as a slice, which copies nothing, where they are adjacent."""
    if len(positions) and np.all(np.diff(positions) == 1):
        return slice(int(positions[0]), int(positions[-1]) + 1)
    return np.asarray(positions)


def read_blocks(transformer, Z, names, start=0, stop=None):
    """Blocks of the output columns that a fitted transformer wrote.

    Parameters
    ----------
    transformer : fitted transformer, "passthrough" or None
        A ColumnTransformer and a FeatureUnion are read step by step, and of a Pipeline
        the last step.
    Z : array, sparse matrix or data frame of shape (n_samples, n_outputs)
        The transformed training rows.
    names : list of str
        Names of all columns of Z.
    start, stop : int, default=0, None
        Columns of Z that the transformer wrote.

    Returns
    -------
    blocks : list of NumericBlock, CodeBlock and LabelBlock
    """
    transformer = _last_step(transformer)
    if isinstance(transformer, ColumnTransformer | FeatureUnion):
        blocks = []
        for _, step, where in _parts(transformer):
            blocks += read_blocks(
                step, Z, names, start + where.start, start + where.stop
            )
        return blocks
    positions = np.arange(Z.shape[1])[start:stop]
    if isinstance(transformer, CategoryEncoder | OrdinalEncoder):
        return [CodeBlock.of(transformer, positions, names[start:stop])]
    return _blocks_by_content(Z, positions, names[start:stop])


def _last_step(transformer):
    """The transformer that wrote the output: of a pipeline, the last real step."""
    while isinstance(transformer, Pipeline):
        steps = [step for _, step in transformer.steps]
        written = [step for step in steps if step not in ("passthrough", None)]
        transformer = written[-1] if written else "passthrough"
    return transformer


def _parts(transformer):
    """Name, fitted step and output slice of the steps that wrote columns."""
    if isinstance(transformer, ColumnTransformer):
        slices = transformer.output_indices_
        parts = [
            (name, step, slices[name]) for name, step, _ in transformer.transformers_
        ]
        return [part for part in parts if part[2].stop > part[2].start]
    parts, start = [], 0
    for name, step in transformer.transformer_list:
        if step != "drop":
            n_outputs = (
                transformer.n_features_in_
                if step == "passthrough"
                else len(step.get_feature_names_out())
            )
            parts.append((name, step, slice(start, start + n_outputs)))
            start += n_outputs
    return parts


def _blocks_by_content(Z, positions, names):
    """One block of the columns that hold numbers, one of those that hold labels."""
    columns = take_columns(Z, positions)
    if isinstance(columns, np.ndarray) and columns.dtype.kind in "iufb":
        return [NumericBlock(positions, names)]
    frame = as_pandas(columns)
    kinds = column_kinds(frame)
    labels = [j for j, kind in enumerate(kinds) if kind == "category"]
    numbers = [j for j, kind in enumerate(kinds) if kind != "category"]
    blocks = []
    if numbers:
        blocks.append(NumericBlock(positions[numbers], [names[j] for j in numbers]))
    if labels:
        label_names = [names[j] for j in labels]
        blocks.append(LabelBlock(positions[labels], label_names, frame.iloc[:, labels]))
    return blocks
