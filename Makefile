# Everything that can be done here; `make` alone lists it. The work is done by scripts/.

.DEFAULT_GOAL := help
.PHONY: help setup build install demo psql stop test test-all test-arm64 bench quality recall fmt lint clean

# Options that may stand after make: passed on to the scripts.
export PG_CONFIG PG_CONFIGS KEEP UPDATE STAGES DATA SCENARIOS OUT CAP QUERIES

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: ## get what building and testing needs, and a private copy of a Postgres (PG_CONFIG=... chooses it)
	@scripts/setup.sh

build: ## build the extension and install it into the private copy
	@scripts/install.sh

install: ## build it and install it into a Postgres of yours (PG_CONFIG=.../pg_config)
	@scripts/install.sh "$(PG_CONFIG)"

demo: ## show what it does, in a private throwaway cluster (KEEP=1 keeps the cluster)
	@scripts/demo.sh

psql: ## open the cluster that make demo KEEP=1 left
	@scripts/cluster.sh psql demo

stop: ## end that cluster
	@scripts/cluster.sh stop-all

test: ## run every test (STAGES="core regress" for some, UPDATE=1 rewrites expected outputs)
	@scripts/test.sh $(STAGES)

test-all: ## run every test with each supported Postgres that is installed
	@scripts/test-all.sh

test-arm64: ## run the core's tests on arm64, emulated (on Debian)
	@scripts/arm64.sh

recall: ## measure how many true neighbours an index finds, plain and by hinted_exemplar_search (QUERIES=200 for less)
	@scripts/recall.sh $(FOLDERS)

bench: ## time the solver and whole calls beside what they replace (installs that into a virtual environment)
	@scripts/bench.sh

quality: ## measure search quality on labelled data sets (DATA=dir, SCENARIOS="a d" for some, UPDATE=1 rewrites the README's table)
	@scripts/quality.sh

fmt: ## format the sources
	@cargo fmt

lint: ## format check and lints
	@scripts/test.sh format lints

clean: ## remove all that was built here, and this clone's copy of Postgres
	@scripts/clean.sh
