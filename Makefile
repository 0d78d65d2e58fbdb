# Every command that anybody types. `make` lists them. S=projects narrows those that say so.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.tools/bin:$(PATH)

S ?=
M ?=
ARGS ?=
PYTEST := python -m pytest
FOLDERS := $(if $(S),services/$(S),)
SCRIPTS := $(wildcard scripts/*.sh) deploy/sandbox/build.sh .ci/run

##@ The fleet

.PHONY: help
help: ## list the commands
	@awk 'BEGIN {FS = ":.*## "} \
	  /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z0-9_-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## install what is missing: system packages, Python, Node, their packages
	@scripts/bootstrap.sh

.PHONY: dev
dev: setup ## start everything, print where it is
	@fleet up

.PHONY: down
down: ## stop everything
	@fleet down

.PHONY: status
status: ## which processes run
	@fleet status

.PHONY: logs
logs: ## show the logs (S=projects: of one process)
	@fleet logs $(S)

.PHONY: restart
restart: ## restart everything, or one process (S=projects)
	@$(if $(S),fleet restart $(S),fleet down && fleet up)

.PHONY: clean
clean: ## stop everything and remove its data, secrets and logs
	@fleet clean

.PHONY: doctor
doctor: ## say what is wrong with this machine, and how to mend it
	@fleet doctor

.PHONY: demo
demo: setup ## play the whole story through the gateway (after make dev)
	@fleet demo

.PHONY: seed
seed: ## put the demo account and its project there
	@fleet seed

.PHONY: auth
auth: ## what an operator does with accounts and keys (ARGS="--help")
	@python -m fleet.operate auth $(ARGS)

.PHONY: run
run: setup ## run some of the fleet's processes only (S=projects, and what it needs)
	@test -n "$(S)" || { echo "say which: make run S=projects" >&2; exit 2; }
	@fleet up --only $(S)

##@ Code

.PHONY: fmt
fmt: ## format, and mend what can be mended
	@ruff format .
	@ruff check --fix .

.PHONY: lint
lint: ## ruff, formatting, import contracts, declared dependencies, shell scripts
	@ruff check .
	@ruff format --check .
	@lint-imports
	@scripts/dependencies.sh
	@if command -v shellcheck >/dev/null; then shellcheck -x $(SCRIPTS); else echo "shellcheck is not installed: scripts were not checked"; fi

.PHONY: types
types: ## mypy --strict
	@mypy

##@ Tests (S=projects narrows, ARGS passes on)

.PHONY: unit
unit: ## rules, without anything running
	@$(PYTEST) -m unit $(FOLDERS) $(ARGS)

.PHONY: integration
integration: ## services through HTTP, on real servers
	@$(PYTEST) -m integration $(FOLDERS) $(ARGS)

.PHONY: contract
contract: ## documents and events, at both ends
	@$(PYTEST) -m contract $(FOLDERS) $(ARGS)

.PHONY: architecture
architecture: ## the repository itself
	@$(PYTEST) -m architecture $(ARGS)

.PHONY: e2e
e2e: ## the fleet behind its gateway
	@$(PYTEST) -m e2e $(ARGS)

.PHONY: test
test: setup ## everything: lint, types, then all tests in one run
	@$(MAKE) lint types
	@$(PYTEST) $(ARGS)

.PHONY: check
check: setup ## lint, types, and the tests that need no servers
	@$(MAKE) lint types
	@$(PYTEST) -m "unit or contract or architecture" $(ARGS)

.PHONY: isolated
isolated: setup ## each service's unit tests with its own dependencies only (S=projects)
	@scripts/isolated.sh $(S)

.PHONY: faults
faults: setup ## kill services and stores in the midst of writes and of typing, and see that nothing is lost
	@python -m tests.faults $(ARGS)

.PHONY: trials
trials: setup ## let five people work on one file, ten thousand times, and compare what they saw with what was done
	@python -m tests.trials $(ARGS)

.PHONY: sandbox-image
sandbox-image: setup ## make the image that builds run in where SANDBOX is container or kubernetes
	@deploy/sandbox/build.sh $(ARGS)

.PHONY: sandbox-attacks
sandbox-attacks: setup ## try everything that a sandbox must hold (ARGS="container podman --runtime runc")
	@python -m services.builds.tests.trial $(or $(ARGS),bubblewrap)

.PHONY: bench
bench: ## measure the hot paths beside the peer
	@scripts/bootstrap.sh --bench
	@python -m benchmarks.bench $(ARGS)
	@$(if $(ARGS),,$(MAKE) bench-builds)

.PHONY: bench-auth
bench-auth: ## measure what logins take from everybody else
	@scripts/bootstrap.sh --bench
	@python -m benchmarks.auth.bench $(ARGS)

.PHONY: bench-collab
bench-collab: ## measure live documents beside Hocuspocus
	@scripts/bootstrap.sh --bench
	@python -m benchmarks.collab.bench $(ARGS)

.PHONY: bench-archives
bench-archives: ## measure what a large import and export cost in memory and time
	@python -m benchmarks.projects.archives $(ARGS)

.PHONY: bench-trees
bench-trees: ## measure what trees cost, cached and not, now and at any past moment
	@python -m benchmarks.projects.trees $(ARGS)

.PHONY: bench-copies
bench-copies: ## measure how long copies of whole projects take
	@python -m benchmarks.projects.copies $(ARGS)

.PHONY: bench-assets
bench-assets: ## measure cached assets beside nginx, and what large uploads take
	@scripts/bootstrap.sh --bench
	@python -m benchmarks.assets.bench $(ARGS)

.PHONY: bench-builds
bench-builds: ## measure how long builds take, beside the tools run by hand, and what they take from everybody else
	@python -m benchmarks.builds.bench $(ARGS)

##@ Generated files and schemas

.PHONY: contracts
contracts: ## write the OpenAPI and AsyncAPI documents
	@python -m fleet.documents

.PHONY: lock
lock: ## resolve dependencies anew and write the locks (ARGS=--upgrade)
	@scripts/lock.sh $(ARGS)

.PHONY: migrate
migrate: ## bring the schemas up to date (S=projects: of one service)
	@python -m fleet.migrations upgrade $(S)

.PHONY: migration
migration: ## write a migration from what changed in tables.py (S=projects M="add a column")
	@test -n "$(S)" -a -n "$(M)" || { echo 'say which service and what: make migration S=projects M="add a column"' >&2; exit 2; }
	@python -m fleet.migrations new $(S) "$(M)"
