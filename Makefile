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
.PHONY: help install up cluster test test-edge test-long test-containers judge check bench bench-edge bench-soak bench-etl format schema lock clean

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

cluster: install ## the same with replicas behind the edge, which needs nginx (REPLICAS=3, PORT=8080, CSV=, STATE=)
	@exec $(BIN)/reviews cluster --replicas $(or $(REPLICAS),3) --port $(or $(PORT),8080) $(if $(HOST),--host $(HOST)) $(if $(CSV),--csv $(CSV)) --state $(STATE)

test: install ## run the tests (DATABASE_URL=… runs them on that server; ARGS=… goes to pytest)
	@$(BIN)/python -m pytest $(ARGS)

test-edge: install ## replicas behind the edge under load: nothing stale, parts that fail (EDGE_READS=, EDGE_FAULT_SECONDS=)
	@$(BIN)/python -m pytest -s -m edge tests/edge $(ARGS)

test-long: install ## the same at length: a million reads, faults of half a minute
	@EDGE_READS=1000000 EDGE_FAULT_SECONDS=15 $(BIN)/python -m pytest -s -m edge tests/edge $(ARGS)

test-containers: install ## build the images, run them, scale them, kill one under load (needs docker, docker-compose and debootstrap)
	@$(BIN)/python -m pytest -s -m containers tests/containers $(ARGS)

judge: install ## ask both executions the same, at length (CASES=100000, SEED=… repeats a run)
	@JUDGE_CASES=$(or $(CASES),100000) $(if $(SEED),JUDGE_SEED=$(SEED)) $(BIN)/python -m pytest tests/execution/test_generated.py $(ARGS)

check: install ## lint, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: install ## pages a second against graphql-core, PostgreSQL alone and, with PEERS=1, PostGraphile and Mercurius (ARGS=--write keeps the result)
	@PYTHONPATH=. $(BIN)/python perf/bench.py $(if $(PEERS),--peers) $(ARGS)

bench-edge: install ## what a hit costs at the edge, against nginx's own cache (ARGS=--write keeps the result)
	@PYTHONPATH=. $(BIN)/python perf/bench_edge.py $(ARGS)

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
	@CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras --constraint requirements.txt \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements-gateway.txt pyproject.toml

clean: ## remove what make install and make up made (the data too)
	rm -rf $(VENV) $(STATE) .local-bench perf/peers/node_modules *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
