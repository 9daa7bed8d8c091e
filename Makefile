# Everything a contributor runs. Needs Python 3.11 or newer, pip and make; the rest is put into .venv by itself.
#
# A stamp in .venv says which set of packages is installed. It is older than pyproject.toml exactly when something has
# to be installed again, so that nothing here asks the network twice.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check lint format types fast bench docs fuzz cover clean

# The first Python on this machine that is new enough; `make test PYTHON=python3.14` chooses another for a new .venv.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done)

# PYTHONPATH of the caller would put other people's modules before ours.
unexport PYTHONPATH
unexport PYTHONHOME
export PIP_DISABLE_PIP_VERSION_CHECK = 1

PY := .venv/bin/python
PIP := $(PY) -m pip -qq --no-input
PYTEST := $(PY) -m pytest
# More options for pytest, for example: make test ARGS="-n auto -k timers"
ARGS ?=
CODE := src tests $(wildcard examples bench)

help: ## list what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 14

# Job control gives the program the terminal to itself: ^C reaches it alone, and its exit code becomes make's.
run: .venv/.run ## start the demo, a chat room on TCP; ^C ends it
	@set -m 2>/dev/null; $(PY) examples/chat.py; exit $$?

test: .venv/.test ## run every test
	@$(PYTEST) --no-header $(ARGS)

check: lint format types fast ## what CI checks of a change: lint, format, types, layers, fast tests

lint: .venv/.lint
	@$(PY) -m ruff check --quiet $(CODE) && echo "lint    ok"

format: .venv/.lint
	@$(PY) -m ruff format --quiet --diff $(CODE) && echo "format  ok" || { echo "Run: $(PY) -m ruff format"; exit 1; }

types: .venv/.lint
	@$(PY) -m mypy --no-error-summary src $(wildcard tests/support tests/typing) && echo "types   ok"

# The layers are a test like the others, and stand first because everything else rests on them.
fast: .venv/.test
	@$(PYTEST) -q tests/unit/test_layers.py tests -m "not slow" $(ARGS)

bench: .venv/.run ## measure, beside other event systems; each gets an environment of its own
	@$(PY) bench $(ARGS)

docs: .venv/.test ## run every snippet of the documents (a site comes later; nothing is built yet)
	@$(PYTEST) -q tests/docs $(ARGS)

fuzz: .venv/.test ## search longer: every Hypothesis test with many more examples
	@$(PYTEST) -q -m hypothesis --hypothesis-profile=fuzz --timeout=0 $(ARGS)

cover: .venv/.test ## measure which branches the tests reach; fails below the target in pyproject.toml
	@$(PY) -m coverage erase
	@$(PY) -m coverage run -m pytest -q $(ARGS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage report

clean: ## remove everything that make made
	@rm -rf .venv .cache build dist site .hypothesis .ruff_cache .mypy_cache .pytest_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ── the environment ──────────────────────────────────────────────────────────────────────────────────────────────────

# Debian keeps the module that puts pip into a new environment in a package of its own; pip can put itself there too.
$(PY):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found."; exit 1; }
	@echo "Making .venv with $$($(PYTHON) --version)"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv >/dev/null 2>&1 || { \
		rm -rf .venv && $(PYTHON) -m venv --without-pip .venv && $(PYTHON) -m pip -qq --python $(PY) install pip; }

.venv/.run: pyproject.toml | $(PY)
	@echo "Installing circuits"
	@$(PIP) install --editable .
	@touch $@

# Dependency groups are known to pip since 25.1.
.venv/.test: pyproject.toml .venv/.run
	@echo "Installing what the tests need"
	@$(PIP) install --upgrade "pip>=25.1"
	@$(PIP) install --group test
	@touch $@

.venv/.lint: pyproject.toml .venv/.test
	@echo "Installing the linter and the type checker"
	@$(PIP) install --group lint
	@touch $@
