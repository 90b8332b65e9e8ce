# `make demo` and `make test` set everything up by themselves; the rest is for people who change the code.
# Set-up leaves stamps in .venv, so a second run neither downloads nor builds anything.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
C_FILES := $(wildcard csrc/*.c csrc/*.h csrc/capture/*.c csrc/capture/*.h)
C_SOURCES := $(wildcard csrc/*.c)
CAPTURE_SOURCES := $(wildcard csrc/capture/*.c)
BUILD_INPUTS := pyproject.toml setup.py $(C_FILES) $(wildcard bindings/*.h bindings/build_*.py)
EXTRAS := import sys, tomllib; \
	extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; \
	print(*(line for name in sys.argv[1:] for line in extras[name]), sep="\n")
WARNINGS := -std=c11 -O2 -ffp-contract=off -Wall -Wextra -Wshadow -Werror

.DEFAULT_GOAL := help
.PHONY: help demo test setup lint types format warnings unit test-soak test-intervals test-faults test-services test-forks sanitize clean
.PHONY: bench bench-quick bench-billion bench-verdicts bench-serving

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 16

demo: $(VENV)/.built $(VENV)/.demo  ## set up, then profile and compare a year of flights
	$(BIN)/leadline demo

test: lint types unit  ## set up, then linters, types and every test

setup: $(VENV)/.built $(VENV)/.test  ## only set up .venv

unit: setup
	$(BIN)/python -m pytest

lint: setup warnings  ## ruff, clang-format, codespell, C warnings as errors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run --Werror $(C_FILES)
	$(BIN)/codespell

types: setup  ## mypy, strict
	$(BIN)/mypy

warnings:
	@for source in $(C_SOURCES); do $(CC) $(WARNINGS) -Icsrc -c $$source -o /dev/null || exit 1; done
	@include=$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))'); \
	for source in $(CAPTURE_SOURCES); do \
		$(CC) $(WARNINGS) -DPy_LIMITED_API=0x030b0000 -isystem $$include -c $$source -o /dev/null || exit 1; \
	done

format: setup  ## rewrite the sources in the project's format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(C_FILES)

test-soak: setup  ## ten million rows from 64 threads through a monitor; two minutes
	LEADLINE_SOAK=full $(BIN)/python -m pytest tests/serving

test-intervals: setup  ## every statistic's interval on 10,000 random pairs; ten minutes
	LEADLINE_PAIRS=10000 $(BIN)/python -m pytest tests/property/test_random_pairs.py

test-faults: setup  ## writers killed at 1,000 moments and at every call of the system; minutes
	LEADLINE_KILLS=1000 LEADLINE_FAULT_STEP=1 $(BIN)/python -m pytest tests/faults

test-services: setup  ## a real Prometheus, fetched without root, scrapes a real service
	bash tests/services/fetch.sh build/services
	LEADLINE_SERVICES=build/services $(BIN)/python -m pytest tests/services

test-forks: setup  ## 10,000 forks of a process that logs and writes all the time; some minutes
	LEADLINE_FORKS=10000 $(BIN)/python -m pytest tests/processes/test_lives.py -k forks_of_a_busy

sanitize: setup  ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	PYTHON=$(CURDIR)/$(BIN)/python bash tests/sanitize.sh

bench: setup  ## every figure of docs/benchmarks.md, against the peers; a quarter of an hour
	$(BIN)/python -m benchmarks.run

bench-quick: setup  ## the same on small data, printed only; some minutes
	$(BIN)/python -m benchmarks.run --quick

bench-billion: setup  ## a billion rows through the command; 16 GB of disk for a while
	$(BIN)/python -m benchmarks.run billion --write

bench-verdicts: setup  ## false alarms and power, into docs/verdicts.md, beside the peers; two hours
	$(BIN)/python -m benchmarks.verdicts.run

bench-serving: setup  ## what a monitor costs the example service, into docs/serving.md; five minutes
	$(BIN)/python -m benchmarks.serving.run --write

clean:  ## remove everything that was built, the environment too
	rm -rf $(VENV) build dist demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
	rm -rf engine/*.egg-info engine/leadline/_kernels*.so engine/leadline/_capture*.so bindings/_kernels.c
	find engine tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.tools:
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade "setuptools>=77" "cffi>=1.17"
	@touch $@

# Rebuilt only when something that enters the build changes; needs no network then.
$(VENV)/.built: $(BUILD_INPUTS) | $(VENV)/.tools
	$(PIP) install --no-build-isolation --editable .
	@touch $@

# The package is there already: these two only add what its extras name, by the names in
# pyproject.toml, as installing `.[demo]` would build it again.
$(VENV)/.demo: pyproject.toml | $(VENV)/.built
	$(BIN)/python -c '$(EXTRAS)' demo >$(VENV)/extras.txt
	$(PIP) install -r $(VENV)/extras.txt
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/.built
	$(BIN)/python -c '$(EXTRAS)' demo test dev >$(VENV)/extras.txt
	$(PIP) install -r $(VENV)/extras.txt
	@touch $@ $(VENV)/.demo
