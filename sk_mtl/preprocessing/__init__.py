"""Tables to codes and numbers: encoder, preprocessor and feature schema."""

from sk_mtl.preprocessing._encoders._category_encoder import CategoryEncoder
from sk_mtl.preprocessing._encoders._hashing_encoder import HashingEncoder
from sk_mtl.preprocessing._encoders._sequence_encoder import SequenceEncoder
from sk_mtl.preprocessing._numeric._calendar_parts import CalendarParts
from sk_mtl.preprocessing._numeric._elapsed_time import ElapsedTime
from sk_mtl.preprocessing._numeric._numeric_scaler import NumericScaler
from sk_mtl.preprocessing._schema._feature_arrays import FeatureArrays
from sk_mtl.preprocessing._schema._feature_schema import FeatureSchema
from sk_mtl.preprocessing._tabular import make_tabular_preprocessor

__all__ = [
    "CalendarParts",
    "CategoryEncoder",
    "ElapsedTime",
    "FeatureArrays",
    "FeatureSchema",
    "HashingEncoder",
    "NumericScaler",
    "SequenceEncoder",
    "make_tabular_preprocessor",
]
