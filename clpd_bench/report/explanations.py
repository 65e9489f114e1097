"""How to read the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from clpd_bench.analysis.comparisons import Comparison
from clpd_bench.analysis.declaration import Declaration
from clpd_bench.report.context import ReportContext
from clpd_bench.report.rows import Rows, primary_name
from clpd_bench.report.verdict import CORRECTED, CORRECTION
from clpd_bench.results.diverged import DivergedStudent

SECONDARY = (
    "Secondary results: not what the verdict is about. Many are looked at here, so some differ by chance: q is the p "
    "of a test after Benjamini-Hochberg over all of them, for exploratory reading."
)
_CLAIMS = {
    "these items": "The test is a seed-paired t on these items: it claims nothing about other items.",
    "new items": "The test claims something about other items like these, too: its variance is two-way cluster-robust "
    "over seeds and items.",
}
_POLICIES = {
    "last_checkpoint": "Evaluated as they were before the step that failed or, without one, at their end, as the file "
    "declares: ",
    "drop_pair": "Left out together with their pairs, as the file declares: ",
}
_PUBLISHED = (
    "Published: as its source has it, ± its standard deviation over seeds where it gives one. It was not run here: "
    "models, data, prompts and code may differ in more than is known."
)
_COMPATIBLE = (
    "Welch's t-test of the two means over seeds, where the published one has a spread and a number of seeds; else "
    "whether it lies in the prediction interval for the mean of as many further runs of ours (one, where the number is "
    "not given); for one model, whether it lies in Wilson's interval over items. Compatible is not equal: to few seeds "
    "much is compatible."
)


def explanations(context: ReportContext) -> list[str]:
    """What the columns mean and what the tests claim."""
    declaration, factorial = context.declaration, context.factorial
    family = ", ".join(declaration.family) or "nothing was declared"
    corrected = declaration.correction != "none"
    within = f"{CORRECTION[declaration.correction]} within the family, separately for each benchmark and metric"
    sentences = [
        f"Baseline: {declaration.baseline}. Family: {family}. Correction: {within if corrected else 'none'}, at alpha "
        f"= {declaration.alpha:g}.",
        f"The primary result is {primary_name(context)}; everything else is secondary.",
        f"Mean ± standard deviation over seeds ({context.seeds} unless it says otherwise) of the mean over items; then "
        f"the difference to the baseline, arm - baseline, with its 95% interval, then p "
        f"{CORRECTED[declaration.correction]} where the arm is in the family. A reference is one model and has no "
        "standard deviation.",
        _CLAIMS[declaration.generalise_to],
    ]
    if corrected:
        name = CORRECTION[declaration.correction]
        sentences.append(f"The 95% intervals are unadjusted: {name} corrects the p-values only.")
    if factorial is not None:
        sentences.append(
            f"The interaction is {factorial.clpd} - {factorial.data_ordering} - "
            f"{factorial.teacher_scheduling} + {factorial.standard}, on the scale of the metric "
            "itself (for accuracy: probabilities, not log-odds)."
        )
    return sentences


def tests_explained(declaration: Declaration) -> list[str]:
    """What the columns of the table of tests mean."""
    sentences = [
        "Standard deviations are over seeds, of the mean over items. Pairs earn their name by their correlation: where "
        "it is near zero, Welch's test, which knows of no pairs, says as much. d_z is the difference in standard "
        "deviations of the paired difference."
    ]
    if declaration.generalise_to == "these items":
        sentences.append(
            "On new items, were these a sample of others like them: a two-way cluster-robust interval over seeds and "
            "items. It is not the declared claim."
        )
    if declaration.margin is not None:
        sentences.append("Equivalence: two one-sided tests (TOST) against the margin that the file declares.")
    return sentences


def standings_explained(tests: Iterable[Comparison], context: ReportContext) -> list[str]:
    """Why comparisons are confirmatory or exploratory: each reason once, with those that have it."""
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    notes: dict[str, dict[str, None]] = {}
    for test in tests:
        one = context.standings.of(test)
        reasons.setdefault((one.word, one.why), {})[test.arm] = None
        for note in one.notes:
            notes.setdefault(note, {})[test.arm] = None
    return [
        *(f"{word.capitalize()}: {', '.join(arms)}. {why}" for (word, why), arms in reasons.items()),
        *(f"{', '.join(arms)}: {note}" for note, arms in notes.items()),
    ]


def divergences_explained(diverged: list[DivergedStudent], policy: str, biased: Mapping[str, str]) -> list[str]:
    """The students that diverged, with the reason, and what was done with them and to the comparisons."""
    if not diverged:
        return []
    return [
        f"Students that diverged: {len(diverged)}. {_POLICIES[policy]}{'; '.join(map(str, diverged))}.",
        *(f"{arm}: {why}." for arm, why in biased.items()),
    ]


def published_explained(rows: Rows, context: ReportContext) -> list[str]:
    """What the columns of published numbers mean, where the numbers stand, and which of them are not shown; nothing
    where there are none."""
    if not context.published:
        return []
    sources: dict[str, dict[str, None]] = {}
    for row in [*rows.references, *rows.arms]:
        for one in row.published:
            if one is not None:
                sources.setdefault(one.source, {})[row.name] = None
    return [
        _PUBLISHED,
        f"Compatible, at alpha = {context.declaration.alpha:g}: {_COMPATIBLE}",
        *(f"Published in {source}: {', '.join(names)}." for source, names in sources.items()),
        *(f"Not shown: {sentence}" for sentence in rows.not_shown),
    ]


def all_tests(rows: Rows) -> list[Comparison]:
    return [test for row in rows.compared for test in row.tests if test is not None]
