"""Pretrained weights that a model starts from: a hub's, a folder's, a GGUF file's."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from clpd_bench.settings.base import LocalPath, NotInKey, Settings
from clpd_bench.settings.parts.dimensions import Dimensions
from clpd_bench.settings.parts.hub import Revision, short

CONFIGURATION = "config.json"
TOKENIZER = (
    *("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json"),
    *("chat_template.jinja", "chat_template.json", "vocab.json", "vocab.txt", "merges.txt", "spiece.model"),
)
SAFETENSORS = ("*.safetensors", "*.safetensors.index.json")
PICKLES = ("*.bin", "*.bin.index.json")
ADAPTER = "adapter_config.json"
"""Stands beside the weights of an adapter, which is refused: wanted, so that its absence means that there is none."""


class _Weights(Settings):
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Of the weights as they are kept."""
    attention: Literal["sdpa", "eager", "flash_attention_2"] | None = None
    """None: what transformers takes for this model."""
    trust_remote_code: bool = False
    """Whether code that comes with the model may be executed."""
    pickle: bool = False
    """Whether weights may be read from pickle files, which can execute code. Otherwise safetensors alone are."""
    dimensions: Annotated[Dimensions | None, NotInKey()] = None
    """For the cost of a plan, where no file of the model is at hand."""

    @property
    def tokenizer_patterns(self) -> list[str]:
        """Names of the files that a tokenizer is read from."""
        return [CONFIGURATION, *TOKENIZER, *(["*.py"] if self.trust_remote_code else [])]

    @property
    def patterns(self) -> list[str]:
        """Names of the files that model and tokenizer are read from."""
        return [*self.tokenizer_patterns, ADAPTER, *SAFETENSORS, *(PICKLES if self.pickle else ())]

    def tokenizer_alone(self) -> Self:
        """The same without what is of no matter to a tokenizer."""
        return self.model_copy(update={"dtype": "float32", "attention": None, "pickle": False})


class Hub(_Weights):
    """A model repository of the hub, at one commit: the revision, or what `<file>.lock` holds for it."""

    name: Literal["hub"]
    model: str
    revision: Revision = "main"

    @field_validator("model")
    @classmethod
    def _an_id(cls, value: str) -> str:
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", value):
            raise ValueError(f"wants an id as the hub has it, organisation/name, and {value!r} is none")
        return value

    @property
    def label(self) -> str:
        return f"{self.model} at {short(self.revision)}"


class Local(_Weights):
    """A folder that `save_pretrained` left, or one like it."""

    name: Literal["local"]
    folder: LocalPath

    @property
    def label(self) -> str:
        return f"folder {self.folder.name}"


class Gguf(_Weights):
    """A GGUF file, or its parts, which are put one after the other."""

    name: Literal["gguf"]
    file: Annotated[LocalPath | None, NotInKey()] = None
    parts: Annotated[tuple[LocalPath, ...], NotInKey()] = ()
    trust_remote_code: Literal[False] = False
    pickle: Literal[False] = False

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file is None) == (not self.parts):
            raise ValueError("wants exactly one of file and parts")
        return self

    @property
    def files(self) -> tuple[LocalPath, ...]:
        """The file, or the parts in their order."""
        return self.parts if self.file is None else (self.file,)

    @property
    def label(self) -> str:
        return f"GGUF file {self.files[0].name}"


Pretrained = Annotated[Hub | Local | Gguf, Field(discriminator="name")]


class Start(Settings):
    """Pretrained weights, or their tokenizer, with what identifies the files."""

    source: Pretrained
    sha256: dict[str, str] = Field(default_factory=dict)
    """Of each file of a folder by its name; of a GGUF file, whole, under `gguf`."""
