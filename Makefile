# make help lists the targets.  PYTHON=/path/to/python3.11 chooses the interpreter for .venv.
SHELL := /bin/bash
PYTHON ?=
export PYTHON
PY := .venv/bin/python

.PHONY: help setup demo test lint bench campaign chaos train-item lock clean

help:           ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:          ## apt packages if missing, .venv from the lock files
	@.ci/setup

demo: setup     ## four visits through the real processes; pictures and receipts in demo-out/
	@$(PY) -m cabinet demo --out demo-out

test: setup     ## lint, types, layers and every test (under 10 minutes on 2 cores)
	@$(PY) -m pytest -n auto -q

lint: setup     ## ruff, mypy --strict and the import contracts alone
	@.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

bench: setup    ## figures of this machine as JSON in bench-out/
	@$(PY) -m tests.benchmarks --out bench-out

campaign: setup ## the slow campaigns (marker "campaign")
	@$(PY) -m pytest -q -m campaign -n auto

chaos: setup    ## processes killed at random while people shop (marker "chaos")
	@$(PY) -m pytest -q -m chaos

train-item: setup ## rebuild models/item from the photographs (about two hours)
	@models/item/training/run "$${CABINET_DATA:-../shared/data}"

lock:           ## make the lock files anew (needs uv)
	uv pip compile requirements.in --override requirements.override --python-version 3.11 --universal \
	  --no-emit-index-url --generate-hashes --no-header -q -o requirements.lock
	uv pip compile requirements-dev.in --override requirements.override --python-version 3.11 --universal \
	  --no-emit-index-url --generate-hashes --no-header -q -o requirements-dev.lock

clean:          ## forget .venv and what was written
	rm -rf .venv demo-out bench-out
