"""Chat templates: tokens as the template itself gives them, and nothing in the prompt that the file does not say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chat_templates import CHATML, DEFAULT, GEMMA, GENERATION, LLAMA3, MISTRAL, QUIET, THINKING, chat_tokenizer
from pydantic import ValidationError

from clpd_bench.corpus.build import build
from clpd_bench.corpus.example import Example
from clpd_bench.corpus.prompts import ChatForm
from clpd_bench.corpus.reader import Split, read_split, read_summary
from clpd_bench.errors import UserError
from clpd_bench.settings.parts.corpus import CorpusSettings

DATE = {"date_string": "26 Jul 2024"}
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "chatml": (CHATML, {}),
    "chatml, a system message": (CHATML, {"system": "Be brief."}),
    "a default kept": (DEFAULT, {"system": "default"}),
    "a default replaced": (DEFAULT, {"system": "Be brief."}),
    "a default emptied": (DEFAULT, {"system": ""}),
    "dated": (LLAMA3, {"system": "default", "arguments": DATE}),
    "dated, a system message": (LLAMA3, {"system": "Be brief.", "arguments": DATE}),
    "no system role": (GEMMA, {}),
    "no generation prompt": (MISTRAL, {}),
    "no thinking": (THINKING, {"arguments": {"enable_thinking": False}}),
}


def made(tmp_path: Path, template: str | None, chat: dict[str, Any], **changed: Any) -> Path:
    for name, numbers in (("train", range(60)), ("test", range(100, 105))):
        rows = [{"question": f"q{i}?", "rationale": f"sinc\u00e9 \u6570{i}", "answer": f"{i}"} for i in numbers]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    files = {name: str(tmp_path / f"{name}.jsonl") for name in ("train", "test")}
    chat_tokenizer(template).save_pretrained(tmp_path / "lender" / "tokenizer")
    settings = {"source": {"name": "jsonl", **files, "rationale": "rationale"}, "tokenizer": "same_as:x", "chat": chat}
    out = tmp_path / "corpus"
    out.mkdir()
    build(CorpusSettings.model_validate({**settings, **changed}), out, tmp_path / "lender")
    return out


def messages(split: Split, i: int, chat: dict[str, Any]) -> list[dict[str, str]]:
    given = chat.get("system") not in (None, "default")
    return [
        *([{"role": "system", "content": chat["system"]}] if given else []),
        {"role": "user", "content": split.texts("question")[i]},
        {"role": "assistant", "content": split.texts("response")[i]},
    ]


@pytest.mark.parametrize("form", list(FORMS))
def test_tokens_are_those_of_the_templates_whole_conversation(tmp_path: Path, form: str) -> None:
    template, chat = FORMS[form]
    split, tokenizer = read_split(made(tmp_path, template, chat), "test"), chat_tokenizer(template)
    for i in range(len(split.ids)):
        whole = tokenizer.apply_chat_template(messages(split, i, chat), return_dict=False, **chat.get("arguments", {}))
        ours = [*split.prompts[i].tolist(), *split.responses[i].tolist()]
        assert whole[: len(ours)] == ours
        assert tokenizer.decode(whole[len(ours) :]).strip() == ""
        asked = tokenizer.apply_chat_template(
            messages(split, i, chat)[:-1],
            add_generation_prompt=True,
            return_dict=False,
            **chat.get("arguments", {}),
        )
        assert asked == split.prompts[i].tolist()
        assert tokenizer(split.texts("prompt")[i], add_special_tokens=False)["input_ids"] == asked


def test_the_loss_covers_what_the_template_calls_the_assistants(tmp_path: Path) -> None:
    split, tokenizer = read_split(made(tmp_path, GENERATION, {}), "test"), chat_tokenizer(GENERATION)
    for i in range(len(split.ids)):
        whole = tokenizer.apply_chat_template(
            messages(split, i, {}), return_dict=True, return_assistant_tokens_mask=True
        )
        ours = [0] * len(split.prompts[i]) + [1] * len(split.responses[i])
        assert whole["assistant_masks"][: len(ours)] == ours
        assert not any(whole["assistant_masks"][len(ours) :])


@pytest.mark.parametrize(("template", "end"), [(GEMMA, "<end_of_turn>"), (MISTRAL, "</s>"), (CHATML, "<|im_end|>")])
def test_a_response_ends_with_the_token_that_the_template_ends_a_turn_with(
    tmp_path: Path, template: str, end: str
) -> None:
    split, tokenizer = read_split(made(tmp_path, template, {}), "test"), chat_tokenizer(template)
    for i in range(len(split.ids)):
        assert split.responses[i][-1] == tokenizer.convert_tokens_to_ids(end)
        assert end not in split.texts("response")[i]


def test_worked_examples_are_earlier_turns(tmp_path: Path) -> None:
    split = read_split(made(tmp_path, CHATML, {"system": "Be brief."}, shots=2), "test")
    turns = split.texts("prompt")[0].split("<|im_start|>")[1:]
    assert [turn.split("\n")[0] for turn in turns] == ["system", *["user", "assistant"] * 3]
    shown = [turn.split("\n", 1)[1].removesuffix("<|im_end|>\n") for turn in turns]
    for question, response in ((shown[1], shown[2]), (shown[3], shown[4])):
        number = question[1:-1]
        assert response == f"sinc\u00e9 \u6570{number}\n#### {number}"


def test_prompt_is_the_users_turn(tmp_path: Path) -> None:
    split = read_split(made(tmp_path, CHATML, {}, prompt="Solve: {question}"), "test")
    assert f"<|im_start|>user\nSolve: {split.texts('question')[0]}<|im_end|>" in split.texts("prompt")[0]


@pytest.mark.parametrize(
    ("template", "chat", "told"),
    [
        (DEFAULT, {}, r"chat\.system: .* a system message of its own .*You are a helper.*system: default"),
        (LLAMA3, {"arguments": DATE}, r"chat\.system: .* a system message of its own .*Today Date: 26 Jul 2024"),
        (LLAMA3, {"system": "default"}, r"chat\.arguments: the chat template asks for today's date,.*date_string"),
        (CHATML, {"system": "default"}, r"chat\.system: the chat template has no system message of its own"),
        (GEMMA, {"system": "Be brief."}, r"chat\.system: .*refuses.*System role not supported.*Take system out"),
        (QUIET, {"system": "Be brief."}, r"chat\.system: the chat template leaves the system message 'Be brief.' out"),
        (THINKING, {}, r"writes '<think>.*where prompt and response go on 'sinc.*enable_thinking: false"),
        (None, {}, r"chat: the tokenizer has no chat template"),
    ],
)
def test_what_a_template_would_do_unseen_is_refused(
    tmp_path: Path, template: str | None, chat: dict[str, Any], told: str
) -> None:
    with pytest.raises(UserError, match=told):
        made(tmp_path, template, chat)


def test_a_template_that_always_asks_for_the_date_gets_the_files() -> None:
    tokenizer = chat_tokenizer(CHATML)
    settings = {"source": {"name": "chained_sums", "train": 1}, "tokenizer": "same_as:x"}
    dated = CorpusSettings.model_validate({**settings, "chat": {"arguments": {"date_string": "1999"}}})
    tokenizer.chat_template = "{{ '<|im_start|>' + strftime_now('%Y') + '<|im_end|>' }}" + CHATML
    with pytest.raises(UserError, match="a system message of its own"):
        ChatForm(dated, [], tokenizer)
    kept = CorpusSettings.model_validate(
        {**settings, "chat": {"system": "default", "arguments": {"date_string": "1999"}}}
    )
    assert ChatForm(kept, [], tokenizer).prompt(Example("q", "r", "a")).startswith("<|im_start|>1999<|im_end|>")


def test_the_summary_says_which_system_message_stands_in_the_prompts(tmp_path: Path) -> None:
    summary = read_summary(made(tmp_path, DEFAULT, {"system": "default"}, shots=1))
    assert summary["system"] == "<|im_start|>system\nYou are a helper.<|im_end|>\n"
    assert summary["shots"] == 1


@pytest.mark.parametrize("tokenizer", ["characters", "bpe"])
def test_a_tokenizer_made_from_the_corpus_has_no_chat_template(tokenizer: str) -> None:
    with pytest.raises(ValidationError, match=rf"chat wants the tokenizer of a pretrained model, and {tokenizer} has"):
        CorpusSettings.model_validate(
            {"source": {"name": "chained_sums", "train": 1}, "tokenizer": tokenizer, "chat": {}}
        )


def test_under_chat_a_named_data_set_asks_the_bare_question() -> None:
    source = {"name": "svamp", "file": "x"}
    named = CorpusSettings.model_validate({"source": source, "tokenizer": "same_as:x", "chat": {}})
    assert (named.prompt, named.response_start) == ("{question}", "")
