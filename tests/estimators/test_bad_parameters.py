"""Parameters that `fit` refuses: required; found; what to do."""

import numpy as np
import pytest
import torch
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from sk_mtl import ESMMClassifier, MMOEClassifier
from sk_mtl.metrics._named_metrics import CLASS_METRICS
from tests.estimators.common import QUICK, funnel_table, refuse

both = pytest.mark.parametrize("cls", [MMOEClassifier, ESMMClassifier])


@pytest.fixture(scope="module")
def table():
    return funnel_table(200)


def make(cls, **options):
    return cls(**{**QUICK, **options})


@both
@pytest.mark.parametrize(
    ("name", "value", "required"),
    [
        ("dropout", 1.0, "a float in the range [0.0, 1.0)"),
        ("embedding_dropout", -0.1, "a float in the range [0.0, 1.0)"),
        ("unknown_rate", 1, "a float in the range [0.0, 1.0)"),
        ("embedding_dim", 0, "an int in the range [1, inf), a str among {"),
        ("lr", 0, "a float in the range (0.0, inf)"),
        ("weight_decay", -1, "a float in the range [0.0, inf)"),
        ("batch_size", 0, "an int in the range [1, inf) or a str among {'auto'}"),
        ("max_epochs", 0, "an int in the range [1, inf)"),
        ("embedding_l2", -1e-9, "a float in the range [0.0, inf) or a str among {"),
        ("embedding_l2", "small", "a float in the range [0.0, inf) or a str among {"),
        ("embedding_l2", None, "a float in the range [0.0, inf) or a str among {"),
        ("validation_fraction", 1.0, "a float in the range (0.0, 1.0)"),
        ("n_iter_no_change", 0, "an int in the range [1, inf)"),
        ("tol", -1e-9, "a float in the range [0.0, inf)"),
        ("verbose", -1, "an int in the range [0, inf)"),
        ("activation", "relux", "a str among {"),
        ("precision", "float16", "a str among {"),
        ("precision", "bf16", "a str among {"),
        ("optimizer", "adamx", "a str among {"),
        ("lr_schedule", "cosin", "a str among {"),
        ("warmup", -0.5, "a float in the range [0.0, inf)"),
        ("warmup", np.inf, "a float in the range [0.0, inf)"),
        ("warmup", None, "a float in the range [0.0, inf)"),
        ("weight_averaging", 1.0, "a float in the range [0.0, 1.0) or None"),
        ("weight_averaging", -0.1, "a float in the range [0.0, 1.0) or None"),
        ("weight_averaging", "ema", "a float in the range [0.0, 1.0) or None"),
        ("n_members", 0, "an int in the range [1, inf)"),
        ("n_members", 2.0, "an int in the range [1, inf)"),
        ("member_sharing", "some", "a str among {"),
        ("member_sharing", None, "a str among {"),
        ("early_stopping", "yes", "a str among {'auto'}"),
        ("validation_split", "first", "a str among {"),
        ("tower_hidden_sizes", 0, "an int in the range [1, inf), an array-like or an"),
        ("task_weights", 2.0, "an array-like, an instance of 'dict', an instance"),
        ("class_weight", "balance", "a str among {'balanced'}"),
        ("task_names", "buy", "an array-like or None"),
        ("callbacks", "early", "an instance of 'list', an instance of 'tuple' or None"),
        ("preprocessor", "standard", "an object implementing"),
        ("preprocessor", StandardScaler, "(an instance, not its class)"),
        ("validation_split", KFold, "(an instance, not its class)"),
        ("random_state", -1, "an int in the range [0, 4294967295]"),
        ("monitor", 3.5, "a callable"),
        ("warm_start", "no", "an instance of 'bool'"),
        ("compile", "no", "an instance of 'bool'"),
        ("batch_norm", 2, "a str among {'auto'}"),
    ],
)
def test_a_value_out_of_range(cls, table, name, value, required):
    model = make(cls, **{name: value})
    with pytest.raises(ValueError) as caught:
        model.fit(*table)
    message = str(caught.value)
    assert message.startswith(f"The {name!r} parameter of {cls.__name__} must be ")
    assert required in message
    assert message.endswith(f"Got {value!r} instead.")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "n_experts",
            0,
            "The 'n_experts' parameter of MMOEClassifier must be an int in the range "
            "[1, inf). Got 0 instead.",
        ),
        (
            "expert_hidden_sizes",
            0,
            "The 'expert_hidden_sizes' parameter of MMOEClassifier must be an int in "
            "the range [1, inf) or an array-like. Got 0 instead.",
        ),
        (
            "expert_hidden_sizes",
            (64, 0),
            "expert_hidden_sizes must hold integers >= 1, one per layer; found (64, "
            "0). Give for instance (64, 32), 64 for a single layer, or () for none.",
        ),
        (
            "gate_hidden_sizes",
            (2.5,),
            "gate_hidden_sizes must hold integers >= 1, one per layer; found (2.5,). "
            "Give for instance (64, 32), 64 for a single layer, or () for none.",
        ),
        (
            "tower_hidden_sizes",
            [(8,), -16],
            "tower_hidden_sizes must hold integers >= 1, one per layer; found -16. "
            "Give for instance (64, 32), 64 for a single layer, or () for none.",
        ),
    ],
)
def test_a_size_out_of_range(table, name, value, message):
    refuse(lambda: make(MMOEClassifier, **{name: value}).fit(*table), message)


