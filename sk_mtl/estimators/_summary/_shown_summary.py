"""The summary of a fit, alone and in the HTML of a fitted estimator."""

from __future__ import annotations

from typing import Any, ClassVar

from sklearn.utils.validation import check_is_fitted

from sk_mtl.estimators._summary._fit_summary import FitSummary

# Below the diagram of scikit-learn, closed like its tables.
_SECTION = (
    '<details style="font-family: monospace"><summary>Summary of the fit</summary>'
    "{}</details>"
)


class ShownSummary:
    """Mixin of estimators: the summary of a fit, which a notebook shows as well.

    The names of parameters link to the pages of the site, with their descriptions as
    tooltips.
    """

    _doc_link_module: ClassVar[str] = "sk_mtl"
    _doc_link_template: ClassVar[str] = (
        "https://sk-mtl.readthedocs.io/en/stable/generated/sk_mtl.{estimator_name}.html"
    )

    def summary(self):
        """Return a summary of the fit: training, values of "auto", numbers of weights.

        Returns
        -------
        summary : FitSummary
            Printed, a text of three tables, which a notebook shows as HTML, also below
            the diagram of the fitted estimator. As data frames they are its attributes
            `training`, `choices` and `weights`.

        Examples
        --------
        The last table counts the weights that tasks share, and the weights that the
        logits of a single task depend on.

        >>> from sk_mtl import MMOEClassifier
        >>> from sk_mtl.datasets import load_adult
        >>> X, y = load_adult(return_X_y=True)
        >>> model = MMOEClassifier(random_state=0).fit(X[:1000], y[:1000])
        >>> summary = model.summary()
        >>> summary.choices.loc["max_epochs", "value"]
        '5'
        >>> summary.weights.loc["towers"].to_dict()
        {'weights': 16904, 'shared': 0, 'income': 8452, 'married': 8452}
        """
        check_is_fitted(self)
        return FitSummary.of(type(self).__name__, self._state)

    def _repr_html_inner(self) -> str:
        """Return scikit-learn's diagram, and the summary of a fit."""
        return super()._repr_html_inner() + self._summary_html()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        """Return what a notebook shows."""
        shown = super()._repr_mimebundle_(**kwargs)
        if "text/html" in shown:
            shown["text/html"] += self._summary_html()
        return shown

    def _summary_html(self) -> str:
        if "_state" not in vars(self):
            return ""
        return _SECTION.format(self.summary()._repr_html_())
