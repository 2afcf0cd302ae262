import pickle

import numpy as np
import pandas as pd
import pytest

from sk_mtl.preprocessing import FeatureSchema, make_tabular_preprocessor
from tests.preprocessing._schemas import fit


def make_log():
    return pd.DataFrame(
        {
            "age": [30.0, 41.0, 52.0, 29.0],
            "always": [1.0, 1.0, 1.0, 1.0],
            "item": ["tea", "pen", "tea", "ink"],
            "history": [["tea", "ink"], [], ["pen"], None],
        }
    )


def make_schema():
    return fit(make_tabular_preprocessor(make_log()), make_log())[0]


def test_the_frame_lists_every_column_in_order():
    frame = make_schema().with_embedding_dims([4, 8]).frame()
    assert frame.columns.tolist() == [
        "feature",
        "kind",
        "cardinality",
        "width",
        "kept",
        "rare_share",
        "missing_share",
        "note",
    ]
    NA, note = pd.NA, "constant in the training rows"
    expected = [
        ["age", "numeric", NA, 1, NA, NA, 0, ""],
        ["always", "dropped", NA, NA, NA, NA, NA, note],
        ["item", "categorical", 4, 4, 3, 0, 0, ""],
        ["history", "sequence", 4, 8, 3, 0, 0.5, ""],
    ]
    assert frame.to_numpy(dtype=object).tolist() == expected
    types = ["Int64", "Int64", "Int64", "Float64", "Float64"]
    assert frame.dtypes.astype(str).tolist()[2:7] == types


def test_the_text_shows_what_is_known():
    schema = make_schema().with_embedding_dims([4, 8])
    assert repr(schema).splitlines() == [
        "FeatureSchema: 1 categorical, 1 sequence, 1 numeric, 1 dropped",
        "feature        kind  cardinality  width                          note",
        "    age     numeric         <NA>      1                              ",
        " always     dropped         <NA>   <NA> constant in the training rows",
        "   item categorical            4      4                              ",
        "history    sequence            4      8                              ",
    ]


def test_notes_and_summary_are_shown():
    schema = make_schema().with_embedding_dims([4, 8])
    noted = schema.with_notes({"history": "mean"}, ["interaction: fm"])
    lines = repr(noted).splitlines()
    assert lines[-2].endswith(
        "sequence            4      8                          mean"
    )
    assert lines[-1] == "interaction: fm"
    assert noted.frame()["note"].tolist()[1:] == [*schema.frame()["note"][1:3], "mean"]
    assert noted.summary == ["interaction: fm"]
    assert schema.summary == []
    assert "mean" not in repr(schema)
    assert noted.with_notes({}).frame().equals(schema.frame())


def test_without_notes_there_is_no_column_of_them():
    schema, _ = fit(make_tabular_preprocessor(), make_log()[["age", "item"]])
    assert "note" not in repr(schema)
    assert repr(schema).startswith("FeatureSchema: 1 categorical, 1 numeric\n")


def test_a_long_table_is_shortened():
    X = pd.DataFrame(np.arange(1500.0).reshape(3, 500)).add_prefix("x")
    schema = FeatureSchema.from_preprocessor("passthrough", X)
    text = repr(schema.with_notes({"x400": "hidden"}, ["the end"]))
    assert len(text.splitlines()) < 30
    assert "500 numeric" in text
    assert text.endswith("the end")


def test_a_note_of_no_feature_is_refused():
    with pytest.raises(ValueError, match="features or dropped columns; found 'itm'"):
        make_schema().with_notes({"itm": "?"})


def test_everything_survives_pickle():
    schema = make_schema().with_embedding_dims([4, 8])
    schema = schema.with_notes({"history": "mean"}, ["interaction: fm"])
    copied = pickle.loads(pickle.dumps(schema))
    assert repr(copied) == repr(schema)
    assert copied.frame().equals(schema.frame())
    assert copied.names_of("item") == ["item"]
    assert copied.dropped == schema.dropped


def test_html_has_the_rows_and_escapes_names():
    log = make_log().rename(columns={"item": "<item>"})
    schema = fit(make_tabular_preprocessor(log), log)[0]
    html = schema._repr_html_()
    assert html.startswith("<p>FeatureSchema: 1 categorical, 1 sequence, 1 numeric, ")
    assert html.count("<tr>") == len(schema.frame())
    assert "&lt;item&gt;" in html
    assert "NA" not in html
