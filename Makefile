# One vocabulary for people and CI: make help lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STATE ?= $(or $(REVIEWS_STATE),.local)
UP_FLAGS = $(if $(PORT),--port $(PORT)) $(if $(HOST),--host $(HOST)) $(if $(WORKERS),--workers $(WORKERS)) \
           $(if $(CSV),--csv $(CSV)) --state $(STATE)
# No address of a registry is written into a file of pins.
PIP_COMPILE = CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes \
              --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host
ifdef DATABASE_URL
export DATABASE_URL
endif

.DEFAULT_GOAL := help
.PHONY: help install up cluster test test-edge test-long test-containers judge check audit bench bench-edge \
        bench-overload bench-writes bench-metrics bench-soak bench-limits bench-etl bench-compare ladder test-faults fuzz \
        load format schema lock clean

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

test: install ## run the tests (DATABASE_URL=… runs them on that server; PROCESSES=2 at once; ARGS=… goes to pytest)
	@$(BIN)/python -m pytest -n $(or $(PROCESSES),2) --dist loadfile $(ARGS)

test-edge: install ## replicas behind the edge under load: nothing stale, parts that fail (EDGE_PRODUCTS=, EDGE_READS=, EDGE_FAULT_SECONDS=)
	@$(BIN)/python -m pytest -s -m 'edge and not faults' tests/edge tests/perf $(ARGS)

test-faults: install ## every fault of replicas, edge and PostgreSQL under load, told in a table (EDGE_FAULT_SECONDS=10)
	@EDGE_FAULT_SECONDS=$(or $(EDGE_FAULT_SECONDS),10) $(BIN)/python -m pytest -s -m edge tests/edge/test_*faults.py $(ARGS)

test-long: install ## the same at length: a million reads of 100,000 products, faults of 15 seconds
	@EDGE_PRODUCTS=100000 EDGE_READS=1000000 EDGE_FAULT_SECONDS=15 $(BIN)/python -m pytest -s -m edge tests/edge $(ARGS)

test-containers: install ## build the images, run them, scale them, kill one under load (needs docker, docker-compose, Compose v2 and debootstrap)
	@$(BIN)/python -m pytest -s -m containers tests/containers $(ARGS)

judge: install ## ask both executions the same, at length (CASES=100000, SEED=… repeats a run)
	@JUDGE_CASES=$(or $(CASES),100000) JUDGE_SEED=$(or $(SEED),$$(date +%s)) $(BIN)/python -m pytest tests/execution/test_generated.py $(ARGS)

fuzz: install ## hostile bytes to a gateway and an edge, Schemathesis' requests, coverage-guided bytes to what reads them (SECONDS=10 for each, SEED=… repeats a run)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.txt
	@FUZZ_SECONDS=$(or $(SECONDS),10) $(BIN)/python -m pytest -s -m fuzz tests/fuzz $(ARGS)
	@for target in documents requests ids cursors; do \
	  $(BIN)/python -m tests.fuzz.guided $$target $(or $(SECONDS),10) $(or $(SEED),0) > .local-fuzz-log 2>&1 || { \
	    cat .local-fuzz-log; \
	    for found in .local-fuzz/$$target-*; do test -f "$$found" || continue; echo "$$found in base64:"; base64 "$$found"; done; \
	    exit 1; }; \
	  echo "guided, $$target: $$(grep DONE .local-fuzz-log | tr '\t' ' '), 0 findings"; \
	done; rm -f .local-fuzz-log

check: install ## lint, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

audit: install ## ask which dependencies have known vulnerabilities (ARGS=--may-be-away: pass where no service answers, and say so)
	@$(BIN)/python tests/audit/audit.py $(ARGS)

bench: install ## pages a second against graphql-core, PostgreSQL alone and, with PEERS=1, PostGraphile and Mercurius (ARGS=--write keeps the result)
	@PYTHONPATH=. $(BIN)/python perf/bench.py $(if $(PEERS),--peers) $(ARGS)

bench-edge: install ## what a hit costs at the edge, against nginx's own cache (ARGS=--write keeps the result)
	@PYTHONPATH=. $(BIN)/python perf/bench_edge.py $(ARGS)

bench-overload: install ## three times the load that can be answered, and 10,000 idle connections, in 4 minutes (ARGS=--write keeps the result)
	@PYTHONPATH=. $(BIN)/python -m perf.overload $(ARGS)

bench-writes: install ## votes and reviews a second against pgbench storing the same rows, and who waits for a hot product (ARGS=--write keeps the result)
	@PYTHONPATH=. $(BIN)/python -m perf.writes $(ARGS)

bench-metrics: install ## what the instruments cost: pages a second with and without them (ARGS=--write keeps the result)
	@PYTHONPATH=. $(BIN)/python perf/bench_metrics.py $(ARGS)

bench-limits: install ## what the dearest documents cost to parse and to validate, and what a refusal by length costs
	@PYTHONPATH=. $(BIN)/python perf/worst_documents.py $(ARGS)

bench-soak: install ## the memory of one process over a million requests (ARGS='--requests 50000' for fewer)
	@PYTHONPATH=. $(BIN)/python perf/soak.py $(ARGS)

bench-etl: install ## a first load against what PostgreSQL itself needs (PRODUCTS=1000000: the full set; ARGS=--write keeps the result)
	@PYTHONPATH=. $(BIN)/python perf/bench_etl.py $(if $(PRODUCTS),--products $(PRODUCTS)) $(ARGS)

bench-compare: install ## what differs between two kept results by more than their rounds do (RESULT=new.json, WITH=old.json)
	@PYTHONPATH=. $(BIN)/python -m perf.compare $(RESULT) $(WITH) $(ARGS)

ladder: install ## replicas added one by one under load until they add nothing, and which part is why (ARGS=--write keeps the result)
	@PYTHONPATH=. $(BIN)/python -m perf.ladder $(ARGS)

load: install ## users of persisted operations, every answer checked (URL=, USERS=50, SECONDS=30, PROCESSES=1, REPLICAS=2, ARGS=--ui)
	@PYTHONPATH=. exec $(BIN)/python perf/load_test.py $(if $(URL),--url $(URL)) $(if $(USERS),--users $(USERS)) $(if $(SECONDS),--seconds $(SECONDS)) \
	  $(if $(PROCESSES),--processes $(PROCESSES)) $(if $(REPLICAS),--replicas $(REPLICAS)) $(ARGS)

format: install ## put the code into its form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

schema: install ## write the schema's SDL where it is committed
	@$(BIN)/reviews schema > graphql_api/schema/schema.graphql

lock: install ## pin the versions that pyproject.toml admits with their hashes (LOCK_FLAGS=--upgrade takes the newest)
	@$(PIP_COMPILE) $(LOCK_FLAGS) --extra dev --extra etl --extra otel --output-file requirements.txt pyproject.toml
	@$(PIP_COMPILE) --extra otel --constraint requirements.txt --output-file requirements-gateway.txt pyproject.toml
	@$(PIP_COMPILE) --extra fuzz --constraint requirements.txt --output-file requirements-fuzz.txt pyproject.toml

clean: ## remove what make install and make up made (the data too)
	rm -rf $(VENV) $(STATE) .local-bench .local-load .local-fuzz perf/peers/node_modules *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
