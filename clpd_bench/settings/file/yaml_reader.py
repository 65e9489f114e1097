"""YAML as a settings file wants it: no duplicate keys, 1e-5 is a number, 4:00:00 none, every value has its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from clpd_bench.errors import UserError

KeyPath = tuple[str | int, ...]
INT, FLOAT = "tag:yaml.org,2002:int", "tag:yaml.org,2002:float"


class _Loader(yaml.CSafeLoader):
    """libyaml's loader, ten times as fast as PyYAML's own, with YAML 1.2's numbers (1.1 reads 1e-5 as a string, and
    4:00:00 as 14400)."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (FLOAT, INT)]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
# Tried in this order: the second pattern takes whole numbers too.
_Loader.add_implicit_resolver(INT, re.compile(r"^[-+]?(0b[01_]+|0x[\da-fA-F_]+|0|[1-9][\d_]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    FLOAT,
    re.compile(r"^[-+]?(\d+\.\d*|\.\d+|\d+)([eE][-+]?\d+)?$|^[-+]?\.inf$|^\.nan$"),
    list("-+.0123456789"),
)


class Dumper(yaml.SafeDumper):
    """Writes so that `parse` and YAML 1.1 both read the same back: quotes what either takes for a number, as the text
    `12e4`."""


Dumper.yaml_implicit_resolvers = {
    first: _Loader.yaml_implicit_resolvers.get(first, []) + yaml.SafeDumper.yaml_implicit_resolvers.get(first, [])
    for first in {*_Loader.yaml_implicit_resolvers, *yaml.SafeDumper.yaml_implicit_resolvers}
}


def parse(text: str, file: str | Path) -> tuple[Any, dict[KeyPath, int]]:
    """The document in `text`, and the line on which each key path stands (the first line is 1).

    Raises:
        UserError: the text is no YAML, or a key stands twice in one mapping.
    """
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None, {}
        lines: dict[KeyPath, int] = {}
        _walk(node, (), lines, file)
        return _unshared(loader.construct_document(node)), lines
    except yaml.reader.ReaderError as error:
        problem = f"not valid YAML: character U+{ord(text[error.position]):04X} may not stand in it"
        raise UserError(problem, file=file, line=text.count("\n", 0, error.position) + 1) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise UserError(f"not valid YAML: {error.problem}", file=file, line=line) from None
    except yaml.YAMLError as error:
        raise UserError(f"not valid YAML: {error}", file=file) from None
    except RecursionError:
        raise UserError("not valid YAML here: an alias stands inside what it stands for", file=file) from None
    finally:
        if loader:
            loader.dispose()


def _walk(node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], file: str | Path) -> None:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for i, child in enumerate(node.value):
            _walk(child, (*path, i), lines, file)
    elif isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            inner = (*path, str(key.value))
            line = key.start_mark.line + 1
            if inner in lines:
                raise UserError(
                    f"the key stands here again (first in line {lines[inner]})",
                    file=file,
                    line=line,
                    key=dotted(inner),
                    fix="Keep one of the two",
                )
            lines[inner] = line
            _walk(child, inner, lines, file)


def _unshared(value: Any) -> Any:
    """A copy in which no two places are one object: what an anchor and its alias share in YAML, `--set`
    must be able to change in one of them."""
    if isinstance(value, dict):
        return {key: _unshared(inner) for key, inner in value.items()}
    return [_unshared(inner) for inner in value] if isinstance(value, list) else value


def dotted(path: KeyPath) -> str:
    """`("corpora", "sums", 0)` as `corpora.sums.0`, the way `--set` takes it."""
    return ".".join(str(part) for part in path)
