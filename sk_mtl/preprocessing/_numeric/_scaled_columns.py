"""Names and sources of the columns that a fitted scaler writes."""

from sklearn.pipeline import FeatureUnion


def sources_of(scaler, n_inputs, n_outputs):
    """Return the sources of the columns that a fitted scaler wrote."""
    if isinstance(scaler, FeatureUnion):
        return _sources_of_union(scaler, n_inputs)
    if n_outputs == n_inputs:
        return [(j, "value") for j in range(n_inputs)]
    return [(None, "value")] * n_outputs


def _sources_of_union(union, n_inputs):
    sources, copied = [], set()
    for _, part in union.transformer_list:
        if part == "drop":
            continue
        n_outputs = n_inputs
        if part != "passthrough":
            n_outputs = len(part.get_feature_names_out())
        written = sources_of(part, n_inputs, n_outputs)
        sources += [(j, "copy" if j in copied else role) for j, role in written]
        copied |= {j for j, _ in written if j is not None}
    return sources


def without_first_prefix(names, union):
    """Return names of which the first scaler's are plain, if they stay different."""
    prefix = f"{union.transformer_list[0][0]}__"
    short = [name.removeprefix(prefix) for name in names]
    return short if len(set(short)) == len(short) else names
