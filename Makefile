# What one does here. `make help` lists it.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
TESTS := $(BIN)/python -m pytest -q -p no:cacheprovider
WORKERS ?= 2
AT_ONCE = -n $(WORKERS) --dist loadgroup
# `check` has run these already.
CHECKED := --ignore tests/conventions

# Where this is set, each of the many processes would compile all that it imports once more.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench prove controls pins clean

help: ## List what one does here
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(READY) ## Install everything into .venv (run, test and check do this by themselves)

$(READY): requirements-test.txt requirements-oracle.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it with PYTHON=..."; exit 2; }
	@$(PYTHON) -m venv .venv || { echo "python3-venv is needed: apt-get install python3-venv"; exit 2; }
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
		--upgrade --target .venv/oracles -r requirements-oracle.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

run: $(READY) ## Start Attune with a demo clinic; PORT and DATA_DIR choose where
	@$(BIN)/attune run --demo

test: $(READY) check ## Everything: check, then all tests on SQLite and on PostgreSQL, and in Chromium
	@tools/system-packages postgresql chromium redis
	$(TESTS) $(AT_ONCE) --database sqlite $(CHECKED)
	$(TESTS) $(AT_ONCE) --database postgresql $(CHECKED) -m "not browser"

check: $(READY) ## Format, lint, types and conventions, in under a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy core billing matching
	$(TESTS) $(AT_ONCE) tests/conventions

bench: $(READY) ## Measure against a baseline in the same run
	$(BIN)/python -m bench.pages
	$(BIN)/python -m bench.market
	$(BIN)/python -m bench.ledger
	$(BIN)/python -m bench.rank --therapists 1000000
	$(BIN)/python -m bench.allocate
	$(BIN)/python -m bench.learn

prove: $(READY) ## The long proofs at full size, on both databases
	@tools/system-packages postgresql chromium redis nodejs
	$(TESTS) --prove --database sqlite
	$(TESTS) --prove --database postgresql

controls: $(READY) ## Take each control out in turn and see its tests fail; WORDS="consent licence" for some
	$(BIN)/python -m tests.controls --jobs $(WORKERS) $(WORDS)

pins: $(READY) ## Choose the newest allowed versions again and write requirements*.txt
	@tools/compile-requirements

clean: ## Remove what setup made; the data in var/ stays
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache
