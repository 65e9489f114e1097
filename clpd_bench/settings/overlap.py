"""What is done where parts of one source share a question."""

from __future__ import annotations

from typing import Literal

Overlap = Literal["refuse", "drop_train", "drop_test"]
"""The source is refused, or the part gives way that is nearer to training, or the one that is nearer to the test; what
was left out is counted in the corpus and on the report's page."""
