"""The report: page, tables, figures, model cards, and the sentences around them."""
