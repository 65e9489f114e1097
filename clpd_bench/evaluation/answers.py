"""How the answer is taken out of a model's output, and what does not count when two answers are compared.

All of it is lm-eval's own: filters by regular expression, and `regexes_to_ignore` of its exact match, which are
taken out of output and answer alike. So a task's YAML holds it whole.
"""

from __future__ import annotations

import re
from typing import Any

from clpd_bench.errors import UserError
from clpd_bench.settings.evaluation import Extract

# A minus behind a digit or a bracket is an operator; commas count between groups of three digits alone.
_NUMBER = r"((?:(?<![0-9)])-)?\$?[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?)"
# Of letters in parentheses the first, wherever it stands; else the first that stands alone and is no article.
_LETTER = r"(?s)\A(?:.*?\(([A-E])\)|.*?\b(A(?! +[a-z])|[B-E])\b)"
_LINE = r"([^\n]*\S)"
FLEXIBLE: dict[Extract, tuple[str, int]] = {"number": (_NUMBER, -1), "letter": (_LETTER, 0), "line": (_LINE, -1)}
"""By what is extracted: the expression, and which of its matches counts."""

IGNORED: dict[Extract, tuple[str, ...]] = {
    # 1,080 = 1080; $5 = 5; 51.0 = 51. = 51; 5.50 = 5.5
    "number": (",", r"\$", r"(?<=[0-9])\.0*\.?$", r"(?<=\.[0-9])0+$"),
    # (B) = B. = B
    "letter": (r"^\(", r"[).]+$"),
    "line": (),
}


def strict_pattern(marker: str | None) -> str:
    """The rest of the line behind the answer marker, or, where responses hold no rationale, the first line."""
    line = r"([^\n]*[^\s])"
    return r"^\s*" + line if marker is None else re.escape(marker.strip()) + r"[^\S\n]*" + line


def filters(marker: str | None, extract: Extract | None) -> list[dict[str, Any]]:
    """lm-eval's `filter_list`: `strict`, and `flexible` where something is extracted."""
    found = [_filter("strict", strict_pattern(marker), 0)]
    return found if extract is None else [*found, _filter("flexible", *FLEXIBLE[extract])]


def targets(answer: str, extract: Extract) -> list[str]:
    """What counts as right: the answer, and what the flexible filter takes of it (`B` of `(B) bank`).

    Raises:
        UserError: the filter finds nothing in the answer itself.
    """
    pattern, which = FLEXIBLE[extract]
    found = [match if isinstance(match, str) else "".join(match) for match in re.findall(pattern, answer)]
    if not found:
        raise UserError(
            f"the answer {answer[:60]!r} holds no {extract}, so nothing that is extracted could be right",
            key="extract",
            found=extract,
            fix="Choose what to extract by what the corpus's answers are, or `extract: none`",
        )
    return list(dict.fromkeys([answer, found[which]]))


def _filter(name: str, pattern: str, which: int) -> dict[str, Any]:
    regex = {"function": "regex", "regex_pattern": pattern, **({"group_select": which} if which else {})}
    return {"name": name, "filter": [regex, {"function": "take_first"}]}
