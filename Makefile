.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.setup
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)

.PHONY: setup up down test test-all charmcraft lint bench docs clean help lock

setup: $(STAMP) ## Make the environment in .venv (Python 3.10 or newer; no root, no venv module)

.tools/bin/uv: requirements/uv.txt
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	    { echo 'error: cannot set up: Nuages needs Python 3.10 or newer as python3' >&2; exit 1; }
	@python3 -m pip --version >/dev/null 2>&1 || \
	    { echo 'error: cannot set up: python3 has no pip' >&2; \
	      echo 'fix:   sudo apt install -y python3-pip' >&2; exit 1; }
	@echo 'Fetching uv, once per clone (25 MB)'
	@rm -rf .tools && PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	    --no-warn-script-location --target .tools -r requirements/uv.txt
	@touch $@

$(STAMP): requirements/lock.txt pyproject.toml $(filter .tools/bin/uv,$(UV))
	@echo 'Making the environment in .venv, once per clone (80 MB)'
	@$(UV) venv --quiet --allow-existing --python python3 $(VENV)
	@$(UV) pip sync --quiet --compile-bytecode --python $(PY) --require-hashes requirements/lock.txt
	@$(UV) pip install --quiet --python $(PY) --no-deps --editable .
	@touch $@

up: setup ## Run examples/notes: Django, PostgreSQL and ingress, under Pebble, by its charm
	@./nuages up examples/notes

down: setup ## Stop examples/notes; its data stays until `./nuages down --purge examples/notes`
	@./nuages down examples/notes

test: setup ## The tests, in minutes
	$(PY) -m pytest -m 'not slow'

test-all: setup ## All tests, the slow ones included
	@$(MAKE) --silent charmcraft || echo 'notice: charmcraft cannot be had here, nothing is compared with it'
	$(PY) -m pytest

charmcraft: setup ## The real charmcraft, for the tests that compare with it (130 MB, in the cache)
	@directory="$$($(PY) -c 'from nuages.engine.programs import cache_dir; print(cache_dir())')/charmcraft"; \
	$(UV) venv --quiet --allow-existing --python python3 "$$directory" && \
	$(UV) pip sync --quiet --python "$$directory/bin/python" --require-hashes requirements/charmcraft.txt && \
	"$$directory/bin/python" -c 'import importlib.metadata; print("charmcraft", importlib.metadata.version("charmcraft"))'

lint: setup ## Style, types and who may import whom
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/pyright
	$(VENV)/bin/lint-imports

bench: setup ## Ratios against baselines in the same run (benchmarks/README.md)
	$(PY) -m benchmarks

docs: setup ## Write docs/reference from the code's own tables
	$(PY) -m docs.generate

lock: setup ## Choose the versions of the dependencies anew
	$(UV) pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-header --no-annotate \
	    --upgrade pyproject.toml --group dev --output-file requirements/lock.txt

clean: ## Remove what setup made in this clone
	rm -rf $(VENV) .tools .pytest_cache .ruff_cache .import_linter_cache .hypothesis

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12
