"""The estimators that several benchmarks measure."""

from sk_mtl import MMOEClassifier
from sk_mtl.preprocessing import make_tabular_preprocessor

#: Embeddings and scaled numbers side by side, experts, gates and towers: what a bare
#: loop or another library trains, without the rest of the default recipe.
PLAIN = {
    "numeric_embedding": None,
    "interaction": None,
    "wide": False,
    "dropout": 0.0,
    "embedding_dropout": 0.0,
    "unknown_rate": 0.0,
    "batch_norm": False,
    "weight_averaging": None,
    "warmup": 0.0,
    "lr_schedule": None,
}
#: And as large as in the comparisons of speed.
PLAIN_LARGE = {
    **PLAIN,
    "n_experts": 8,
    "expert_hidden_sizes": (128,),
    "tower_hidden_sizes": (64,),
    "embedding_dim": 8,
    "lr": 1e-3,
    "early_stopping": False,
    "random_state": 0,
}
RECIPES = ("default", "plain", "numbers twice, bins + ple")


def make_model(recipe):
    """Return an estimator that trains for one epoch.

    It normalises over the batch, as the default does on all rows of Census-Income
    (KDD), also where it is given some of them.
    """
    model = MMOEClassifier(max_epochs=1, random_state=0, batch_norm=True)
    if recipe == "plain":
        model.set_params(**PLAIN)
    elif recipe != "default":
        model.set_params(
            preprocessor=make_tabular_preprocessor(numeric="both"),
            numeric_embedding=("bins", "ple"),
        )
    return model
