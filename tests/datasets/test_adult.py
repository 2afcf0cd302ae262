import pytest

from sk_mtl.datasets import load_adult

UCI_ORDER = [
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education_num",
    "marital_status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital_gain",
    "capital_loss",
    "hours_per_week",
    "native_country",
    "income",
]


@pytest.mark.parametrize(
    ("subset", "n_rows", "n_rich", "n_married"),
    [
        ("train", 32_561, 7_841, 21_878),
        ("test", 16_281, 3_846, 10_847),
        ("all", 48_842, 11_687, 32_725),
    ],
)
def test_rows_and_labels(subset, n_rows, n_rich, n_married):
    X, y = load_adult(subset=subset, return_X_y=True)
    assert X.shape == (n_rows, 13)
    assert y.sum().to_dict() == {"income": n_rich, "married": n_married}


@pytest.mark.parametrize(
    ("tasks", "labels"),
    [
        (("income", "married"), {"income", "marital_status"}),
        (["married", "income"], {"income", "marital_status"}),
        (("income",), {"income"}),
        (("married",), {"marital_status"}),
    ],
)
def test_only_the_columns_behind_the_tasks_leave_X_and_uci_order_stays(tasks, labels):
    bunch = load_adult(subset="test", tasks=tasks)
    assert bunch.feature_names == [name for name in UCI_ORDER if name not in labels]
    assert bunch.target_names == list(tasks)


def test_labels_follow_their_columns():
    by_status = load_adult(tasks=("income",)).data["marital_status"].astype(str)
    by_income = load_adult(tasks=("married",)).data["income"].astype(str)
    y = load_adult().target
    assert ((by_status != "Never-married") == (y["married"] == 1)).all()
    assert ((by_income == ">50K") == (y["income"] == 1)).all()
    # Divorced, separated and widowed people were married.
    assert set(by_status[y["married"] == 0]) == {"Never-married"}
    assert {"Divorced", "Separated", "Widowed"} < set(by_status[y["married"] == 1])


def test_there_are_no_weights_and_fnlwgt_is_a_feature():
    bunch = load_adult()
    assert bunch.sample_weight is None
    assert bunch.data.loc[0, "fnlwgt"] == 77_516


def test_question_marks_are_missing_values():
    X = load_adult(return_X_y=True)[0]
    missing = X.isna().sum()
    assert missing[missing > 0].to_dict() == {
        "workclass": 1_836,
        "occupation": 1_843,
        "native_country": 583,
    }
