# `make demo` plays on real data; `make test` runs every check. Both make .venv first, and neither needs the other.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -gt 8 ] && echo 8 || echo $$n)
# Where pip looks for torch besides its own index: empty takes torch as that has it, a build for GPUs on most machines.
TORCH_INDEX ?=
PYTEST = $(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

# Tests marked needs_shared_data read real tables where their folder stands beside the checkout.
ifneq ($(wildcard ../shared/data),)
export TUTELAGE_TEST_DATA ?= $(abspath ../shared/data)
endif

.PHONY: help demo test lint types contracts unit matrix bench examples conformance openapi clean
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Install what the demo needs, say how much that is, and train on real data
	@cat $(VENV)/.demo
	@$(BIN)/tutelage demo

test: lint types contracts ## Run every check: style, types, import contracts, all tests
	$(PYTEST)

lint: $(VENV)/.test ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test ## Check types
	$(BIN)/mypy

contracts: $(VENV)/.test ## Check the import contracts
	$(BIN)/lint-imports

unit: $(VENV)/.test ## Run the quick tests only
	$(PYTEST) -m "not slow"

matrix: $(VENV)/.test ## Train every algorithm on every table, and every one twice: half an hour
	TUTELAGE_MATRIX=all $(PYTEST) tests/services/tabular/test_tabular_matrix.py tests/services/tabular/test_tabular_limits.py

bench: $(VENV)/.test ## Measure every claim, the quick way
	$(BIN)/python -m benchmarks --quick

examples: $(VENV)/.test ## Run the longer examples; installs the libraries that they show
	$(BIN)/pip install --constraint constraints.txt transformers accelerate
	cd examples/script && ../../$(BIN)/tutelage run -- ../../$(BIN)/python hugging_face.py

conformance: $(VENV)/.test ## Run the MCP conformance suite against a served home; needs npm
	$(BIN)/python -m tests.conformance

openapi: $(VENV)/.test ## Write the API's document anew, after a deliberate change of it
	$(BIN)/python -m tutelage.interfaces.rest > docs/reference/openapi.json

clean: ## Remove the environment and what the tools left; trained operations stay
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Tutelage needs Python 3.11 or newer: make PYTHON=python3.12 ..." >&2; exit 1; }
	@PYTHON=$(PYTHON) .ci/packages libgomp1 python3-venv
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/.made
	$(BIN)/pip install --log $(VENV)/demo.log --constraint constraints.txt --editable '.[demo]'
	@$(PYTHON) .ci/sizes.py $(VENV) $(VENV)/demo.log > $@
	@rm $(VENV)/demo.log

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/.made
	$(BIN)/pip install --constraint constraints.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) \
		--editable '.[tabular,mlflow,onnx,torch,huggingface,agents,codegen,oracle,sb3,dev]'
	@touch $@
