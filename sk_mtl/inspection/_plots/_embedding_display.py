"""The embeddings of a column's categories in two dimensions."""

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from sk_mtl._frames import as_pandas, column_names
from sk_mtl.inspection._plots._display import Display
from sk_mtl.inspection._plots._fitted_model import model_and_rows
from sk_mtl.inspection._plots._style import (
    INK,
    PALETTE,
    house_style,
    make_panels,
    short,
)
from sk_mtl.preprocessing import FeatureArrays

_MOST_LABELS = 40


class EmbeddingDisplay(Display):
    """Embeddings of a column's categories, in the two directions of most variance.

    Categories that the network treats alike lie close together. The axes are the first
    two principal components of the embeddings, with their shares of the variance: if
    the two shares are small together, distances in the picture say little. Larger dots
    are more frequent categories, and labels that would overlap are left out.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns: columns `category`, `rows`, `x`, `y` and, where `values`
        were given, `value`.
    column : str, default="column"
    explained : tuple of float, default=None
        Shares of the variance of the two axes.
    value_name : str, default="mean value"

    Attributes
    ----------
    figure_, axes_, ax_ : Figure, list of Axes, Axes
        Of the last picture; `ax_` is the first of the axes.
    lines_ : dict
        The dots of the last picture as "points".

    Examples
    --------
    >>> from sk_mtl import MMOEClassifier
    >>> from sk_mtl.datasets import load_adult
    >>> from sk_mtl.inspection import EmbeddingDisplay
    >>> X, y = load_adult(return_X_y=True)
    >>> X, y = X[:500], y[:500]
    >>> model = MMOEClassifier(max_epochs=1, random_state=0).fit(X, y)
    >>> display = EmbeddingDisplay.from_estimator(model, X, "race")
    >>> list(display.frame())
    ['category', 'rows', 'x', 'y']
    """

    def __init__(self, table, column="column", explained=None, value_name="mean value"):
        super().__init__(table)
        self.column = column
        self.explained = explained
        self.value_name = value_name

    @classmethod
    def from_estimator(cls, estimator, X, column, *, values=None, member=0, ax=None):
        """Draw the embeddings of the categories that a column of X holds.

        Parameters
        ----------
        estimator : estimator
            Fitted; a multi-task model, or a pipeline or search of one.
        X : {DataFrame, array-like} of shape (n_samples, n_features)
            Rows with the categories to draw.
        column : str
            A column of X that the model embeds.
        values : array-like of shape (n_samples,), default=None
            Numbers of the rows, such as labels or predictions of a task. A category is
            coloured by their mean.
        member : int, default=0
            The member of an ensemble whose embeddings are drawn.
        ax : Axes, default=None
            The axes to draw in. None makes a figure.

        Returns
        -------
        display : EmbeddingDisplay
        """
        model, X = model_and_rows(cls.__name__, estimator, X, "predictor_")
        network = model.predictor_
        position = _position_of(cls.__name__, network.schema, column)
        codes = network.encode(X).codes[:, position]
        categories = _categories(X, column, codes, values)
        vectors = _embeddings(network, position, categories.index.to_numpy(), member)
        if len(vectors) < 3 or vectors.shape[1] < 2:
            raise ValueError(
                f"{cls.__name__} needs three categories or more with embeddings of two "
                f"numbers or more; found {len(vectors)} of {vectors.shape[1]} in "
                f"{column!r}. Choose another column, or set embedding_dim."
            )
        pca = PCA(2, svd_solver="full")
        points = pca.fit_transform(vectors)
        table = categories.reset_index(drop=True)
        table.insert(2, "x", points[:, 0])
        table.insert(3, "y", points[:, 1])
        explained = tuple(pca.explained_variance_ratio_.tolist())
        name = getattr(values, "name", None)
        value_name = "mean value" if name is None else f"mean of {name}"
        return cls(table, column, explained, value_name).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the categories.

        Parameters
        ----------
        ax : Axes, default=None
            The axes to draw in. None makes a figure.

        Returns
        -------
        self : EmbeddingDisplay
            With the artists `figure_`, `axes_`, `ax_` and `lines_`.
        """
        table = self._table
        shares = self.explained or (None, None)
        labels = [
            f"component {k + 1}" + (f" ({share:.0%} of variance)" if share else "")
            for k, share in enumerate(shares)
        ]
        with house_style():
            panels = make_panels(1, ax, alone=(6.2, 4.8), labels=[tuple(labels)])
            axes = panels.axes[0]
            size = 12 + 160 * table["rows"] / table["rows"].max()
            style = {"color": PALETTE[0]}
            if "value" in table:
                style = {"c": table["value"], "cmap": "cividis"}
            points = axes.scatter(
                table["x"], table["y"], s=size, alpha=0.75, linewidth=0, **style
            )
            axes.margins(0.08)
            axes.set_title(f"{short(self.column)}: {len(table)} categories")
            if "value" in table:
                bar = panels.figure.colorbar(points, ax=axes, label=self.value_name)
                bar.outline.set_visible(False)
            _add_labels(axes, table)
        return self._keep(panels, {"points": points})


def _position_of(display, schema, column):
    """Return the position of a column among the categorical features, or raise."""
    found = [
        schema.categorical_names.index(name)
        for name in schema.names_of(column)
        if name in schema.categorical_names
    ]
    if len(found) != 1:
        raise ValueError(
            f"{display} needs a column that the model embeds, one of "
            f"{schema.categorical_names}; found {column!r}. Use one of these names."
        )
    return found[0]


def _categories(X, column, codes, values):
    """Return the category, the rows and the mean value of each known code."""
    names = column_names(X)
    raw = codes
    if column in names:
        raw = as_pandas(X).iloc[:, names.index(column)].astype(object).to_numpy()
    rows = pd.DataFrame({"code": codes, "category": raw})
    if values is not None:
        rows["value"] = np.asarray(values, dtype=float)
    # Categories that are rare or unknown have no row of their own in the table.
    groups = rows[codes > 0].groupby("code")
    table = pd.DataFrame(
        {"category": groups["category"].agg(_label), "rows": groups.size()}
    )
    if values is not None:
        table["value"] = groups["value"].mean()
    return table


def _label(categories):
    """Return the name of a code: its category, or what several have in common."""
    known = pd.unique(categories)
    if len(known) == 1:
        return "missing" if pd.isna(known[0]) else str(known[0])
    return f"{len(known)} rare categories"


def _embeddings(network, position, codes, member):
    """Return the rows of the embedding table, (n_categories, width)."""
    schema = network.schema
    rows = np.zeros((len(codes), schema.n_categorical), dtype=np.int32)
    rows[:, position] = codes
    numeric = np.zeros((len(codes), schema.n_numeric), dtype=network.dtype)
    empty = np.full((len(codes), 1), -1, dtype=np.int32)
    arrays = FeatureArrays(rows, numeric, (empty,) * schema.n_sequences)

    def look_up(module, *inputs):
        def embed(net, encoded):
            # Of several sets, the first: the shared one, or of the first task.
            encoder = getattr(net.encoder, "encoders", [net.encoder])[0]
            place = encoder.tables.find_column(position)
            block = encoder.tables.look_up(inputs[0])[place.block]
            return [block[..., place.start : place.start + place.width]]

        return module.each(embed, *inputs)

    (vectors,) = network.evaluate(look_up, arrays)
    return vectors[:, member] if vectors.ndim == 3 else vectors


def _add_labels(ax, table):
    """Write the names of categories, most frequent first, where there is room."""
    ax.figure.canvas.draw()
    taken, middle = [], sum(ax.get_xlim()) / 2
    order = table["rows"].sort_values(ascending=False, kind="stable").index
    for k in order[:_MOST_LABELS]:
        # Towards the middle, so that no name leaves the axes.
        is_left = table.at[k, "x"] < middle
        text = ax.annotate(
            short(table.at[k, "category"], 20),
            (table.at[k, "x"], table.at[k, "y"]),
            xytext=(5 if is_left else -5, 4),
            textcoords="offset points",
            ha="left" if is_left else "right",
            fontsize=7.5,
            color=INK,
        )
        # The axes would shrink for names, and the names move.
        text.set_in_layout(False)
        box = text.get_window_extent()
        if any(box.overlaps(other) for other in taken):
            text.remove()
        else:
            taken.append(box)
