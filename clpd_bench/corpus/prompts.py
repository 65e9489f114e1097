"""The texts of an example: prompt and response, plain or by the tokenizer's chat template."""

from __future__ import annotations

import json

import jinja2
from transformers import PreTrainedTokenizerFast

from clpd_bench.corpus.example import Example, example_ids
from clpd_bench.corpus.sameness import alike, sameness
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.corpus import Chat, CorpusSettings

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


Message = dict[str, str]
FIRST, ANSWER, SECOND = "Question-1.", "Answer-1.", "Question-2."
"""Texts of a conversation that shows what a template puts around them."""

NO_CLOCK = "a chat template asked for today's date"


class ChatForm:
    """Each example a conversation: the system message, the worked examples as earlier turns, the question.

    Attributes:
        front: what the template writes before the first turn: the system message, whoever gave it.
        end: the token that the template puts after an assistant's turn.
    """

    def __init__(self, settings: CorpusSettings, shots: list[Example], tokenizer: PreTrainedTokenizerFast) -> None:
        assert settings.chat is not None
        self._settings, self._chat, self._tokenizer = settings, settings.chat, tokenizer
        if not tokenizer.chat_template:
            raise UserError(
                "the tokenizer has no chat template",
                key="chat",
                fix="Take chat out of the corpus, or use the tokenizer of a model that was tuned for conversations",
            )
        given = self._chat.system not in (None, "default")
        self._before: list[Message] = [{"role": "system", "content": str(self._chat.system)}] if given else []
        self._template = _without_clock(tokenizer.get_chat_template(), self._chat)
        self.end, self._behind = self._ending()
        self.front = self._front()
        for e in shots:
            self._before += [_user(question_text(e, settings)), _assistant(response_text(e, settings))]

    def prompt(self, example: Example) -> str:
        """Up to where the assistant begins."""
        return self._render([*self._before, _user(question_text(example, self._settings))], ask=True)

    def response(self, example: Example) -> str:
        """
        Raises:
            UserError: the template writes something else behind the prompt.
        """
        response = response_text(example, self._settings)
        prompt = self.prompt(example)
        turns = [_user(question_text(example, self._settings)), _assistant(response)]
        whole, wanted = self._render([*self._before, *turns]), prompt + response + self._behind
        if whole != wanted:
            place = alike(whole, wanted)
            raise UserError(
                f"the chat template writes {whole[place : place + 60]!r} where prompt and response go on "
                f"{wanted[place : place + 60]!r}",
                file=example.file,
                line=example.line,
                key="chat",
                fix="A template that leaves room for reasoning may want chat.arguments: {enable_thinking: false}; one "
                "that takes white space away wants response_start: '' and questions without white space around them",
            )
        return response

    def _render(self, messages: list[Message], ask: bool = False) -> str:
        """
        Raises:
            UserError: the template refuses the messages, or asks for today's date.
        """
        try:
            text = self._tokenizer.apply_chat_template(
                messages,
                tokenize=False,
                chat_template=self._template,
                add_generation_prompt=ask,
                **self._chat.arguments,
            )
        except (jinja2.TemplateError, ValueError, TypeError) as error:
            message = str(error).strip() or type(error).__name__
            if message == NO_CLOCK:
                raise UserError(
                    "the chat template asks for today's date, so that a corpus made tomorrow would be another one",
                    key="chat.arguments",
                    fix="Give it one: chat: {arguments: {date_string: 26 Jul 2024}}",
                ) from None
            if messages[0]["role"] == "system":
                raise UserError(
                    f"the chat template refuses a conversation with a system message: {message}",
                    key="chat.system",
                    fix="Take system out, and write what it says into prompt",
                ) from None
            raise UserError(f"the chat template refuses a conversation: {message}", key="chat") from None
        return str(text)

    def _front(self) -> str:
        """What stands before the first turn and not before a later one; nothing, where that is the one token that
        begins every text.

        Raises:
            UserError: it is a system message that the file does not speak of, or not the one it gives.
        """
        whole = self._render([*self._before, _user(FIRST), _assistant(ANSWER), _user(SECOND)])
        first, later = whole.index(FIRST), whole.index(SECOND)
        of_every_turn = whole[whole.index(ANSWER) + len(ANSWER) : later].removeprefix(self._behind)
        front = whole[:first].removesuffix(of_every_turn)
        if front == self._tokenizer.bos_token:
            front = ""
        system = self._chat.system
        if system is None and front.strip():
            raise UserError(
                f"the chat template puts a system message of its own in front of the question: {front!r}",
                key="chat.system",
                fix="Write chat: {system: default} to keep it, or give the text of another one",
            )
        if system == "default" and not front.strip():
            raise UserError(
                "the chat template has no system message of its own", key="chat.system", fix="Take system: default out"
            )
        if self._before and str(system).strip() not in whole[:first]:
            raise UserError(f"the chat template leaves the system message {str(system)[:60]!r} out", key="chat.system")
        return front

    def _ending(self) -> tuple[int, str]:
        """(end token, all that follows an assistant's turn at the end of a conversation)."""
        whole = self._render([*self._before, _user(FIRST), _assistant(ANSWER)])
        _, there, behind = whole.rpartition(ANSWER)
        if not there:
            raise UserError("the chat template does not write out the messages that it is given", key="chat")
        ids = self._tokenizer(behind, add_special_tokens=False)["input_ids"]
        special = {i for i, token in self._tokenizer.added_tokens_decoder.items() if token.special}
        if not ids or ids[0] not in special | {self._tokenizer.eos_token_id}:
            raise UserError(
                f"the chat template ends the assistant's turn with {behind!r}, which does not begin with a token that "
                "ends it",
                key="chat",
                fix="Take chat out of the corpus and write the conversation's form into prompt",
            )
        return ids[0], behind


def _user(text: str) -> Message:
    return {"role": "user", "content": text}


def _assistant(text: str) -> Message:
    return {"role": "assistant", "content": text}


def _without_clock(template: str, chat: Chat) -> str:
    """The template with the file's own date, or none, in place of the clock that transformers gives to it."""
    if "strftime_now" not in template:
        return template
    date = chat.arguments.get("date_string")
    value = f"raise_exception({json.dumps(NO_CLOCK)})" if date is None else json.dumps(str(date))
    return f"{{%- macro strftime_now(form) -%}}{{{{ {value} }}}}{{%- endmacro -%}}{template}"
