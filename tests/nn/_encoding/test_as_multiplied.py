import pytest
import torch

from sk_mtl.nn import FeatureEncoder
from sk_mtl.nn._encoding._as_multiplied import as_multiplied


@pytest.mark.parametrize(
    ("dtype", "within", "expected"),
    [
        (torch.float32, True, torch.bfloat16),
        (torch.float32, False, torch.float32),
        (torch.float64, True, torch.float64),
    ],
    ids=str,
)
def test_rows_of_single_precision_get_the_type_of_products(
    put, device, dtype, within, expected
):
    x = put(torch.tensor([[1.5, -2.0]], dtype=dtype))
    with torch.autocast(device.type, torch.bfloat16, enabled=within):
        assert as_multiplied(x).dtype == expected


def test_tables_and_their_gradients_keep_all_digits(put, device):
    encoder = put(FeatureEncoder([3], 1, embedding_dims=[2]))
    codes = put(torch.tensor([[1], [2]], dtype=torch.int32))
    with torch.autocast(device.type, torch.bfloat16):
        shared = encoder(codes, put(torch.ones(2, 1))).shared
    assert shared.dtype == torch.bfloat16
    shared.sum().backward()
    (table,) = encoder.tables
    assert table.grad.dtype == torch.float32
    assert table.grad.tolist() == [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]
