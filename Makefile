# One vocabulary for people and CI: make help lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATE ?= $(or $(REVIEWS_STATE),.local)
UP_FLAGS = $(if $(PORT),--port $(PORT)) $(if $(HOST),--host $(HOST)) $(if $(WORKERS),--workers $(WORKERS)) \
           $(if $(CSV),--csv $(CSV)) --state $(STATE)
ifdef DATABASE_URL
export DATABASE_URL
endif

.DEFAULT_GOAL := help
.PHONY: help install up test judge check bench bench-soak bench-etl format schema lock clean

help: ## list these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 14

install: $(VENV)/.installed ## make .venv and install the pinned dependencies

$(VENV)/.installed: requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) is missing: install Python 3.11 or newer, or name one with PYTHON=…"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $(PYTHON) is too old: Python 3.11 or newer is needed; name one with PYTHON=…"; exit 2; }
	@test -x $(BIN)/python || { echo "Making $(VENV) …"; $(PYTHON) -m venv $(VENV) || { echo "make: $(PYTHON) cannot make a virtual environment: install its venv module (Debian: apt-get install python3-venv)"; rm -rf $(VENV); exit 2; }; }
	@echo "Installing the pinned dependencies …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

up: install ## bring everything up: database, tables, demo data, gateway (PORT=, HOST=, WORKERS=, CSV=, STATE=)
	@exec $(BIN)/reviews up $(UP_FLAGS)

test: install ## run the tests (DATABASE_URL=… runs them on that server; ARGS=… goes to pytest)
	@$(BIN)/python -m pytest $(ARGS)

judge: install ## ask both executions the same, at length (CASES=100000, SEED=… repeats a run)
	@JUDGE_CASES=$(or $(CASES),100000) $(if $(SEED),JUDGE_SEED=$(SEED)) $(BIN)/python -m pytest tests/execution/test_generated.py $(ARGS)

check: install ## lint, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: install ## pages a second against graphql-core, PostgreSQL alone and, with PEERS=1, PostGraphile and Mercurius (ARGS=--write keeps the result)
	@PYTHONPATH=. $(BIN)/python perf/bench.py $(if $(PEERS),--peers) $(ARGS)

bench-soak: install ## the memory of one process over a million requests (ARGS='--requests 50000' for fewer)
	@PYTHONPATH=. $(BIN)/python perf/soak.py $(ARGS)

bench-etl: install ## a first load against what PostgreSQL itself needs (PRODUCTS=1000000: the full set; ARGS=--write keeps the result)
	@PYTHONPATH=. $(BIN)/python perf/bench_etl.py $(if $(PRODUCTS),--products $(PRODUCTS)) $(ARGS)

format: install ## put the code into its form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

schema: install ## write the schema's SDL where it is committed
	@$(BIN)/reviews schema > graphql_api/schema/schema.graphql

lock: install ## pin the versions that pyproject.toml admits with their hashes (LOCK_FLAGS=--upgrade takes the newest)
	@CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet $(LOCK_FLAGS) --allow-unsafe --generate-hashes --strip-extras --extra dev --extra etl \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements.txt pyproject.toml

clean: ## remove what make install and make up made (the data too)
	rm -rf $(VENV) $(STATE) .local-bench perf/peers/node_modules *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
