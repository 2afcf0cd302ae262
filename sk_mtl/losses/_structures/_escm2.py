"""A funnel whose rates are also learnt as if every row had come so far."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from sk_mtl.losses._outputs._numerics import mean_binary_logits
from sk_mtl.losses._outputs._task_output import TaskOutput
from sk_mtl.losses._structures._funnel import FunnelStructure

VARIANTS = ("ipw", "dr")


class ESCM2Structure(FunnelStructure):
    r"""logits (n, n_heads) -> losses (n, n_steps) of a funnel, and a risk.

    The columns of y are click and conversion, or any number of steps; what is said of
    the conversion is true of each step but the first, and what is said of the click of
    the step before it. As in `FunnelStructure` the tasks' losses are the losses of the
    click and of click-and-conversion over all rows. That leaves the conversion rate
    itself, :math:`\hat r = \sigma(z_2)`, without a loss of its own. The entire-space
    counterfactual multi-task model (ESCM2) adds one: an estimate of what its error
    :math:`\delta`, the cross-entropy against the conversion, would be in the mean over
    *all* rows, had all been clicked. The error is known only where the click :math:`o`
    is 1, and among those, rows with a small chance
    :math:`\hat p = \sigma(z_1)` of it are too rare.

    ``variant="ipw"`` weights the clicked rows by the inverse of that propensity,

    .. math:: R_{ipw} = \frac{1}{n} \sum_i w_i \delta_i, \quad
              w_i = \frac{o_i}{\max(\hat p_i, c)},

    with :math:`c` = ``propensity_clip``. ``variant="dr"``, doubly robust, has a third
    head in training, the imputation. Its own guess of the conversion rate,
    :math:`\tilde r = \sigma(z_3)`, gives the error :math:`\hat\delta` that is to be
    expected in every row, the cross-entropy of :math:`\hat r` against
    :math:`\tilde r`, and the clicked rows correct it,

    .. math:: R_{dr} = \frac{1}{n} \sum_i \hat\delta_i + w_i (\delta_i - \hat\delta_i),
              \quad
              R_{imp} = \frac{1}{n} \sum_i w_i (\delta_i - \hat\delta_i)^2.

    :math:`R_{ipw}` has the right mean where the propensities are right, :math:`R_{dr}`
    where they or the imputation are, and the same is true of their gradients. For this
    the imputation guesses the rate and not the error as a bare number: such a number
    would not depend on :math:`z_2`, and the gradient would be that of
    :math:`R_{ipw}`. Auxiliary losses are :math:`\lambda_c R` (``"counterfactual"``)
    and, in ``"dr"``, :math:`\lambda_i R_{imp}` (``"imputation"``).

    Each part teaches its own head only: propensities count as constants everywhere, the
    imputation does in :math:`R_{dr}`, and :math:`z_2` does in :math:`R_{imp}`.
    Otherwise the click's tower would learn to avoid large weights, and the conversion's
    to make errors that are easy to guess.

    Parameters
    ----------
    variant : {"ipw", "dr"}, default="ipw"
        Correction for the rows that were not clicked.
    n_steps : int, default=2
        The number of steps. In ``"dr"`` every step that builds on another has a second
        head.
    parents : sequence of int or None, default=None
        The step that each builds on, as of `FunnelStructure`. None is the chain.
    propensity_clip : float, default=0.05
        The least propensity, in (0, 1]: no row weighs more than its inverse. A smaller
        value removes more of the bias and lets fewer rows decide more.
    counterfactual_weight : float, default=0.5
        :math:`\lambda_c`, the weight of the counterfactual risk relative to the tasks'
        losses. Click-and-conversion is weighted by its task weight.
    imputation_weight : float, default=0.5
        :math:`\lambda_i`, what the imputation's own loss counts.
    output : TaskOutput, sequence of TaskOutput or None, default=None
        The loss of click and of click-and-conversion, as of `FunnelStructure`. None is
        plain cross-entropy.

    References
    ----------
    H. Wang, T.-W. Chang, T. Liu, J. Huang, Z. Chen, C. Yu, R. Li and W. Chu (2022).
    ESCM2: Entire Space Counterfactual Multi-Task Model for Post-Click Conversion Rate
    Estimation. SIGIR.

    X. Wang, R. Zhang, Y. Sun and J. Qi (2019). Doubly Robust Joint Learning for
    Recommendation on Data Missing Not at Random. ICML.

    Examples
    --------
    One of two rows with propensity 1/2 was clicked and so stands for both.

    >>> import torch
    >>> from sk_mtl.losses import ESCM2Structure
    >>> structure = ESCM2Structure("ipw", counterfactual_weight=1.0)
    >>> y, weight = torch.tensor([[1.0, 1.0], [0.0, 0.0]]), torch.ones(2, 2)
    >>> structure.auxiliary_losses(torch.zeros(2, 2), y, weight)
    {'counterfactual': tensor(0.6931)}
    """

    def __init__(
        self,
        variant: str = "ipw",
        *,
        n_steps: int = 2,
        parents: Sequence[int | None] | None = None,
        propensity_clip: float = 0.05,
        counterfactual_weight: float = 0.5,
        imputation_weight: float = 0.5,
        output: TaskOutput | Sequence[TaskOutput] | None = None,
    ) -> None:
        super().__init__(n_steps, parents, output=output)
        if variant not in VARIANTS:
            raise ValueError(
                f"variant must be one of {list(VARIANTS)}; found {variant!r}. Choose "
                "one of these names."
            )
        if not 0 < propensity_clip <= 1:
            raise ValueError(
                "propensity_clip must be greater than 0 and at most 1; found "
                f"{propensity_clip}. Give for example 0.05."
            )
        self.variant = variant
        self.propensity_clip = propensity_clip
        self.counterfactual_weight = counterfactual_weight
        self.imputation_weight = imputation_weight
        self.auxiliary_names = ("counterfactual",)
        on = enumerate(self.parents)
        self._later = [step for step, parent in on if parent is not None]
        self._before = [self.parents[step] for step in self._later]
        if variant == "dr":
            self.head_widths = (1,) * (n_steps + len(self._later))
            self.auxiliary_names = ("counterfactual", "imputation")

    @property
    def head_tasks(self) -> tuple[int, ...]:
        """For each head the task whose tower sizes it takes."""
        steps = tuple(range(self.n_tasks))
        return steps + tuple(self._later) if self.variant == "dr" else steps

    def auxiliary_losses(
        self, logits: Tensor, y: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        """Return the counterfactual risk and, if there is one, the imputation's loss.

        A row counts with its weight on the conversion where both labels are known. The
        risks of several steps are added.
        """
        conversion, imputed = logits[:, self._later], logits[:, self.n_tasks :]
        clicked, converted = y[:, self._before], y[:, self._later]
        known = weight[:, self._later] * (weight[:, self._before] > 0)
        inverse = clicked / self.propensities(logits)
        if self.variant == "ipw":
            risk = inverse * _cross_entropy(conversion, converted)
            return {"counterfactual": self.counterfactual_weight * _sum(known * risk)}
        rate = torch.sigmoid(imputed)
        guess = rate.detach()
        # The error less the expected one, without the part that both have in common.
        surprise = (guess - converted) * conversion
        risk = _cross_entropy(conversion, guess) + inverse * surprise
        missed = inverse * ((rate - converted) * conversion.detach()).square()
        return {
            "counterfactual": self.counterfactual_weight * _sum(known * risk),
            "imputation": self.imputation_weight * _sum(known * missed),
        }

    def propensities(self, logits: Tensor) -> Tensor:
        """Return the predicted click probabilities, clipped, as constants.

        They are (n_samples, n_later): for each step that builds on another, the chance
        to come as far as that one.
        """
        return self._reached(logits).clamp(min=self.propensity_clip)

    def weight_summary(self, logits: Tensor, y: Tensor) -> dict[str, list[float]]:
        r"""Return how extreme the inverse propensities of some rows are.

        Parameters
        ----------
        logits : Tensor of shape (n_samples, sum of head_widths)
        y : Tensor of shape (n_samples, n_steps)

        Returns
        -------
        summary : dict
            For each step that builds on another: ``steps``, its index;
            ``clipped_share``, the share of all rows whose propensity was clipped, for
            which the clicked ones do not make up in full; ``clicked_rows``, the number
            of clicked ones; ``effective_rows``, how many rows of equal weight would be
            as good as they are, :math:`(\sum w)^2 / \sum w^2`. Where that is a small
            part of them, a few decide.
        """
        clipped = self._reached(logits) < self.propensity_clip
        clicked = y[:, self._before]
        inverse = clicked / self.propensities(logits)
        squares = inverse.square().sum(0).clamp(min=torch.finfo(inverse.dtype).tiny)
        return {
            "steps": list(self._later),
            "clipped_share": clipped.to(inverse.dtype).mean(0).tolist(),
            "clicked_rows": clicked.sum(0).tolist(),
            "effective_rows": (inverse.sum(0).square() / squares).tolist(),
        }

    def cumulative_logits(self, logits: Tensor) -> Tensor:
        """Return the logits of click and click-and-conversion, (n, n_steps)."""
        return super().cumulative_logits(logits[:, : self.n_tasks])

    def conditional_log_proba(self, logits: Tensor) -> list[Tensor]:
        """Return the log-probabilities of a click, and of a conversion if clicked."""
        return super().conditional_log_proba(logits[:, : self.n_tasks])

    def combine(self, logits: Tensor) -> Tensor:
        """Return the logits of the mean of several networks' probabilities.

        Those of click and conversion are as of `FunnelStructure`; the imputation's is
        that of its mean rate.
        """
        answers = super().combine(logits[..., : self.n_tasks])
        return torch.cat([answers, mean_binary_logits(logits[..., self.n_tasks :])], 1)

    def _reached(self, logits: Tensor) -> Tensor:
        """Return the chance of each step that another builds on, a constant."""
        steps = logits.detach()[:, : self.n_tasks]
        return self._reached_and_lost(steps)[0][:, self._before].exp()


def _sum(risks: Tensor) -> Tensor:
    """Return the sum over the steps of the mean over the rows."""
    return risks.mean(0).sum()


def _cross_entropy(logits: Tensor, rate: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, rate, reduction="none")
