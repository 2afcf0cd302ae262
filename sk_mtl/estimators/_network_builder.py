"""The network that an estimator's parameters describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from sk_mtl.estimators._choices._member_settings import draw_settings
from sk_mtl.estimators._choices._own_wirings import make_checked_wiring
from sk_mtl.estimators._choices._wiring_choice import WiringChoice
from sk_mtl.estimators._features._feature_layout import FeatureLayout
from sk_mtl.estimators._fit_parameters import FitParameters
from sk_mtl.estimators._layer_sizes import resolve_tower_sizes
from sk_mtl.estimators._rows._training_rows import TrainingRows
from sk_mtl.estimators._targets._targets import Targets
from sk_mtl.estimators._training._net import _MultiTaskNet
from sk_mtl.estimators._training._optimizers import optimizer_options
from sk_mtl.estimators._training._precision import autocasts, count_products
from sk_mtl.losses import Structure
from sk_mtl.nn import EncoderSets, FeatureEncoder, MultiTaskNetwork, NetworkEnsemble
from sk_mtl.preprocessing import FeatureSchema


@dataclass(frozen=True)
class NetworkBuilder:
    """Builder of untrained networks of one design.

    Attributes
    ----------
    parameters : FitParameters
        Sizes of layers, the number of members, and the part behind the encoder; none
        of them "auto".

    layout : FeatureLayout
        The encoder.

    targets : Targets
        The tasks; each has a tower.

    structure : Structure
        Their heads.

    settings : dict of str to ndarray of shape (n_members,)
        The values of parameters that differ between members.
    """

    parameters: FitParameters
    layout: FeatureLayout
    targets: Targets
    structure: Structure
    settings: Mapping[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def design(
        cls,
        parameters: FitParameters,
        schema: FeatureSchema,
        targets: Targets,
        structure: Structure,
    ) -> NetworkBuilder:
        """Return the builder of a network for the features of a schema."""
        own_tables = parameters.n_members > 1 and parameters.member_sharing == "none"
        layout = FeatureLayout.resolve(parameters, schema, dense=own_tables)
        settings = draw_settings(parameters)
        return cls(parameters, layout, targets, structure, settings)

    def make_net(self, train: TrainingRows, device: torch.device) -> _MultiTaskNet:
        """Return an untrained network on a device, with its optimiser."""
        wanted = self.parameters
        module = self.build(train.numbers())
        net = _MultiTaskNet(
            module=module,
            criterion=nn.Identity,
            lr=wanted.lr,
            max_epochs=wanted.max_epochs,
            batch_size=int(wanted.batch_size),
            train_split=None,
            predict_nonlinearity=None,
            device=device.type if device.index is None else str(device),
            compile=wanted.compile,
            verbose=int(wanted.verbose),
            **optimizer_options(
                wanted.optimizer,
                weight_decay=wanted.weight_decay,
                sparse_names=module.sparse_parameter_names(),
            ),
        )
        net.task_names, net.members = self.targets.task_names, dict(self.settings)
        n_products = count_products(module, net.batch_size)
        net.autocast = autocasts(wanted.precision, device, n_products)
        return net.initialize()

    def build(self, numbers: Tensor) -> nn.Module:
        """Return an untrained network.

        Parameters
        ----------
        numbers : Tensor of shape (n_rows, n_numeric)
            Numbers of the training rows, or of a sample of them, that determine bins.
        """
        wanted = self.parameters
        # A shared encoder is made once: its tables may be most of the network.
        n_encoders = wanted.n_members if wanted.member_sharing == "none" else 1
        model = wanted._model()
        encoders = [self._make_encoder(model, numbers) for _ in range(n_encoders)]
        members = [
            self._make_member(model, encoders[member % n_encoders])
            for member in range(wanted.n_members)
        ]
        offsets = self.targets.logit_offsets(self.structure.head_widths)
        for member in members if offsets else ():
            member.offset = torch.tensor(offsets)
        if len(members) == 1:
            return members[0].to(numbers.dtype)
        return NetworkEnsemble(
            members,
            self.structure.combine,
            sharing=wanted.member_sharing,
            dropout=self.settings.get("dropout"),
        ).to(numbers.dtype)

    def _make_encoder(
        self, model: WiringChoice, numbers: Tensor
    ) -> FeatureEncoder | EncoderSets:
        """Return one encoder, or one for each task where the wiring reads several."""
        sets, widths = model.wiring_class.embedding_sets, self.structure.head_widths
        counts = {"shared": [sum(widths)], "per_task": widths}
        counts["both"] = [*counts["shared"], *counts["per_task"]]
        encoders = [
            self.layout.make_encoder(self.parameters, numbers, count)
            for count in counts[sets]
        ]
        if sets == "shared":
            return encoders[0]
        return EncoderSets(encoders, widths, embedding_sets=sets)

    def _make_member(self, model: WiringChoice, encoder: nn.Module) -> MultiTaskNetwork:
        wanted, names = self.parameters, self.targets.task_names
        structure = self.structure
        sizes = resolve_tower_sizes(wanted.tower_hidden_sizes, names)
        # A head without a column of y has the name of the task that it belongs to.
        heads = [names[task] for task in structure.head_tasks]
        layers = {
            "activation": wanted.activation,
            # Layers of dropout exist if any member needs them.
            "dropout": max(self.settings.get("dropout", [wanted.dropout])),
            "batch_norm": bool(wanted.batch_norm),
        }
        wiring = make_checked_wiring(model, encoder.width, heads, **layers)
        towers = model.make_towers(
            wiring.out_width,
            [sizes[task] for task in structure.head_tasks],
            structure.head_widths,
            heads,
            **layers,
        )
        return MultiTaskNetwork(encoder, wiring, towers)
