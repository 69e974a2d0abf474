# On a fresh machine: make demo, make test. Both need Python 3.10-3.13, pip and a package index.
# Every step leaves a stamp inside the environment it made, so the second time is quick.

PYTHON ?= python3
# KozmoAI has no release for Python 3.13.
PYTHON_kozmoai ?= >=3.10,<3.13
PYTHON_langflow ?= >=3.11,<3.13

# Of these packages only the data is read, whatever Python their code would need.
datasets_OPTIONS := --no-deps --python-version 3.11

ENVIRONMENTS := azurite datasets kozmoai langflow meltano singer-python singer-sdk-beta
PEERS := meltanolabs-tap meltanolabs-tap-msgspec meltanolabs-target \
  pipelinewise-tap pipelinewise-target sling dlt ingestr target-jsonl tpchgen \
  mage-cleaner ydata-profiling skrub

UV := .venv/bin/uv
READY := .venv/.installed
installed = $(foreach name,$(1),.envs/$(name)/.installed)
INSTALL := $(UV) pip install --quiet --compile-bytecode
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.10 --generate-hashes \
  --no-emit-index-url --custom-compile-command "make lock" $(UPGRADE)

.DELETE_ON_ERROR:
.PHONY: help demo test test-crash test-quick lint audit audited bench bench-quick peers docs lock envs clean

help:
	@echo "make demo        336,776 flights from SQLite into KozmoAI Data, with live progress"
	@echo "make test        everything: lint, audit and the whole suite on real servers"
	@echo "make test-crash  300 runs that are struck down, each run again and compared row by row"
	@echo "make test-quick  what needs no server: unit, style and conformance tests"
	@echo "make lint        ruff, mypy and bandit"
	@echo "make audit       known vulnerabilities of what is locked, as the index tells them"
	@echo "make bench       our pipes against their peers and the limit; bench-quick in minutes"
	@echo "make docs        write the generated pages from the settings"
	@echo "make lock        resolve requirements/*.lock again (UPGRADE=--upgrade for newer ones)"
	@echo "make clean       remove environments, caches and results"

demo: $(READY)
	@.venv/bin/python examples/demo.py

test: lint audited envs
	@.venv/bin/python -m pytest

test-crash: $(READY)
	@.venv/bin/python -m pytest tests/crash --crashes 300

test-quick: $(READY)
	@.venv/bin/python -m pytest -m "not slow" tests/unit tests/style tests/conformance

lint: $(READY)
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@MYPYPATH=benchmarks:examples:tests .venv/bin/mypy --cache-dir .mypy_cache/benchmarks benchmarks/*.py
	@.venv/bin/mypy docs/generate.py examples/demo.py examples/tap_pages/tap_pages.py
	@.venv/bin/bandit --quiet --configfile pyproject.toml --recursive \
	  kozmo_singer taps targets runner kozmo_bridge

# Fails as well where the index does not tell of vulnerabilities: not looked up is not clean.
audit: $(READY)
	@.venv/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes \
	  -r requirements/dev.lock

# For CI: what is known to be vulnerable fails, an index that tells nothing does not.
audited: $(READY)
	@if ! found=$$(timeout 300 $(MAKE) --no-print-directory audit 2>&1); then \
	  echo "$$found" | tail -n 4; \
	  if echo "$$found" | grep -q "known vulnerabilit"; then exit 1; fi; \
	  echo "the audit found no vulnerability, but could not be done in full"; \
	fi

bench: peers
	@.venv/bin/python benchmarks/pipe.py
	@.venv/bin/python benchmarks/jobs.py
	@.venv/bin/python benchmarks/data_objects.py
	@.venv/bin/python benchmarks/micro.py

bench-quick: peers
	@.venv/bin/python benchmarks/pipe.py --scale 0.1 --rounds 1 --seconds 60 \
	  --data narrow,flights,lineitem,tiny --mode upsert,read
	@.venv/bin/python benchmarks/data_objects.py --rounds 1
	@.venv/bin/python benchmarks/micro.py

# A peer that cannot be installed here is named in the tables, with the error that its log holds.
peers: $(READY)
	@mkdir -p .envs
	@for name in $(PEERS) kozmoai; do \
	  $(MAKE) --no-print-directory .envs/$$name/.installed > .envs/$$name.log 2>&1 || true; done

docs: $(READY)
	@.venv/bin/python docs/generate.py

envs: $(call installed,$(ENVIRONMENTS))

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' \
	  || { echo "needs Python 3.10-3.13; say which: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import pip' || { echo "needs pip; on Debian: apt install python3-pip"; exit 1; }
	$(PYTHON) -m venv --clear --without-pip .venv

# Debian keeps ensurepip in a package of its own, so the pip outside installs into .venv.
$(UV): requirements/uv.lock | .venv/bin/python
	@.venv/bin/python "$$($(PYTHON) -c 'import pip; print(pip.__path__[0])')" \
	  install --quiet --disable-pip-version-check --ignore-installed --no-warn-script-location \
	  --require-hashes -r requirements/uv.lock
	@touch $@

$(READY): requirements/dev.lock pyproject.toml $(UV)
	$(INSTALL) -p .venv --require-hashes -r requirements/dev.lock
	@$(INSTALL) -p .venv --no-deps --no-build-isolation -e .
	@touch $@

.envs/%/.installed: requirements/%.lock $(UV)
	$(UV) venv --quiet --clear -p "$(or $(PYTHON_$*),.venv)" .envs/$*
	@$(INSTALL) -p .envs/$* --require-hashes $($(*)_OPTIONS) -r $<
	@$(if $(filter kozmoai langflow,$*),$(INSTALL) -p .envs/$* --no-deps --no-build-isolation -e .)
	@touch $@

.envs/kozmoai/.installed .envs/langflow/.installed: pyproject.toml

.envs/azurite/.installed: requirements/azurite/package-lock.json
	@npm --version > /dev/null 2>&1 || \
	  { test "$$(id -u)" = 0 && apt-get update -qq && apt-get install -qq -y npm > /dev/null; } || \
	  { echo "needs npm; on Debian: apt install npm"; exit 1; }
	@mkdir -p $(@D) && cp requirements/azurite/*.json $(@D)
	npm ci --prefix $(@D) --ignore-scripts --omit dev --no-audit --no-fund --silent
	@touch $@

lock: $(UV)
	$(COMPILE) requirements/uv.in -o requirements/uv.lock
	$(COMPILE) pyproject.toml --extra dev -o requirements/dev.lock
	$(COMPILE) pyproject.toml --extra data-integration requirements/kozmoai.in -o requirements/kozmoai.lock
	$(subst 3.10,3.11,$(COMPILE)) pyproject.toml --extra data-integration requirements/langflow.in -o requirements/langflow.lock
	$(subst 3.10,3.11,$(COMPILE)) --no-deps requirements/datasets.in -o requirements/datasets.lock
	@for name in meltano singer-python singer-sdk-beta $(PEERS); do \
	  echo "$(UV) pip compile requirements/$$name.in"; \
	  $(COMPILE) requirements/$$name.in -o requirements/$$name.lock || exit 1; done

clean:
	rm -rf .venv .envs .pytest_cache .mypy_cache .ruff_cache .hypothesis .meltano build dist
	rm -rf demo-output benchmarks/results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
