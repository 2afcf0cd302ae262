"""Names and positions of columns in parameters, and what is said of wrong ones."""

import pandas as pd
import pytest

from sk_mtl.estimators._features._named_features import (
    by_feature,
    features_of,
    refuse_name,
)
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


def test_letters_may_be_of_another_case(schema):
    with pytest.raises(ValueError, match=r"Did you mean 'town'\?"):
        features_of(["TOWN"], schema, "feature_groups")


@pytest.mark.parametrize("columns", ["town", 3])
def test_a_column_that_is_no_list_is_refused(schema, columns):
    with pytest.raises(ValueError) as caught:
        features_of(columns, schema, "feature_groups")
    assert str(caught.value) == (
        f"feature_groups must list columns; found {columns!r}. Write [{columns!r}]."
    )


@pytest.mark.parametrize("column", [["town"], 1.5, True])
def test_a_column_is_a_name_or_a_position(schema, column):
    with pytest.raises(ValueError, match="must hold names or positions of columns; f"):
        features_of([column] if column != ["town"] else (["town"],), schema, "p")


class TestByFeature:
    def resolve(self, schema, given):
        return by_feature(given, schema, "embedding_dim", schema.embedded_names)

    def test_a_column_stands_for_its_features_of_the_kind(self, schema):
        assert self.resolve(schema, {"at": 4}) == {"at_month": 4, "at_weekday": 4}
        assert self.resolve(schema, {0: 4}) == {"town": 4}
        assert self.resolve(schema, {"at_month": 3}) == {"at_month": 3}

    def test_a_constant_column_is_passed_over(self, schema):
        assert self.resolve(schema, {"always": 4}) == {}

    @pytest.mark.parametrize("name", ["age", "tonw"])
    def test_other_columns_are_refused(self, schema, name):
        with pytest.raises(ValueError, match=f"one of .*'town'.*; found '{name}'"):
            self.resolve(schema, {name: 4})

    def test_a_name_where_there_are_none_is_to_be_removed(self, schema):
        with pytest.raises(ValueError, match=r"there are none; found 'town'\. Remove"):
            by_feature({"town": 1}, schema, "sequence_pooling", [])


def test_many_known_names_are_counted():
    known = [f"column_{k}" for k in range(30)]
    with pytest.raises(ValueError, match="one of 30; found 'colum_3'"):
        refuse_name("embedding_dim", "colum_3", known)
