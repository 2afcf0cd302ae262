"""The base of all displays."""

import pandas as pd


class Display:
    """Base of the displays: a table and its picture.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns.
    """

    def __init__(self, table):
        self._table = table

    def frame(self):
        """Return the table behind the picture.

        Returns
        -------
        table : DataFrame
            A copy.
        """
        return self._table.copy()

    def _by_task(self, column="task"):
        """Return the rows of each task, in the order of the table."""
        return dict(iter(self._table.groupby(column, sort=False)))

    def _keep(self, panels, artists):
        """Keep the artists of a picture, and return the display."""
        self.figure_ = panels.figure
        self.axes_ = panels.axes
        self.ax_ = panels.axes[0]
        self.lines_ = artists
        return self


def stack_tables(tables, column="task"):
    """Return the tables of several tasks as one, with the task as first column.

    Parameters
    ----------
    tables : dict of task to DataFrame
    column : str, default="task"
    """
    parts = [
        # A name may be a tuple, which is no column of values.
        table.assign(**{column: pd.Series([task] * len(table), table.index, object)})
        for task, table in tables.items()
    ]
    table = pd.concat(parts, ignore_index=True)
    return table[[column, *table.columns.drop(column)]]
