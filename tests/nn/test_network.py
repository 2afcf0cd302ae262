import copy
import pickle

import pytest
import torch
from torch import nn

from sk_mtl.nn import ESMM, FeatureEncoder, MMoE, MultiTaskNetwork, Towers
from tests.nn._asserts import assert_close, assert_every_parameter_learns


def _network(wiring="mmoe", embedding_dims=(4, 4), **encoder_settings):
    encoder = FeatureEncoder([5, 6], 2, embedding_dims=embedding_dims)
    for name, value in encoder_settings.items():
        setattr(encoder, name, value)
    if wiring == "mmoe":
        wiring = MMoE(encoder.width, 3, n_experts=3, activation="silu")
    else:
        wiring = ESMM(encoder.width, 3)
    towers = Towers(wiring.out_width, [(8,), (8,), ()], [1, 3, 1], activation="silu")
    return MultiTaskNetwork(encoder, wiring, towers)


@pytest.fixture
def batch(put):
    codes = torch.stack([torch.randint(0, 5, (40,)), torch.randint(0, 6, (40,))], 1)
    return put(codes.int()), put(torch.randn(40, 2))


@pytest.mark.parametrize("wiring", ["mmoe", "esmm"])
@pytest.mark.parametrize("embedding_dims", [(4, 4), (4, 2)])
def test_a_gradient_reaches_every_parameter(wiring, embedding_dims, batch, put):
    network = put(_network(wiring, embedding_dims))
    logits = network(*batch)
    assert logits.shape == (40, 5)
    assert logits.dtype == batch[1].dtype
    assert_every_parameter_learns(network, logits)


def test_int32_and_int64_codes_give_the_same_logits(batch, put):
    network, (codes, numeric) = put(_network()), batch
    assert torch.equal(network(codes, numeric), network(codes.long(), numeric))


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))]
)
def test_copies_and_pickles_give_the_same_logits(copied, batch, put):
    network = put(_network())
    other = copied(network)
    assert torch.equal(other(*batch), network(*batch))
    other.towers.groups[0].heads[0].bias.data += 1
    assert not torch.equal(other(*batch), network(*batch))


@pytest.mark.parametrize("embedding_dims", [(4, 4), (4, 2)])
def test_a_state_dict_carries_all_that_is_learnt(embedding_dims, batch, put):
    first, second = (put(_network("mmoe", embedding_dims)) for _ in range(2))
    assert not torch.equal(first(*batch), second(*batch))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(*batch), second(*batch))
    assert set(first.state_dict()) == dict(first.named_parameters()).keys()


def test_the_dtype_follows_the_module(batch, device):
    network = _network().to(device).double()
    codes, numeric = batch
    assert network(codes, numeric.double()).dtype == torch.float64
    assert network.encoder.tables.offsets.dtype == torch.int64


def test_logit_terms_are_added(batch, put):
    network = put(_network())
    before = network(*batch)

    class Wide(nn.Module):
        def forward(self, codes, numeric, sequences):
            return encoder(codes, numeric)._replace(logit_terms=numeric[:, :1])

    encoder, network.encoder = network.encoder, Wide()
    assert_close(network(*batch), before + batch[1][:, :1])


def test_a_row_does_not_depend_on_the_rest_of_the_batch_in_eval_mode(batch, put):
    network, (codes, numeric) = put(_network()).eval(), batch
    one = network(codes[7:8], numeric[7:8])
    assert_close(one, network(codes, numeric)[7:8])


def test_a_few_steps_fit_a_rule_of_both_kinds_of_columns(batch, put):
    network, (codes, numeric) = put(_network()), batch
    y = ((codes[:, 0] > 2) ^ (numeric[:, 0] > 0)).to(numeric)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(60):
        loss = nn.functional.binary_cross_entropy_with_logits(
            network(codes, numeric)[:, 0], y
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.detach() < 0.1


def test_an_offset_is_added_to_the_logits_and_not_trained(batch, put):
    network = put(_network())
    plain = network.eval()(*batch)
    network.offset = put(torch.tensor([1.0, 0.0, -10.0, 0.0, 2.0]))
    assert_close(network(*batch), plain + network.offset)
    assert not network.offset.requires_grad
    assert "offset" in network.state_dict()
