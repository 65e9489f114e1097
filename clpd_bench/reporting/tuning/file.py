"""Writing the file of tuned values."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

from clpd_bench.errors import UserError
from clpd_bench.reporting.tuning.outcome import plain
from clpd_bench.settings.tuned import Tuned
from clpd_bench.settings.yaml_reader import Dumper

HEAD = """\
# Written by clpd tune {name}, from scores on the validation split alone. The ablation names it (tuned: {mine}),
# and what is chosen goes into the keys of its students. Not to be changed by hand: clpd tune writes it anew.
# `points` are those of the grid, `base` where there is none; each arm was tuned at each.
# `edges` names what was chosen at an end of its space; a mean of null is that of a trial that diverged.
"""


def tuned_file(ablation_file: Path) -> Path:
    """`math.tuned.yaml` beside `math.yaml`."""
    return ablation_file.with_name(f"{ablation_file.stem}.tuned.yaml")


def write_tuned(tuned: Tuned, ablation_file: Path) -> Path:
    """The whole file or, if that cannot be, none: an older one then stays. The same trials give the same bytes.

    Raises:
        UserError: the folder cannot be written to.
    """
    file = tuned_file(ablation_file)
    body = yaml.dump(plain(tuned.model_dump()), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)
    text = HEAD.format(name=ablation_file.name, mine=file.name) + body
    try:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix=f".{file.name}-") as folder:
            new = Path(folder) / file.name
            new.write_text(text, encoding="utf-8")
            new.replace(file)
    except OSError as error:
        raise UserError(
            f"the tuned values cannot be written beside the ablation file: {error.strerror}",
            file=file,
            fix="Copy the ablation file to a folder of your own",
        ) from None
    return file
