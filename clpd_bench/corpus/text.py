"""The texts of an example: prompt and response, and the worked examples in front of a prompt."""

from __future__ import annotations

from transformers import PreTrainedTokenizerFast

from clpd_bench.corpus.example import Example, example_ids
from clpd_bench.corpus.sameness import sameness
from clpd_bench.errors import UserError
from clpd_bench.settings.corpus import CorpusSettings

SHOT_SEPARATOR = "\n\n"
"""Behind each worked example."""


def question_text(example: Example, settings: CorpusSettings) -> str:
    """The prompt of one example without anything in front."""
    return settings.prompt.replace("{question}", example.question)


def response_text(example: Example, settings: CorpusSettings) -> str:
    """What is learnt, without the end token."""
    marked = f"{example.rationale}{settings.answer_marker}" if example.rationale else ""
    return f"{settings.response_start}{marked}{example.answer}"


def take_shots(training: list[Example], count: int) -> tuple[list[Example], list[Example]]:
    """(worked examples, what remains for training): those of distinct questions whose ids come first, the same
    whatever the order of the file and the limit, which keeps what comes first too.

    Raises:
        UserError: nothing would remain.
    """
    shots: dict[str, Example] = {}
    keys = [sameness(e.question) for e in training] if count else []
    for _, i in sorted(zip(example_ids(training), range(len(training)), strict=True)):
        if len(shots) == count:
            break
        shots.setdefault(keys[i], training[i])
    rest = [e for e, key in zip(training, keys, strict=True) if key not in shots] if count else training
    if len(shots) < count or not rest:
        raise UserError(
            f"{count} worked examples are to be taken out of the training split, and nothing would remain of it",
            key="shots",
            fix="Ask for fewer, or give more training examples",
        )
    return list(shots.values()), rest


class Plain:
    """Prompts as `prompt` has them, behind the worked examples."""

    def __init__(self, settings: CorpusSettings, shots: list[Example], tokenizer: PreTrainedTokenizerFast) -> None:
        self._settings = settings
        worked = (question_text(e, settings) + response_text(e, settings) + SHOT_SEPARATOR for e in shots)
        self.before = opening(tokenizer) + "".join(worked)
        self.end: int = tokenizer.eos_token_id

    def prompt(self, example: Example) -> str:
        return self.before + question_text(example, self._settings)

    def response(self, example: Example) -> str:
        return response_text(example, self._settings)


def opening(tokenizer: PreTrainedTokenizerFast) -> str:
    """What the tokenizer itself puts in front of a text that is to be continued: its `bos_token`, or nothing.

    It is written into the prompt, which is tokenised without additions wherever it is read.
    """
    alone = tokenizer("a", add_special_tokens=False)["input_ids"]
    added = tokenizer("a")["input_ids"]
    front = next(i for i in range(len(added)) if added[i : i + len(alone)] == alone)
    return "".join(tokenizer.convert_ids_to_tokens(added[:front]))
