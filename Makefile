# Two commands on a fresh machine: `make demo` and `make test`.  `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
TESTS ?= tests
WORKERS ?= 4
BASE ?= docker.io/library/python:3.12-slim-bookworm
TAG ?= $(shell git describe --always --dirty 2>/dev/null || echo latest)

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## set up, then run the whole line on a simulated school in the embedded database
	@$(BIN)/thetaline demo

test: $(VENV)/.installed-dev ## run all tests (TESTS=folder narrows, WORKERS=n)
	@OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

lint: $(VENV)/.installed-dev ## format, lint, types, import layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/.installed-dev ## rewrite the files in the house's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-bench ## measure time and memory against yardsticks of the same run (ONLY=name narrows)
	@$(BIN)/python -m benchmarks $(ONLY)

mutants: $(VENV)/.installed-mutants ## change the sources in a random sample of places; which changes does no test notice? (OPTIONS=--help)
	@$(BIN)/python -m tests.mutation $(OPTIONS)

setup: $(VENV)/.installed-dev ## install everything into .venv

lock: ## renew the lock files from pyproject.toml (needs uv)
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra all pyproject.toml -o requirements.lock
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra all --group dev pyproject.toml -o requirements-dev.lock
	@uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate --extra service --extra growth --extra segments --extra calendar --extra reports pyproject.toml -o requirements-image.lock

image: ## build the images thetaline-service and thetaline-jobs by buildah (BASE=image, TAG=tag, BUILD_OPTIONS=)
	@for target in service jobs; do \
	  buildah bud --format docker --build-arg BASE=$(BASE) --target $$target -t thetaline-$$target:$(TAG) $(BUILD_OPTIONS) -f deploy/Dockerfile . || exit; \
	done

test-image: $(VENV)/.installed-dev ## build the images and try them (BASE=image that is there already)
	@THETALINE_BASE_IMAGE=$(BASE) BUILD_OPTIONS="$(BUILD_OPTIONS)" $(BIN)/pytest tests/images

clean: ## remove the environment and every cache; the demo's database stays (thetaline db reset)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist

# uv trusts its own list of authorities unless told; behind a company's proxy only the system's list holds
export UV_SYSTEM_CERTS ?= true
ifdef UV
install = uv venv -q --allow-existing --python $(PYTHON) $(VENV) && uv pip install -q --python $(BIN)/python --require-hashes -r $(1) && uv pip install -q --python $(BIN)/python --no-deps -e .
bench_extra = uv pip install -q --python $(BIN)/python --group bench
mutants_extra = uv pip install -q --python $(BIN)/python --group mutants
else
# Without uv on the machine, its wheel installs a hundred libraries in a quarter of pip's time; where it cannot, pip does.
pip = $(BIN)/pip install -q --disable-pip-version-check
by_uv = $(pip) "uv>=0.8,<1" && $(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r $(1)
install = $(PYTHON) -m venv $(VENV) && { { $(by_uv); } 2>/dev/null || $(pip) --require-hashes -r $(1); } && $(pip) --no-deps -e .
bench_extra = $(BIN)/pip install -q --disable-pip-version-check "girth>=0.8,<0.9" "mirt>=1.2,<1.3"
mutants_extra = $(BIN)/pip install -q --disable-pip-version-check "cosmic-ray>=8.7,<9" "coverage>=7.10,<8"
endif

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "thetaline needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Name another: make demo PYTHON=python3.12")'
	@echo "setting up $(VENV) (a quarter of a minute to two) ..."
	@$(call install,requirements.lock)
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "thetaline needs Python 3.11 or later; this is " + sys.version.split()[0])'
	@echo "setting up $(VENV) with the development tools ..."
	@$(call install,requirements-dev.lock)
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-bench: $(VENV)/.installed-dev
	@$(bench_extra)
	@touch $@

$(VENV)/.installed-mutants: $(VENV)/.installed-dev
	@$(mutants_extra)
	@touch $@

.PHONY: help demo test lint format bench mutants setup lock image test-image clean
