"""Small tokenizers with chat templates that behave as those of well-known models do."""

from __future__ import annotations

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
DEFAULT = (  # as Qwen2.5's and SmolLM2's
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are a helper.<|im_end|>\\n' }}{% endif %}"
    + CHATML
)
GENERATION = (  # says which part is the assistant's
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}{% if m['role'] == 'assistant' %}"
    "{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}{% else %}{{ m['content'] + '<|im_end|>' }}"
    "{% endif %}{{ '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
LLAMA3 = (  # as Llama 3.2's: dates in a system message that is always there
    "{{- bos_token }}{%- if not date_string is defined %}{%- if strftime_now is defined %}"
    "{%- set date_string = strftime_now('%d %b %Y') %}{%- else %}{%- set date_string = '26 Jul 2024' %}{%- endif %}"
    "{%- endif %}{%- if messages[0]['role'] == 'system' %}{%- set system = messages[0]['content']|trim %}"
    "{%- set messages = messages[1:] %}{%- else %}{%- set system = '' %}{%- endif %}"
    "{{- '<|head|>system<|/head|>\\n\\nToday Date: ' + date_string + '\\n\\n' + system + '<|eot|>' }}"
    "{%- for m in messages %}{{- '<|head|>' + m['role'] + '<|/head|>\\n\\n' + m['content']|trim + '<|eot|>' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|head|>assistant<|/head|>\\n\\n' }}{%- endif %}"
)
GEMMA = (  # no system role, the assistant is called model, and turns end with another token than texts do
    "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}{% for m in messages %}{% set role = 'model' if m['role'] == 'assistant' else m['role'] %}"
    "{{ '<start_of_turn>' + role + '\\n' + m['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
MISTRAL = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}{{ '[INST]' + m['content'] + '[/INST]' }}"
    "{% else %}{{ m['content'] + eos_token }}{% endif %}{% endfor %}"
)
THINKING = (  # as Qwen3's: room for reasoning, empty when it is switched off
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}{% if m['role'] == 'assistant' and loop.last %}"
    "{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}{{ m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}"
    "{% if enable_thinking is defined and not enable_thinking %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}"
    "{% endif %}"
)
QUIET = MISTRAL.replace("{% else %}", "{% elif m['role'] == 'assistant' %}")  # does not write system messages
SPECIAL = {
    CHATML: ["<|im_end|>", "<|im_start|>"],
    DEFAULT: ["<|im_end|>", "<|im_start|>"],
    GENERATION: ["<|im_end|>", "<|im_start|>"],
    THINKING: ["<|im_end|>", "<|im_start|>", "<think>", "</think>"],
    LLAMA3: ["<|eot|>", "<|bos|>", "<|head|>", "<|/head|>"],
    GEMMA: ["<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"],
    MISTRAL: ["</s>", "<s>", "[INST]", "[/INST]"],
    QUIET: ["</s>", "<s>", "[INST]", "[/INST]"],
}
"""End and beginning of text first."""


def chat_tokenizer(template: str | None) -> PreTrainedTokenizerFast:
    """One token a byte, and the template's special tokens; padded with the end token."""
    special = SPECIAL[template] if template else ["<e>", "<b>"]
    vocabulary = {t: i for i, t in enumerate([*special, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=special[0],
        pad_token=special[0],
        bos_token=special[1],
        additional_special_tokens=special[2:],
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = template
    return fast
