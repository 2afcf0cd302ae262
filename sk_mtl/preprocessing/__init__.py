"""Tables to codes and numbers: encoder, preprocessor and feature schema."""

from sk_mtl.preprocessing._category_encoder import CategoryEncoder
from sk_mtl.preprocessing._numeric_scaler import NumericScaler
from sk_mtl.preprocessing._schema import FeatureArrays, FeatureSchema
from sk_mtl.preprocessing._tabular import make_tabular_preprocessor

__all__ = [
    "CategoryEncoder",
    "FeatureArrays",
    "FeatureSchema",
    "NumericScaler",
    "make_tabular_preprocessor",
]
