"""Reports on a fitted model: a page of HTML and a card of Markdown."""
