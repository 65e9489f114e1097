"""Site files: those to copy load, and each mistake in one is told with line, key and what would do."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from clpd_bench.errors import UserError
from clpd_bench.launch.slurm.site import Profile, Site, load_site

SLURM = Path(__file__).parents[2] / "slurm"
GENERIC = SLURM / "generic_gpu.yaml"


@pytest.mark.parametrize("file", sorted(SLURM.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_site_files_to_copy_load(file: Path) -> None:
    assert load_site(file).profiles


def test_the_generic_one_explains_every_key() -> None:
    data = yaml.safe_load(GENERIC.read_text())
    assert set(data) == set(Site.model_fields)
    assert {key for profile in data["profiles"].values() for key in profile} == set(Profile.model_fields)


def test_a_time_with_colons_is_no_number_in_base_60() -> None:
    assert load_site(GENERIC).profiles["small_gpu"].time == 240


def test_a_models_name_may_stand_for_one_profile_or_for_one_a_kind(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(
        "profiles: {a: {time: 5}, b: {time: 5}, c: {time: 5}}\n"
        "use: {default: a, kinds: {targets: c}, models: {large: b, small: {model: b}}}\n"
    )
    use = load_site(file).use
    assert [use.profile(kind, ["large"]) for kind in ("model", "targets", "evaluation")] == ["b", "b", "b"]
    assert [use.profile(kind, ["small"]) for kind in ("model", "targets", "evaluation")] == ["b", "c", "a"]
    assert use.profile("model", ["student", "large"]) == "b"
    assert use.profile("corpus", []) == "a"


MISTAKES = {
    # what: (in the file, instead, key, what the sentence says)
    "unknown top-level key": ("max_submit: 500", "max_submits: 500", "max_submits", "Did you mean 'max_submit'?"),
    "unknown key of a profile": (
        "array_parallelism: 16",
        "array_paralelism: 16",
        "profiles.small_gpu.array_paralelism",
        "unknown key. Did you mean 'array_parallelism'? Allowed: partition, account, ",
    ),
    "unknown key of use": ("default: small_gpu", "defualt: small_gpu", "use.defualt", "Did you mean 'default'?"),
    "no default": ("  default: small_gpu\n", "", "use.default", "is missing"),
    "no time": ("    time: 4:00:00\n", "", "profiles.small_gpu.time", "is missing"),
    "unknown default profile": (
        "default: small_gpu",
        "default: smal_gpu",
        "use.default",
        "no such profile. Found 'smal_gpu'. Did you mean 'small_gpu'? Allowed: cpu, small_gpu, big_gpu.",
    ),
    "unknown profile of a kind": (
        "kinds: {corpus: cpu,",
        "kinds: {corpus: cpus,",
        "use.kinds.corpus",
        "Found 'cpus'. Did you mean 'cpu'?",
    ),
    "unknown profile of a model": (
        "large: {model: big_gpu, targets: big_gpu}",
        "large: big_gpus",
        "use.models.large",
        "Found 'big_gpus'. Did you mean 'big_gpu'?",
    ),
    "unknown profile of a model's kind": (
        "targets: big_gpu}",
        "targets: big}",
        "use.models.large.targets",
        "Found 'big'. Did you mean 'big_gpu'?",
    ),
    "unknown kind": ("kinds: {corpus: cpu,", "kinds: {corpsu: cpu,", "use.kinds.corpsu", "Did you mean 'corpus'?"),
    "unknown kind of a model": (
        "large: {model: big_gpu",
        "large: {modle: big_gpu",
        "use.models.large.modle",
        "unknown value 'modle'. Did you mean 'model'?",
    ),
    "a time without limit": ("time: 4:00:00", "time: UNLIMITED", "profiles.small_gpu.time", "'UNLIMITED' is no limit"),
    "a time in words": ("time: 4:00:00", "time: 4 hours", "profiles.small_gpu.time", "is no time; write minutes, "),
    "no time at all": ("time: 4:00:00", "time: 0", "profiles.small_gpu.time", "greater than or equal to 1, and is 0"),
    "a time that ends before its warning": (
        "time: 4:00:00",
        "time: 2:00",
        "profiles.small_gpu.time",
        "a job of 2 min would be warned 120 s before its end",
    ),
    "memory with a blank": ("memory: 32G", "memory: 32 GB", "profiles.small_gpu.memory", "'32 GB' is no amount"),
    "memory in GB": ("memory: 32G", "memory: 32GB", "profiles.small_gpu.memory", "as in 32G"),
    "an option that is ours": (
        "mail-type: FAIL",
        "array: 0-9",
        "profiles.big_gpu.extra.array",
        "launch sets array itself",
    ),
    "the same with dashes": (
        "mail-type: FAIL",
        "--job-name: x",
        "profiles.big_gpu.extra.--job-name",
        "launch sets job-name",
    ),
    "an option with a blank": (
        "mail-type: FAIL",
        "mail type: x",
        "profiles.big_gpu.extra.mail type",
        "no option of sbatch",
    ),
    "an option with a list": ("exclusive: true", "exclusive: [1]", "profiles.big_gpu.extra.exclusive", "[1] is none"),
    "a second line in a value": (
        "account: my_project",
        'account: "me\\n#SBATCH --qos=x"',
        "profiles.big_gpu.account",
        "must be one line of text",
    ),
    "a second line in an option": (
        "mail-type: FAIL",
        'mail-type: "FAIL\\nrm"',
        "profiles.big_gpu.extra.mail-type",
        "must be one line of text",
    ),
    "a second line in a variable": (
        "OMP_NUM_THREADS: 4",
        'OMP_NUM_THREADS: "4\\n"',
        "environment.OMP_NUM_THREADS",
        "one line",
    ),
    "no name of a variable": ("OMP_NUM_THREADS: 4", "OMP-NUM: 4", "environment.OMP-NUM", "no name of an environment"),
    "a type of no GPUs": ("    gpus: 4\n", "", "profiles.big_gpu", "gpu_type is given, and gpus is 0"),
    "fewer GPUs than none": ("gpus: 4", "gpus: -4", "profiles.big_gpu.gpus", "greater than or equal to 0, and is -4"),
    "GPUs in words": ("gpus: 4", "gpus: four", "profiles.big_gpu.gpus", "wants a whole number, and 'four' is none"),
    "a shared folder by an unknown variable": (
        "shared: [/home,",
        "shared: [$CLPD_NOWHERE/x,",
        "shared.0",
        "the environment variable CLPD_NOWHERE is not set",
    ),
    "one shared folder, and no list": ("shared: [/home, /scratch]", "shared: /home", "shared", "wants a list"),
    "the same key twice": ("gpus: 4", "gpus: 4\n    gpus: 8", "profiles.big_gpu.gpus", "stands here again"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_told_with_line_and_key(tmp_path: Path, what: str) -> None:
    old, new, key, said = MISTAKES[what]
    text = GENERIC.read_text()
    assert text.count(old) == 1, old
    file = tmp_path / "site.yaml"
    file.write_text(text.replace(old, new))
    with pytest.raises(UserError) as caught:
        load_site(file)
    error = caught.value
    assert (error.key, error.file) == (key, file)
    assert said in str(error)
    # What is missing is told at the place where it should stand.
    last = new.split("\n")[-1].strip()
    expected = [i for i, line in enumerate(file.read_text().split("\n"), start=1) if last and last in line]
    assert error.line in expected or (not new and error.line), str(error)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is a mapping"),
        ("[1]", "is a mapping"),
        ("profiles: {}\nuse: {default: a}", "is empty. Name at least one"),
        ("profiles: {a: {time: 5}", "not valid YAML"),
    ],
)
def test_what_is_no_site_file_is_told_so(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=said):
        load_site(file)


def test_of_a_missing_file_those_beside_it_are_told() -> None:
    with pytest.raises(UserError, match="Did you mean 'generic_gpu'"):
        load_site(SLURM / "generic_gp.yaml")
