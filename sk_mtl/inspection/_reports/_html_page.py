"""A self-contained page of HTML: sections, tables and pictures."""

import base64
import re
from html import escape
from io import BytesIO

import pandas as pd

_CSS = """
:root { color-scheme: light; }
body { margin: 0; background: #fafafa; color: #222;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; padding-top: .6rem;
  border-top: 1px solid #ddd; }
p { max-width: 44rem; margin: .5rem 0; }
.note, figcaption { color: #666; font-size: .9rem; }
nav { margin: 1rem 0; }
nav a { margin-right: 1rem; color: #0072b2; text-decoration: none; }
.table { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .87rem; background: #fff; }
thead tr { text-align: right !important; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #eee;
  font-variant-numeric: tabular-nums; }
th { font-weight: 600; }
th:first-child, tbody th, td.text { text-align: left; }
thead th { border-bottom: 1px solid #bbb; }
figure { margin: 1rem 0; }
figure img { max-width: 100%; height: auto; background: #fff; }
"""
_DPI = 144
# A cell with more than a number.
_TEXT_CELL = re.compile(r"<td>(?![-+.,\d]+(?:e[-+]?\d+)?</td>)([^<]+)</td>")


class HtmlPage:
    """A page that is written section by section.

    Parameters
    ----------
    title, subtitle : str
    """

    def __init__(self, title, subtitle):
        self._title, self._subtitle = title, subtitle
        self._sections = []

    def section(self, title):
        """Begin a section."""
        self._sections.append((title, []))

    def text(self, words, css="text"):
        """Add a paragraph."""
        self._add(f'<p class="{css}">{escape(words)}</p>')

    def table(self, table, index=True):
        """Add a table; numbers get four digits, and missing ones stay empty."""
        shown = table.map(_cell).rename_axis(index=None, columns=None)
        self._add_table(shown, index=index)

    def facts(self, facts):
        """Add a table of two columns."""
        table = pd.DataFrame({"value": pd.Series(facts, dtype=object)})
        self._add_table(table.map(_cell), header=False)

    def picture(self, display, words):
        """Add the picture of a display, and close it."""
        from sk_mtl.inspection._plots._style import import_pyplot

        figure, buffer = display.figure_, BytesIO()
        figure.savefig(buffer, format="png", dpi=_DPI, facecolor="white")
        width = round(figure.get_figwidth() * 96)
        import_pyplot().close(figure)
        data = base64.b64encode(buffer.getvalue()).decode("ascii")
        self._add(
            f'<figure><img width="{width}" alt="{escape(words)}" '
            f'src="data:image/png;base64,{data}">'
            f"<figcaption>{escape(words)}</figcaption></figure>"
        )

    def html(self):
        """Return the page."""
        links = "".join(
            f'<a href="#s{k}">{escape(title)}</a>'
            for k, (title, _) in enumerate(self._sections)
        )
        sections = "".join(
            f'<section><h2 id="s{k}">{escape(title)}</h2>{"".join(parts)}</section>'
            for k, (title, parts) in enumerate(self._sections)
        )
        return (
            '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(self._title)}</title><style>{_CSS}</style></head>"
            f"<body><main><h1>{escape(self._title)}</h1>"
            f'<p class="note">{escape(self._subtitle)}</p><nav>{links}</nav>'
            f"{sections}</main></body></html>\n"
        )

    def _add_table(self, table, **options):
        html = _TEXT_CELL.sub(
            r'<td class="text">\1</td>', table.to_html(border=0, **options)
        )
        self._add(f'<div class="table">{html}</div>')

    def _add(self, html):
        self._sections[-1][1].append(html)


def _cell(value):
    """Return the text of a cell."""
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
