"""Folders of models as they are published, tiny: one tokenizer with a chat template, four sizes."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

SIZES = {"0.5B": 16, "1.5B": 24, "3B": 32, "7B": 48}
"""Widths by the size of the model that each stands for."""
CHAT = (
    "{% if messages[0]['role'] != 'system' %}<|im_start|>system\nYou are helpful.<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""ChatML with a system message of its own, as Qwen2.5 has it."""
PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Qwen2.5's, digits one by one."""


def tokenizer_on(texts: list[str]) -> PreTrainedTokenizerFast:
    """Byte-level byte-pair encoding of 512 tokens, which splits texts as transformers' class for these models does."""
    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=512, special_tokens=special, initial_alphabet=alphabet)
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=CHAT
    )


def write_models(folder: Path, texts: list[str]) -> dict[str, Path]:
    """Models, each in `folder`/Qwen2.5-<size>-Instruct; by size. The student's is untrained, the others have read the
    texts for a while, so that there is something to learn from them.

    Args:
        texts: what the tokenizer is trained on, too.
    """
    tokenizer = tokenizer_on(texts)
    made = {}
    for size, width in SIZES.items():
        config = Qwen2Config(
            vocab_size=len(tokenizer) + (64 if size == "7B" else 0),  # padded further, as the 7B's is
            hidden_size=width,
            intermediate_size=2 * width,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=2048,
            initializer_range=width**-0.5,
            tie_word_embeddings=size != "7B",
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            dtype=torch.float32,
        )
        made[size] = folder / f"Qwen2.5-{size}-Instruct"
        with torch.random.fork_rng():
            torch.manual_seed(width)
            model = Qwen2ForCausalLM(config)
            if size != "0.5B":
                _read(model, tokenizer, texts)
            model.to(torch.bfloat16).save_pretrained(str(made[size]))
        tokenizer.save_pretrained(str(made[size]))
    return made


def _read(model: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerFast, texts: list[str]) -> None:
    """60 steps of 8 x 64 tokens."""
    ids = torch.tensor([token for text in texts for token in tokenizer(text)["input_ids"]])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(60):
        starts = torch.randint(len(ids) - 64, (8, 1))
        batch = ids[starts + torch.arange(64)]
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
