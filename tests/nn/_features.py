"""Embeddings of numbers and interactions by name, for tests of encoders."""

from rtdl_num_embeddings import PeriodicEmbeddings

from sk_mtl.nn import (
    ColumnEmbedding,
    CrossLayer,
    FactorizationMachine,
    SqueezeExcitation,
    make_bin_embedding,
    make_piecewise_linear_embedding,
)


def make_periodic(columns, width=8, *, n_bins=None):
    module = PeriodicEmbeddings(len(columns.positions), width, lite=False)
    return ColumnEmbedding(columns.positions, module, width)


#: By name, what takes `NumericColumns` and a width to an embedding.
NUMERIC = {
    "bins": make_bin_embedding,
    "ple": make_piecewise_linear_embedding,
    "periodic": make_periodic,
}
#: By name, the settings of an encoder with an interaction.
CROSS = {"interaction": lambda sizes: CrossLayer(sizes.width, rank=3)}
FM = {
    "interaction": lambda sizes: FactorizationMachine(sizes.n_heads),
    "interaction_place": "logits",
    "n_heads": 2,
}
SENET = {
    "interaction": lambda sizes: SqueezeExcitation(sizes.n_fields),
    "interaction_place": "fields",
}
