"""Names and positions of columns in parameters, and what is said of wrong ones."""

import pandas as pd
import pytest

from sk_mtl.estimators._columns import check_names, features_of
from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor


@pytest.fixture(scope="module")
def schema():
    X = pd.DataFrame(
        {
            "town": ["Oslo", "Rome", "Oslo", "Bonn"],
            "age": [30.0, None, 50.0, 20.0],
            "at": pd.to_datetime(
                ["2020-01-01", "2020-02-05", "2020-03-09", "2021-01-01"]
            ),
            "always": ["yes"] * 4,
        }
    )
    preprocessor = make_tabular_preprocessor(X)
    return FeatureSchema.from_preprocessor(preprocessor, preprocessor.fit_transform(X))


def test_a_column_stands_for_every_feature_made_of_it(schema):
    found = features_of(["town", "age", "at"], schema, "feature_groups")
    assert found["town"] == ["town"]
    assert sorted(found["age"]) == ["age", "missingindicator_age"]
    # The hour of pure dates is constant and was dropped.
    assert sorted(found["at"]) == ["at", "at_month", "at_weekday"]


def test_positions_are_those_of_the_table(schema):
    assert features_of([0], schema, "feature_groups") == {0: ["town"]}


def test_a_feature_may_be_named_itself(schema):
    assert features_of(["at_month"], schema, "p") == {"at_month": ["at_month"]}


def test_a_constant_column_has_no_feature(schema):
    assert features_of(["always"], schema, "p") == {"always": []}


def test_a_wrong_name_is_answered_with_close_ones(schema):
    with pytest.raises(
        ValueError, match=r"feature_groups must name columns.*found 'twon'"
    ) as e:
        features_of(["twon"], schema, "feature_groups")
    assert "Did you mean 'town'?" in str(e.value)


@pytest.mark.parametrize("position", [-1, 4])
def test_a_position_outside_is_refused(schema, position):
    with pytest.raises(ValueError, match=f"positions from 0 to 3; found {position}"):
        features_of([position], schema, "feature_groups")


def test_a_name_where_there_are_none_is_to_be_removed():
    with pytest.raises(ValueError, match="of which there are none; found 'history'"):
        check_names(["history"], [], "sequence_target", "sequence columns")


def test_many_known_names_are_counted():
    known = [f"column_{k}" for k in range(30)]
    with pytest.raises(ValueError, match="one of 30 columns; found 'colum_3'"):
        check_names(["colum_3"], known, "embedding_dim", "columns")
