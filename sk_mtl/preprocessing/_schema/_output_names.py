"""Steps of a fitted preprocessor, and the names of the columns that they write."""

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from sk_mtl._frames import is_frame


def output_names(preprocessor, Z, incoming=None):
    if is_frame(Z):
        return [str(name) for name in Z.columns]
    known = _known_names(preprocessor, Z.shape[1])
    if None in known and incoming is not None and incoming.names is not None:
        known = names_behind(preprocessor, incoming) or known
    return [f"x{j}" if name is None else str(name) for j, name in enumerate(known)]


def without_steps(preprocessor, names):
    """Return names without the step in front."""
    transformer = _last_step(preprocessor)
    short = list(names)
    if _puts_prefixes(transformer):
        for step, _, where in step_slices(transformer):
            short[where] = [name.removeprefix(f"{step}__") for name in names[where]]
    return short


def _known_names(transformer, n_outputs):
    """Return the names of a transformer's output columns, None if it has no names."""
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


def _last_step(transformer):
    """Return the transformer that wrote the output: a pipeline's last real step."""
    while isinstance(transformer, Pipeline):
        transformer = ["passthrough", *real_steps(transformer)][-1]
    return transformer


def real_steps(pipeline):
    """Return the steps of a pipeline that do something."""
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


def names_behind(step, incoming):
    """Return names of a step's output, given the names of its input; or None."""
    try:
        return [str(name) for name in step.get_feature_names_out(incoming.names)]
    except (AttributeError, ValueError, TypeError):
        return None