@both
@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (
            "task_weights",
            {"clik": 2.0},
            "task_weights must be keyed by task names ['click', 'conversion']; found "
            "['clik']. Correct the names; tasks left out count 1.",
        ),
        (
            "task_weights",
            [1.0],
            "task_weights must hold one entry per task ['click', 'conversion']; found "
            "1: [1.0]. Give one per task, or a dict by task name.",
        ),
        (
            "task_weights",
            [1.0, -0.1],
            "task_weights must be finite and >= 0, not all 0; found [1.0, -0.1].",
        ),
        (
            "class_weight",
            {"clik": "balanced"},
            "class_weight must be keyed by task names ['click', 'conversion']; found "
            "['clik']. Correct the names; tasks left out are not weighted.",
        ),
        (
            "tower_hidden_sizes",
            {"clik": (8,), "conversion": (8,)},
            "tower_hidden_sizes must have one entry per task ['click', 'conversion']; "
            "found ['clik', 'conversion'], which differs in ['click', 'clik']. Name "
            "every task once.",
        ),
        (
            "tower_hidden_sizes",
            [(8,), (8,), (8,)],
            "tower_hidden_sizes must hold one entry per task ['click', 'conversion']; "
            "found 3: [(8,), (8,), (8,)]. Give one per task, or a dict by task name.",
        ),
        (
            "monitor",
            "clik",
            "monitor must be 'valid_loss', one of the tasks ['click', 'conversion'], "
            f"one of the metrics {list(CLASS_METRICS)}, a pair (metric, task) or a "
            "callable; found 'clik'. Use one of these names.",
        ),
        (
            "monitor",
            ("roc_auc", "clik"),
            "monitor as a pair must be (metric, task) with a task of ['click', "
            "'conversion']; found ('roc_auc', 'clik'). Use for instance ('roc_auc', "
            "'click').",
        ),
        (
            "task_names",
            ["click", "buy"],
            "task_names must agree with the columns of y; found ['click', 'buy'] and "
            "['click', 'conversion']. Leave task_names=None where y carries its own "
            "names.",
        ),
    ],
)
def test_a_task_that_is_unknown(cls, table, name, value, message):
    refuse(lambda: make(cls, **{name: value}).fit(*table), message)


@both
def test_a_device_that_is_not_there(cls, table, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for device in ("cuda", "cuda:1", torch.device("cuda")):
        refuse(
            lambda device=device: make(cls, device=device).fit(*table),
            f"device={str(device)!r} needs a CUDA device; found none: torch "
            f"{torch.__version__} sees no card here. Use device='cpu' or 'auto', or "
            "install a CUDA build of torch.",
        )
    refuse(
        lambda: make(cls, device="gpu").fit(*table),
        "device must be 'cpu', 'cuda', 'cuda:<number>' or 'auto'; found 'gpu'. Use one "
        "of these.",
    )
    make(cls, device="auto").fit(*table)


@both
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_other_members_in_a_fit_that_continues(cls, table, method):
    model = make(cls, n_members=2, member_sharing="most", warm_start=True)
    model.fit(*table).set_params(n_members=3, member_sharing="none")
    refuse(
        lambda: getattr(model, method)(*table),
        "A fit that continues (warm_start, partial_fit) must keep the network of the "
        "first one, with member_sharing='most', n_members=2; found "
        "member_sharing='none', n_members=3. Set the parameters back, or fit a clone.",
    )
    model.set_params(n_members=2, member_sharing="most", warmup=1.0)
    getattr(model, method)(*table)
