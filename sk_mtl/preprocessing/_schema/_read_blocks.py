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
from sk_mtl.preprocessing._schema._incoming import Incoming
from sk_mtl.preprocessing._schema._opaque_codes import (
    encoder_names,
    fitted_encoders,
    read_columns,
    warn_of_whole_numbers,
)
from sk_mtl.preprocessing._schema._output_columns import (
    as_slice,
    as_table,
    take_columns,
)
from sk_mtl.preprocessing._schema._output_names import (
    names_behind,
    output_names,
    real_steps,
    step_slices,
    without_steps,
)
from sk_mtl.preprocessing._schema._sequence_block import sequence_blocks
from sk_mtl.preprocessing._schema._traced_blocks import (
    traced_blocks,
    warn_of_changed_codes,
)
from sk_mtl.preprocessing._tables._column_kinds import column_kinds


def read_named_blocks(preprocessor, Z, X=None):
    """Return blocks of a preprocessor's output, and the names of all its columns.

    The names come from the output itself or from `get_feature_names_out`; a column
    whose name is not known is called by its position, `x0`, `x1` and so on. The name of
    a step in front (`cat__town`) is dropped if the names stay different without it.

    Parameters
    ----------
    preprocessor : fitted transformer, "passthrough" or None
    Z : array, sparse matrix or data frame of shape (n_samples, n_outputs)
        The transformed training rows.
    X : data frame or array of shape (n_samples, n_features), default=None
        The training rows. Without them, codes behind another step are numbers.

    Returns
    -------
    blocks : list of NumericBlock, CodeBlock, LabelBlock and SequenceBlock
    names : list of str
    """
    return _read_named(preprocessor, Z, None if X is None else Incoming.of_raw(X))


def _read_named(preprocessor, Z, incoming):
    names = output_names(preprocessor, Z, incoming)
    short = without_steps(preprocessor, names)
    if len(set(short)) < len(short):
        short = names
    blocks = read_blocks(preprocessor, Z, short, incoming=incoming)
    if short != names and _repeated_sequence(blocks) is not None:
        blocks = read_blocks(preprocessor, Z, names, incoming=incoming)
        short = names
    _rename_repeated(blocks, short)
    repeated = _repeated_sequence(blocks)
    if repeated is not None:
        raise ValueError(
            f"Features must have different names; found {repeated!r} for a sequence "
            "and for another column. Rename one of them, or let the ColumnTransformer "
            "put the names of its steps in front (verbose_feature_names_out=True)."
        )
    return blocks, short


def _rename_repeated(blocks, names):
    """Give columns traced to one name twice the names of the output again."""
    counts = Counter(name for block in blocks for name in block.names)
    for block in blocks:
        if block.kind != "sequence" and any(counts[name] > 1 for name in block.names):
            block.names = [names[position] for position in block.positions]


def _repeated_sequence(blocks):
    """Return the name of a sequence that another feature has, too, or None."""
    counts = Counter(name for block in blocks for name in block.names)
    sequences = [block.names[0] for block in blocks if block.kind == "sequence"]
    return next((name for name in sequences if counts[name] > 1), None)


def read_blocks(transformer, Z, names, start=0, stop=None, incoming=None):
    """Return blocks of the output columns that a fitted transformer wrote.

    Parameters
    ----------
    transformer : fitted transformer, "passthrough" or None
        A ColumnTransformer and a FeatureUnion are read step by step, and of a Pipeline
        the last step, behind which codes of the steps before are looked for.
    Z : array, sparse matrix or data frame of shape (n_samples, n_outputs)
        The transformed training rows.
    names : list of str
        Names of all columns of Z.
    start, stop : int, default=0, None
        Columns of Z that the transformer wrote.
    incoming : Incoming, default=None
        What the transformer was fitted on; None where that is not known.

    Returns
    -------
    blocks : list of NumericBlock, CodeBlock, LabelBlock and SequenceBlock
    """
    while isinstance(transformer, Pipeline):
        *earlier, transformer = [*real_steps(transformer)] or ["passthrough"]
        for step in earlier:
            incoming = incoming and _behind(step, incoming)
    if isinstance(transformer, ColumnTransformer | FeatureUnion):
        blocks = []
        for name, step, where in step_slices(transformer):
            own = _incoming_of_step(transformer, name, incoming)
            first, last = start + where.start, start + where.stop
            blocks += read_blocks(step, Z, names, first, last, own)
        return blocks
    positions = np.arange(Z.shape[1])[start:stop]
    names = names[start:stop]
    if isinstance(transformer, CategoryEncoder | HashingEncoder | OrdinalEncoder):
        return [CodeBlock.of(transformer, positions, names)]
    if isinstance(transformer, SequenceEncoder):
        return sequence_blocks(transformer, positions, names)
    traced = _codes_within(transformer, Z, positions, names, incoming)
    if traced:
        return traced + _rest(traced, Z, positions, names)
    sources = getattr(transformer, "output_sources", None)
    if sources is not None:
        return [NumericBlock(positions, names, sources())]
    return _blocks_by_content(Z, positions, names)


