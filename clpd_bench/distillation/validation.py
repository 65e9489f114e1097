"""Checks on the validation split during training: when a run stops, and which of its models is its result.

Decided each time from all checks so far, so that a resumed run decides as an uninterrupted one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from transformers import PreTrainedModel

from clpd_bench.corpus.reader import Split
from clpd_bench.distillation.checkpoints import Checkpoint, KeptModels
from clpd_bench.distillation.likelihood import score
from clpd_bench.distillation.vocabulary import Vocabulary
from clpd_bench.settings.parts.training import BestValidation, EarlyStopping, Training

Seen = dict[str, float]
"""What a check saw: its step, and each metric."""


def best_check(seen: Sequence[Seen], wanted: BestValidation, end: int | None = None) -> Seen | None:
    """The best of the checks that are `wanted`'s, the earliest of equals; None where there is none yet.

    The model before its first step is no result of training, and one without a finite score none to choose.

    Args:
        seen: in the order of steps.
        end: the last step of the run, which is one of the checks; None while it goes on.
    """
    best: Seen | None = None
    for check in seen:
        step, value = int(check["step"]), check[wanted.metric]
        if step > 0 and (step % wanted.every == 0 or step == end) and math.isfinite(value):
            best = check if best is None or wanted.gain(value, best[wanted.metric]) > 0 else best
    return best


def last_gain(seen: Sequence[Seen], stopping: EarlyStopping) -> tuple[Seen, int]:
    """The last of `stopping`'s checks that was better than the best before it by more than `min_delta` (the check
    before the first step is the first), and how many of its checks have followed."""
    best, since = seen[0], 0
    for check in seen[1:]:
        if int(check["step"]) % stopping.every == 0:
            better = stopping.gain(check[stopping.metric], best[stopping.metric]) > stopping.min_delta
            best, since = (check, 0) if better else (best, since + 1)
    return best, since


def out_of_patience(seen: Sequence[Seen], stopping: EarlyStopping) -> bool:
    return last_gain(seen, stopping)[1] >= stopping.patience


def why_stopped(seen: Sequence[Seen], stopping: EarlyStopping) -> str:
    """A sentence about a run that was out of patience after the last of its checks."""
    best, since = last_gain(seen, stopping)
    by = f" by more than {stopping.min_delta:g}" if stopping.min_delta else ""
    return (
        f"stopped early, after step {seen[-1]['step']:.0f}: of the last {since} checks of the validation "
        f"{stopping.metric} none was better{by} than that of step {best['step']:.0f}, {best[stopping.metric]:.4g}"
    )


class StopNotReached(Exception):
    """All steps are done and the declared validation score was not reached."""


def validation_scores(
    model: PreTrainedModel, split: Split, training: Training, step: int, vocabulary: Vocabulary
) -> Seen:
    """What a check sees."""
    scores = score(model, split, training.micro_batch_tokens, vocabulary)
    return {"step": float(step), **{m: scores.mean(m) for m in ("response_loss", "sequence_accuracy")}}


class ValidationChecks:
    """The checks of one run.

    Of the best checks so far, the models are kept that may still become the result: that of the best one, and
    that of the best one when the newest checkpoint was written, which a resumed run goes on from.

    Args:
        kept: where models are kept; may be None where none are to be.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        split: Split,
        training: Training,
        vocabulary: Vocabulary,
        kept: KeptModels | None = None,
    ) -> None:
        if kept is None and isinstance(training.checkpoint, BestValidation):
            raise ValueError("checkpoint best_validation wants a folder to keep models in")
        self._model, self._split, self._training = model, split, training
        self._vocabulary, self._kept = vocabulary, kept
        self._seen: list[Seen] = []
        self._at_checkpoint: int | None = None

    def can_go_on(self, checkpoint: Checkpoint) -> bool:
        """Whether all models are there that the run should have kept by this checkpoint: one that is gone is made
        again by training from before it. That of the best check is brought into the run's own folder: the attempt
        that kept it, taken for dead, may be alive and drop it."""
        if self._kept is None:
            return True
        best = best_step(checkpoint.state["validation"], self._training)
        counted_on = [step for step in self._training.keep_steps if step <= checkpoint.step]
        return all(map(self._kept.has, counted_on)) and (best is None or self._kept.bring(best))

    def begin(self, seen: list[Seen]) -> None:
        """Checks before the first step, where no attempt has.

        Args:
            seen: what checks before an interruption saw; those to come are added to it.
        """
        self._seen, self._at_checkpoint = seen, best_step(seen, self._training)
        if not seen:
            self._check(0)

    def after(self, step: int) -> bool:
        """Checks, where it is time to, and keeps the model, where it is to be kept; whether the run ends here."""
        t = self._training
        choosing = t.checkpoint if isinstance(t.checkpoint, BestValidation) else None
        due = any(one and step % one.every == 0 for one in (t.stop, t.early_stopping, choosing))
        if due:
            self._check(step)
        if self._kept and (step in t.keep_steps or step == self._best()):
            self._kept.keep(step)
            self._drop()
        if not due:
            return False
        if t.stop:
            return t.stop.reached(self._seen[-1][t.stop.metric])
        return t.early_stopping is not None and out_of_patience(self._seen, t.early_stopping)

    def checkpointed(self) -> None:
        """To be told after each checkpoint."""
        self._at_checkpoint = self._best()
        self._drop()

    def end(self, steps: int) -> None:
        """The check behind the last step of a run that nothing has ended before.

        Raises:
            StopNotReached.
        """
        if self._seen[-1]["step"] != steps:
            self._check(steps)
        if not (stop := self._training.stop):
            return
        last = self._seen[-1][stop.metric]
        if not stop.reached(last):
            raise StopNotReached(
                f"after all {steps} steps the validation {stop.metric} is {last:.4g}, and the declared stop is "
                f"{stop.at:g}: allow more steps (epochs, a larger corpus), or ask for less"
            )

    def _check(self, step: int) -> None:
        self._seen.append(validation_scores(self._model, self._split, self._training, step, self._vocabulary))

    def _best(self) -> int | None:
        return best_step(self._seen, self._training)

    def _drop(self) -> None:
        """Drops models that are part of no result any more."""
        if self._kept and isinstance(self._training.checkpoint, BestValidation):
            self._kept.drop_all_but({*self._training.keep_steps, self._best(), self._at_checkpoint})


def best_step(seen: list[Seen], training: Training) -> int | None:
    """The step of the best check of a run that goes on; None where there is none yet, or none is asked for."""
    if not isinstance(training.checkpoint, BestValidation):
        return None
    best = best_check(seen, training.checkpoint)
    return None if best is None else int(best["step"])
