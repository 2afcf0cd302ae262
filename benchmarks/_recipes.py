"""The estimators that the benchmarks of speed and memory measure."""

from sk_mtl import MMOEClassifier
from sk_mtl.preprocessing import make_tabular_preprocessor

RECIPES = ("default", "numbers twice, bins + ple")


def make_model(recipe):
    """Return an estimator that trains for one epoch."""
    model = MMOEClassifier(max_epochs=1, random_state=0)
    if recipe != "default":
        model.set_params(
            preprocessor=make_tabular_preprocessor(numeric="both"),
            numeric_embedding=("bins", "ple"),
        )
    return model
