# make help lists the targets.  PYTHON=/path/to/python3.11 chooses the interpreter for .venv.
SHELL := /bin/bash
PYTHON ?=
export PYTHON
PY := .venv/bin/python

# Of `make chaos`; VARIANT=puback, nodedupe or both breaks the cabinet or the cloud on purpose, and must be seen to fail.
SALES ?= 600
SECONDS ?= 45
SEED ?= 7
VARIANT ?= none

.PHONY: help setup setup-tests demo test lint bench campaign chaos train-item train-face lock clean

help:           ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:          ## apt packages if missing, .venv from the lock files
	@.ci/setup

setup-tests:    ## what the tests need beside that: PostgreSQL, spin, gcc, strace
	@.ci/setup tests

demo: setup     ## four visits through the real processes; pictures and receipts in demo-out/
	@$(PY) -m cabinet demo --out demo-out

# One worker more than there are cores: a third of the time tests wait for doors, leases and disks.
WORKERS ?= $(shell echo $$(( $$(nproc) + 1 )))

test: setup-tests ## lint, types, layers and every test (under 10 minutes on 2 cores)
	@$(PY) -m pytest -n $(WORKERS) --dist worksteal -q

lint: setup     ## ruff, mypy --strict and the import contracts alone
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

bench: setup-tests ## figures of this machine as JSON in bench-out/
	@$(PY) -m tests.benchmarks --out bench-out

campaign: setup-tests ## the slow campaigns (marker "campaign")
	@$(PY) -m pytest -q -m campaign -n auto --dist worksteal

chaos: setup-tests ## edge, broker and cloud killed at random while SALES are made; ends with one line of JSON
	@$(PY) -m tests.chaos --sales $(SALES) --seconds $(SECONDS) --seed $(SEED) --variant $(VARIANT)

train-item: setup ## rebuild models/item from the photographs (about two hours)
	@models/item/training/run "$${CABINET_DATA:-../shared/data}"

train-face:     ## fetch or rebuild models/face-* (about an hour; needs npm)
	@for m in detect far marks embed live; do models/face-$$m/training/run "$${CABINET_DATA:-../shared/data}" || exit 1; done

lock:           ## make the lock files anew (needs uv)
	uv pip compile requirements.in --override requirements.override --python-version 3.11 --universal \
	  --no-emit-index-url --generate-hashes --no-header -q -o requirements.lock
	uv pip compile requirements-dev.in --override requirements.override --python-version 3.11 --universal \
	  --no-emit-index-url --generate-hashes --no-header -q -o requirements-dev.lock

clean:          ## forget .venv and what was written
	rm -rf .venv demo-out bench-out
