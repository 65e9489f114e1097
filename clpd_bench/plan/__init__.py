"""Cells become jobs: a DAG in which what is shared stands once."""
