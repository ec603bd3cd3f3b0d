# Everything that can be done here; `make help` lists it. The work is done by scripts/.
# make, make install and make installcheck mean what they mean for every Postgres extension: PG_CONFIG names the Postgres, and DESTDIR
# goes before its directories.

.DEFAULT_GOAL := all
.PHONY: all help setup build install install-pgvector uninstall installcheck demo web psql stop test test-all test-arm64 fuzz fuzz-bytes test-faults load bench quality recall deb dist reproduce rehearse freeze fmt lint clean

# Options that may stand after make: passed on to the scripts.
export PG_CONFIG PG_CONFIGS DESTDIR KEEP UPDATE STAGES DATA SCENARIOS OUT CAP QUERIES SIZES CALLS SEED ONLY CASES ROUNDS DURATION CLIENTS TEXT REQUESTS PGVECTOR PGVECTORS

all: build

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | while IFS='	' read -r name text; do printf '  make %-16s %s\n' "$$name" "$$text"; done

build: ## build the extension (so does make alone)
	@scripts/install.sh build

install: ## build it and install it (PG_CONFIG=.../pg_config, else that of the PATH; DESTDIR=...)
	@scripts/install.sh install

install-pgvector: ## install pgvector there, if it has none
	@scripts/install.sh pgvector

uninstall: ## remove it from there
	@scripts/install.sh uninstall

installcheck: ## run the SQL tests with a server that has it (PGHOST, PGPORT, PGUSER; UPDATE=1 rewrites expected outputs)
	@scripts/regress.sh

setup: ## get what building and testing needs, and a private copy of a Postgres (PG_CONFIG=... chooses it)
	@scripts/setup.sh

demo: ## show what it does, in a private throwaway cluster (KEEP=1 keeps the cluster)
	@scripts/demo.sh

web: ## open a page that searches the demo's data in the browser (TEXT=1 also starts a text encoder)
	@scripts/web.sh

psql: ## open the cluster that make demo KEEP=1 left
	@scripts/cluster.sh psql demo

stop: ## end that cluster
	@scripts/cluster.sh stop-all

test: ## run every test (STAGES="core regress" for some, UPDATE=1 rewrites expected outputs)
	@scripts/test.sh $(STAGES)

test-all: ## run every test with each supported Postgres (STAGES=... for some)
	@scripts/test-all.sh $(STAGES)

test-arm64: ## run the core's tests on arm64, emulated (on Debian)
	@scripts/arm64.sh

fuzz: ## make generated calls that no server may be hurt by (CALLS=100000, SEED=...; ONLY=... repeats one)
	@scripts/robustness.sh fuzz

fuzz-bytes: ## fuzz what decodes the bytes of pages and values, with AddressSanitizer (DURATION=60 seconds each)
	@scripts/fuzz_bytes.sh

test-faults: ## cancel, kill, starve and alter what calls work on (CASES="cancel ddl" for some, ROUNDS=0.1 for less)
	@scripts/robustness.sh faults

load: ## run 1 to 64 clients at once, answers checked (DURATION=60 seconds each, CLIENTS="4" for some)
	@scripts/robustness.sh load

recall: ## measure how many true neighbours an index finds, plain and by hinted_exemplar_search (QUERIES=200 for less)
	@scripts/recall.sh $(FOLDERS)

bench: ## time the solver and whole calls beside what they replace (installs that into a virtual environment)
	@scripts/bench.sh

quality: ## measure search quality on labelled data sets (DATA=dir, SCENARIOS="a d" for some, UPDATE=1 rewrites the README's table)
	@scripts/quality.sh

deb: ## build a Debian package for the Postgres of PG_CONFIG (target/packages)
	@scripts/package.sh deb

dist: ## make PGXN's archive of the last commit
	@scripts/package.sh pgxn

reproduce: ## build the packages twice, elsewhere, and compare them byte for byte (KINDS="deb pgxn image" for some)
	@scripts/reproduce.sh $(KINDS)

rehearse: ## release this version and the next in a clone that is thrown away, and take a server from one to the other
	@scripts/rehearse.sh $(NEXT)

freeze: ## keep the SQL script of this version, as released
	@scripts/freeze.sh

fmt: ## format the sources
	@cargo fmt

lint: ## format check and lints
	@scripts/test.sh format lints

clean: ## remove all that was built here, and this clone's copy of Postgres
	@scripts/clean.sh
