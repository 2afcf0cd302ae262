"""The column of the raw table that each output column was made of."""

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

from sk_mtl.preprocessing._schema._incoming import positions_of
from sk_mtl.preprocessing._schema._output_names import real_steps, step_slices

INDICATOR = "missingindicator_"


class ColumnSources:
    """Find the input column that an output column was made of.

    All outputs of a step that reads a single column are made of this one. The names
    show the others: `town` itself, `town_Oslo` and `missingindicator_town` are made of
    `town`, unless a longer name such as `town_Oslo` is a column of its own.

    Parameters
    ----------
    preprocessor : fitted transformer, "passthrough" or None
    output_names : list of str
        Names of its output columns, which its input has, too, where it has no names.

    Attributes
    ----------
    input_names : list of str
        Names of the columns of the raw table, `x0`, `x1` and so on without any.
    """

    def __init__(self, preprocessor, output_names):
        self.input_names = _input_names(preprocessor, output_names)
        inputs = np.array(self.input_names, dtype=object)
        where = slice(0, len(output_names))
        parts = _parts(preprocessor, where, inputs)
        self._parts = sorted(parts, key=lambda part: part[0].start)

    def group(self, blocks):
        """Return the names of the features made of each input column, in order.

        Parameters
        ----------
        blocks : list of block

        Returns
        -------
        made : dict of str to list of str
            Without the features whose source is unknown.
        """
        names = {
            position: name
            for block in blocks
            for position, name in zip(block.positions.tolist(), block.names)
        }
        made = {}
        for where, inputs in self._parts:
            known = set(inputs)
            for position in range(where.start, where.stop):
                if position in names:
                    name = names[position]
                    source = inputs[0] if len(inputs) == 1 else _by_name(name, known)
                    made.setdefault(source, []).append(name)
        made.pop(None, None)
        return made


def _input_names(preprocessor, output_names):
    while isinstance(preprocessor, Pipeline):
        preprocessor = [*real_steps(preprocessor), "passthrough"][0]
    names = getattr(preprocessor, "feature_names_in_", None)
    if names is not None:
        return [str(name) for name in names]
    n_inputs = getattr(preprocessor, "n_features_in_", None)
    if n_inputs is not None:
        return [f"x{j}" for j in range(n_inputs)]
    return list(output_names)


def _parts(transformer, where, inputs):
    """Yield slices of output columns, and the names of the input columns of each."""
    while isinstance(transformer, Pipeline) and len(real_steps(transformer)) == 1:
        transformer = real_steps(transformer)[0]
    if not isinstance(transformer, ColumnTransformer | FeatureUnion):
        yield where, inputs
        return
    columns = {}
    if isinstance(transformer, ColumnTransformer):
        columns = {name: columns for name, _, columns in transformer.transformers_}
    for name, step, part in step_slices(transformer):
        chosen = inputs[positions_of(columns[name], inputs)] if columns else inputs
        start = where.start
        yield from _parts(step, slice(start + part.start, start + part.stop), chosen)


def _by_name(name, inputs):
    """Return the longest of the input names that explains the name."""
    while name:
        stem = name.removeprefix(INDICATOR)
        for start in (name, stem):
            found = _longest_start(start, inputs)
            if found is not None:
                return found
        # What is left may begin with the name of a step.
        name = name.partition("__")[2]
    return None


def _longest_start(name, inputs):
    """Return the longest input name that is the name, or its start before `_`."""
    while name not in inputs:
        name, underscore, _ = name.rpartition("_")
        if not underscore:
            return None
    return name
