# Two commands matter: `make learn` and `make test`. Both work from a fresh clone.
#
# .venv is made once and again whenever pyproject.toml or constraints.txt change. Its stamps hold the path of this
# checkout, because the scripts in .venv do: a checkout that was moved gets a new one.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

FOLDER ?= my-notebooks
PORT ?=
ARGS ?=
PYTHON ?=
SEEDS ?= 500
FIRST ?= 1
ROUNDS ?= 20
MINUTES ?= 10

IN_VENV := .venv/bin/python
# --no-build-isolation: the build backend, too, is the constrained one, installed just before.
PIP_INSTALL := $(IN_VENV) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

ifneq ($(shell cat .venv/ready 2>/dev/null),$(CURDIR))
.venv/ready: moved
endif

.PHONY: help learn test bench soak memory crash oracle constraints clean moved .venv
help:  ## say what there is
	@echo "make learn        open JupyterLab on your own copy of the notebooks, in $(FOLDER)/"
	@echo "                  make learn PORT=9000 FOLDER=elsewhere ARGS=--no-browser"
	@echo "make test         style, types, build and tests; installs what they need"
	@echo "make bench        speeds, as ratios of one run; takes some minutes"
	@echo "make soak         many simulated clusters under faults (SEEDS=500, FIRST=1), then make memory"
	@echo "make memory       processes of real clusters under mixed load: none may grow over 5% (MINUTES=10)"
	@echo "make crash        processes of a real cluster killed under load, some minutes (ROUNDS=20)"
	@echo "make .venv        only the environment (PYTHON=python3.12 chooses the Python)"
	@echo "make oracle       the same clients against kafkalite and Apache Kafka (needs a JDK and Maven)"
	@echo "make constraints  choose the versions in constraints.txt anew"
	@echo "make clean        remove what was made here; never your notebooks"

learn: .venv/ready
	@.venv/bin/course learn "$(FOLDER)" $(if $(PORT),--port "$(PORT)") $(ARGS)

test: .venv/ready-to-test
	@.ci/system-packages
	@$(IN_VENV) .ci/suite.py

bench: .venv/ready-to-test
	@.ci/system-packages
	@for bench in benchmarks/bench_*.py; do $(IN_VENV) "$$bench"; echo; done

soak: .venv/ready-to-test
	@$(IN_VENV) -m kafkalite soak --seeds $(SEEDS) --first $(FIRST)
	@$(MAKE) --no-print-directory memory

memory: .venv/ready-to-test
	@$(IN_VENV) -m tests.kafkalite.net.memory_command --minutes $(MINUTES) $(ARGS)

crash: .venv/ready-to-test
	@$(IN_VENV) -m tests.kafkalite.net.crash_command --rounds $(ROUNDS) $(ARGS)

oracle: .venv/ready-to-test
	@$(IN_VENV) -m tests.oracle $(ARGS)

constraints: .venv/ready
	@$(IN_VENV) .ci/constraints.py

clean:
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv: .venv/ready

.venv/ready: pyproject.toml constraints.txt
	@.ci/make-venv "$(PYTHON)"
	@$(PIP_INSTALL) pip hatchling editables
	@$(PIP_INSTALL) --no-build-isolation --editable .
	@printf '%s\n' "$(CURDIR)" > $@

.venv/ready-to-test: .venv/ready
	@$(PIP_INSTALL) --no-build-isolation --editable '.[test]'
	@touch $@
