# make quickstart   run the quickstart's ablation and leave its report
# make test         run the tests
# Both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help setup quickstart smoke gsm8k-tiny test check format clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
	@echo "make smoke        the smallest ablation, in half a minute"
	@echo "make gsm8k-tiny   five arms on GSM8K's text, in minutes (needs CLPD_DATA)"
	@echo "make setup        only set up .venv"
	@echo "make check        formatting, lint, types, import contracts"

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; say which one with make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

quickstart: setup
	$(BIN)/clpd run ablations/quickstart.yaml
	$(BIN)/clpd report ablations/quickstart.yaml

smoke: setup
	$(BIN)/clpd run ablations/smoke.yaml
	$(BIN)/clpd report ablations/smoke.yaml

gsm8k-tiny: setup
	$(BIN)/clpd run ablations/gsm8k_tiny.yaml
	$(BIN)/clpd report ablations/gsm8k_tiny.yaml

test: setup
	$(BIN)/python -m pytest -n auto --dist worksteal

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy clpd_bench
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv build *.egg-info
