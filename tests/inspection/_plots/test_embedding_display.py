"""Embeddings in two dimensions."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from sk_mtl import MMOEClassifier, STEMClassifier
from sk_mtl.inspection import EmbeddingDisplay
from tests.estimators.common import PLAIN, QUICK, refuse

ONE = {**QUICK, **PLAIN, "max_epochs": 1, "embedding_dim": 4}


def test_points_are_the_principal_components_of_the_table(model, table):
    X, _ = table
    display = EmbeddingDisplay.from_estimator(model, X, "town")
    frame = display.frame().set_index("category")
    tables = model.net_.module_.encoder.tables
    codes = model.predictor_.encode(X).codes
    place = model.schema_.categorical_names.index("town")
    start = tables.offsets[
        [c for block in tables.block_columns for c in block].index(place)
    ]
    towns = X["town"].to_numpy()
    rows = {town: codes[towns == town, place][0] for town in frame.index}
    (weights,) = [t.detach().numpy() for t in tables if t.shape[0] > start + 2][:1]
    vectors = weights[[int(start) + rows[town] for town in frame.index]]
    expected = PCA(2, svd_solver="full").fit_transform(vectors)
    np.testing.assert_allclose(frame[["x", "y"]].to_numpy(), expected, atol=1e-6)
    assert frame["rows"].to_dict() == X["town"].value_counts().to_dict()
    assert sum(display.explained) == pytest.approx(1)


def test_categories_are_coloured_by_the_mean_of_their_rows(model, table):
    X, y = table
    display = EmbeddingDisplay.from_estimator(model, X, "town", values=y["buy"])
    means = y["buy"].groupby(X["town"]).mean()
    frame = display.frame().set_index("category")
    assert frame["value"].to_dict() == pytest.approx(means.to_dict())
    assert display.value_name == "mean of buy"


@pytest.mark.parametrize("sharing", ["none", "embedding"])
def test_members_have_embeddings_of_their_own(table, sharing):
    X, y = table
    options = {"n_members": 2, "member_sharing": sharing}
    model = MMOEClassifier(**ONE, **options).fit(X, y)
    first, second = (
        EmbeddingDisplay.from_estimator(model, X, "town", member=k).frame()
        for k in (0, 1)
    )
    assert np.allclose(first["x"], second["x"]) == (sharing == "embedding")


def test_model_with_sets_of_embeddings_shows_the_shared_one(table):
    X, y = table
    model = STEMClassifier(**ONE, n_members=1).fit(X, y)
    assert len(EmbeddingDisplay.from_estimator(model, X, "town").frame()) == 3


def test_columns_without_embeddings_are_refused(model, table):
    X, _ = table
    for column in ("age", "twon"):
        refuse(
            lambda column=column: EmbeddingDisplay.from_estimator(model, X, column),
            "EmbeddingDisplay needs a column that the model embeds, one of ['town', "
            f"'plan']; found '{column}'. Use one of these names.",
        )
    with pytest.raises(ValueError, match="needs three categories or more"):
        EmbeddingDisplay.from_estimator(model, X, "plan")