def _behind(step, incoming):
    """Return the columns that the step behind another one was fitted on."""

    def make_table():
        table = step.transform(incoming.table)
        return table if hasattr(table, "shape") else np.asarray(table)

    def make_names():
        if is_frame(behind.table):
            return list(behind.table.columns)
        return names_behind(step, incoming)

    def make_blocks():
        return _read_named(step, as_table(behind.table), incoming)[0]

    has_codes = incoming.may_hold_codes or bool(fitted_encoders(step))
    behind = Incoming(
        make_table, make_names, make_blocks if has_codes else None, incoming.head
    )
    return behind


def _incoming_of_step(transformer, name, incoming):
    """Return what a step of a ColumnTransformer or FeatureUnion was fitted on."""
    if incoming is None or isinstance(transformer, FeatureUnion):
        return incoming
    columns = {name: columns for name, _, columns in transformer.transformers_}
    return incoming.select(columns[name])


def _codes_within(transformer, Z, positions, names, incoming):
    """Return blocks of the columns that hold codes of another step unchanged."""
    if incoming is None:
        return []
    columns = take_columns(Z, as_slice(positions))
    if incoming.blocks:
        blocks = traced_blocks(transformer, columns, incoming)
    elif hasattr(transformer, "output_sources"):
        return []
    else:
        blocks = _codes_of_inner_encoders(transformer, columns, names, incoming)
    for block in blocks:
        if block.kind != "sequence":
            block.names = [
                _shorter(names[k], short, f"x{positions[k]}")
                for k, short in zip(block.positions, block.names)
            ]
        block.positions = positions[block.positions]
    return blocks


def _shorter(name, before, unknown):
    """Return the name before a step, unless the step named the column itself."""
    return before if name == unknown or name.endswith(f"__{before}") else name


def _codes_of_inner_encoders(transformer, columns, names, incoming):
    """Return blocks of the encoders that a transformer of an unknown kind holds."""
    encoders, blocks = fitted_encoders(transformer), []
    if not encoders:
        warn_of_whole_numbers(transformer, columns, names, incoming)
    for encoder in encoders:
        read = read_columns(encoder, incoming.table)
        if read is None:
            warn_of_changed_codes(type(transformer).__name__, encoder_names(encoder))
            continue
        written = encoder.transform(read)
        inner = [str(name) for name in encoder.get_feature_names_out()]
        position = {name: j for j, name in enumerate(inner)}
        told = np.array([position.get(name, -1) for name in names], dtype=int)
        wrapped = Incoming(
            lambda written=written: written,
            lambda inner=inner: inner,
            lambda encoder=encoder, written=written, inner=inner: read_blocks(
                encoder, as_table(written), inner
            ),
        )
        told = told if (told >= 0).any() else None
        blocks += traced_blocks(transformer, columns, wrapped, told, is_input=False)
    return blocks


def _rest(traced, Z, positions, names):
    """Return blocks of the columns that no traced block holds."""
    held = np.isin(positions, np.concatenate([block.positions for block in traced]))
    left = np.flatnonzero(~held)
    if len(left) == 0:
        return []
    return _blocks_by_content(Z, positions[left], [names[j] for j in left])


def _blocks_by_content(Z, positions, names):
    """Return a block of the columns of numbers, and one of the columns of labels."""
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
