"""Reading the blocks off a fitted preprocessor."""

from collections import Counter

import numpy as np
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import OrdinalEncoder

from sk_mtl._frames import as_pandas, is_frame
from sk_mtl.preprocessing._encoders._category_encoder import CategoryEncoder
from sk_mtl.preprocessing._encoders._hashing_encoder import HashingEncoder
from sk_mtl.preprocessing._encoders._sequence_encoder import SequenceEncoder
from sk_mtl.preprocessing._schema._blocks import CodeBlock, LabelBlock, NumericBlock
from sk_mtl.preprocessing._schema._sequence_block import sequence_blocks
from sk_mtl.preprocessing._schema._unjoined import UnjoinedColumns
from sk_mtl.preprocessing._tables._columns import column_kinds


def read_named_blocks(preprocessor, Z):
    """Blocks of a preprocessor's output, and the names of all of its columns.

    The names come from the output itself or from `get_feature_names_out`; a column
    whose name is not known is called by its position, `x0`, `x1` and so on. The name of
    a step in front (`cat__town`) is dropped if the names stay different without it.

    Parameters
    ----------
    preprocessor : fitted transformer, "passthrough" or None
    Z : array, sparse matrix or data frame of shape (n_samples, n_outputs)
        The transformed training rows.

    Returns
    -------
    blocks : list of NumericBlock, CodeBlock, LabelBlock and SequenceBlock
    names : list of str
    """
    names = _output_names(preprocessor, Z)
    short = _without_steps(preprocessor, names)
    if len(set(short)) < len(short):
        short = names
    blocks = read_blocks(preprocessor, Z, short)
    if short != names and _repeated_sequence(blocks) is not None:
        blocks, short = read_blocks(preprocessor, Z, names), names
    repeated = _repeated_sequence(blocks)
    if repeated is not None:
        raise ValueError(
            f"Features must have different names; found {repeated!r} for a sequence "
            "and for another column. Rename one of them, or let the ColumnTransformer "
            "put the names of its steps in front (verbose_feature_names_out=True)."
        )
    return blocks, short


def _output_names(preprocessor, Z):
    if is_frame(Z):
        return [str(name) for name in Z.columns]
    known = _known_names(preprocessor, Z.shape[1])
    return [f"x{j}" if name is None else str(name) for j, name in enumerate(known)]


def _without_steps(preprocessor, names):
    """Names without that of a step in front."""
    transformer = _last_step(preprocessor)
    short = list(names)
    if _puts_prefixes(transformer):
        for step, _, where in step_slices(transformer):
            short[where] = [name.removeprefix(f"{step}__") for name in names[where]]
    return short


def _repeated_sequence(blocks):
    """The name of a sequence that another feature has, too, or None."""
    counts = Counter(name for block in blocks for name in block.names)
    sequences = [block.names[0] for block in blocks if block.kind == "sequence"]
    return next((name for name in sequences if counts[name] > 1), None)


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
        for name, step, where in step_slices(last):
            if hasattr(step, "feature_names_in_"):
                prefix = f"{name}__" if _puts_prefixes(last) else ""
                inner = _known_names(step, where.stop - where.start)
                names[where] = [own and f"{prefix}{own}" for own in inner]
    return names


def _puts_prefixes(transformer):
    return getattr(transformer, "verbose_feature_names_out", None) is True


def as_table(Z):
    """A transformer's output in a form that columns are quickly taken of."""
    if sparse.issparse(Z):
        return Z.tocsc()
    return Z if isinstance(Z, np.ndarray | UnjoinedColumns) else as_pandas(Z)


def take_columns(Z, where):
    """Columns of a transformer's output, as an array or a pandas data frame."""
    if sparse.issparse(Z):
        return Z.tocsc()[:, where].toarray()
    if isinstance(Z, np.ndarray):
        return Z[:, where]
    if isinstance(Z, UnjoinedColumns):
        return Z.take(where)
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
    blocks : list of NumericBlock, CodeBlock, LabelBlock and SequenceBlock
    """
    transformer = _last_step(transformer)
    if isinstance(transformer, ColumnTransformer | FeatureUnion):
        blocks = []
        for _, step, where in step_slices(transformer):
            blocks += read_blocks(
                step, Z, names, start + where.start, start + where.stop
            )
        return blocks
    positions = np.arange(Z.shape[1])[start:stop]
    if isinstance(transformer, CategoryEncoder | HashingEncoder | OrdinalEncoder):
        return [CodeBlock.of(transformer, positions, names[start:stop])]
    if isinstance(transformer, SequenceEncoder):
        return sequence_blocks(transformer, positions, names[start:stop])
    sources = getattr(transformer, "output_sources", None)
    if sources is not None:
        return [NumericBlock(positions, names[start:stop], sources())]
    return _blocks_by_content(Z, positions, names[start:stop])


def _last_step(transformer):
    """The transformer that wrote the output: of a pipeline, the last real step."""
    while isinstance(transformer, Pipeline):
        transformer = ["passthrough", *real_steps(transformer)][-1]
    return transformer


def real_steps(pipeline):
    """The steps of a pipeline that do something."""
    steps = [step for _, step in pipeline.steps]
    return [step for step in steps if step not in ("passthrough", None)]


def step_slices(transformer):
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
    if sparse.issparse(Z):
        return [NumericBlock(positions, names)]
    columns = take_columns(Z, as_slice(positions))
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
