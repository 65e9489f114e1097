"""Figures of a report, one a file: each a function from data to a matplotlib `Figure`."""
