# The verbs. Each does its own set-up: Python 3.11 or newer and make are all it takes. `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# What the caller may set: make test ARGS="-k claim -x", make demo PYTHON=/usr/bin/python3.12 ARGS="--no-browser".
ARGS ?=
PYTHON ?=
UPGRADE ?=
export PYTHON UPGRADE
export UV_PYTHON_DOWNLOADS := never

bin := .venv/bin
uv := .tools/bin/uv
# A stamp is older than what it was made from only when the environment is out of date; a second run is instant.
parts := pyproject.toml requirements/build.txt requirements/uv.txt scripts/setup.sh
setup_demo := .venv/.stamp-demo
setup_dev := .venv/.stamp-dev
setup_docs := .venv/.stamp-docs

$(setup_demo): requirements/demo.txt $(parts)
	@sh scripts/setup.sh demo

$(setup_dev): requirements/dev.txt $(parts)
	@sh scripts/setup.sh dev

$(setup_docs): requirements/docs.txt $(parts)
	@sh scripts/setup.sh docs

$(uv): requirements/uv.txt scripts/setup.sh
	@sh scripts/setup.sh uv
	@touch $@

.PHONY: help setup demo test test-all check check-code check-dashboard fmt lock dashboard e2e faults laws bench docs clean

help: ## list the verbs
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | awk -F '\t' '{ printf "  make %-16s %s\n", $$1, $$2 }'

setup: $(setup_dev) ## make .venv with all extras and the development tools

demo: $(setup_demo) ## draw the sprites of examples/sprites/prompts.csv and watch them in the dashboard
	@$(bin)/stanchion demo $(ARGS)

test: $(setup_dev) ## run the tests (ARGS="-k name -x" goes to pytest)
	@$(bin)/python -m pytest $(ARGS)

test-all: $(setup_dev) ## run the tests on Python 3.11, 3.12 and 3.13, all of which must be on the machine
	@sh scripts/test_versions.sh 3.11 3.12 3.13 -- $(ARGS)

check: check-code check-dashboard docs ## format, lint, types, imports, spelling, locks, documentation, the built dashboard

check-code: $(setup_dev)
	$(bin)/ruff format --check .
	$(bin)/ruff check .
	$(bin)/lint-imports --no-logo
	$(bin)/basedpyright
	@if [ -d tests/typing ]; then set -x; $(bin)/mypy; fi
	$(bin)/codespell
	$(bin)/python scripts/check_tree.py

check-dashboard: $(setup_dev)
	$(bin)/python scripts/dashboard.py check

fmt: $(setup_dev) ## format the code and mend what ruff can mend
	$(bin)/ruff check --fix .
	$(bin)/ruff format .

lock: $(uv) ## write requirements/*.txt anew (UPGRADE=1 moves all versions, UPGRADE=name moves one)
	sh scripts/lock.sh

dashboard: $(setup_dev) ## build the dashboard from frontend/ into the package
	$(bin)/python scripts/dashboard.py build

e2e: $(setup_dev) ## only the browser tests
	$(bin)/python -m pytest -m e2e $(ARGS)

faults: $(setup_dev) ## kill, cut, fill: the long fault tests
	STANCHION_FAULTS=$${STANCHION_FAULTS:-full} $(bin)/python -m pytest -m faults $(ARGS)

laws: $(setup_dev) ## long random histories of every store against the model
	$(bin)/python -m pytest -m laws $(ARGS)

bench: $(setup_dev) ## measure stanchion and its peers side by side (ARGS="--quick")
	@$(bin)/python -m benchmarks $(ARGS)

docs: $(setup_docs) ## build the documentation into site/; a broken link is an error
	$(bin)/zensical build --clean

clean: ## remove the environments, fetched tools and caches
	rm -rf .venv .venvs .tools site build dist .cache .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache frontend/node_modules
	find src tests examples benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
