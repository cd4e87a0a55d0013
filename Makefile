# Relais: every step a newcomer or a machine needs. Only Python >= 3.11 and make must be there.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
HTMX := web/static/vendor/htmx.min.js
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard web/translations/*/LC_MESSAGES/messages.po))
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: install run test lint format bench lock translations catalogues front browser screenshots clean help

help:
	@echo "make install install what Relais needs to run"
	@echo "make run     install, load the demonstration and serve it on http://127.0.0.1:8000"
	@echo "make test    install what the tests need, check the code and run every test"
	@echo "make lint | format | bench | lock | translations | clean"

install: $(VENV)/.run front catalogues

run: install
	@$(PY) app.py serve --demo --port $(PORT)

test: lint front browser catalogues
	@$(BIN)/pytest --numprocesses=auto --dist=loadfile --cov --cov-report=term:skip-covered \
	  $(PYTEST_ARGS)

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: $(VENV)/.dev
	@$(PY) -m benchmarks

# The locks are whole: what they name is installed and nothing beside it (`--no-deps`), even where
# a package asks for one that is kept out on purpose (pyproject.toml, tool.uv).
# The lock names no index: pip asks whichever one it is configured for. Extras stand in it, since
# pip before 23.3 looks for the newest release of `coverage[toml]` whatever `coverage` is pinned to.
lock: $(VENV)/.dev
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-strip-extras --no-header --no-annotate pyproject.toml -o requirements.lock $(LOCK_ARGS)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-strip-extras --no-header --no-annotate pyproject.toml --group dev -c requirements.lock \
	  -o requirements-dev.lock $(LOCK_ARGS)

# Take new sentences from code and templates into both catalogues, and drop those that are gone.
# The head of a catalogue keeps what its readers need: a date in it would make every run a change.
UNSTEADY := Project-Id-Version|Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date
UNSTEADY := $(UNSTEADY)|Last-Translator|Language-Team|Generated-By

translations: $(VENV)/.dev
	@mkdir -p var
	@$(BIN)/pybabel -q extract -F pyproject.toml -k _l -k lazy_gettext --no-location --no-wrap \
	  --sort-output -o var/messages.pot web
	@for locale in fr en; do \
	  po=web/translations/$$locale/LC_MESSAGES/messages.po; \
	  $(BIN)/pybabel -q update -l $$locale --init-missing --no-fuzzy-matching --ignore-obsolete \
	    --no-wrap -i var/messages.pot -o $$po || exit 1; \
	  sed -n '/^msgid/,$$p' $$po | grep -vE '^"($(UNSTEADY)): ' \
	    > var/messages.po && cat var/messages.po > $$po; \
	done

catalogues: $(CATALOGUES)

%.mo: %.po | $(VENV)/.run
	@$(BIN)/pybabel -q compile -i $< -o $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Relais needs Python 3.11 or newer; this is $$($(PYTHON) --version)." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock | $(VENV)/bin/python
	@echo "Installing Relais …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/bin/python
	@echo "Installing what the tests need …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	@touch $@ $(VENV)/.run

# The one library of the front end. Every page works without it.
front: $(HTMX)

$(HTMX): package-lock.json
	@if command -v npm >/dev/null 2>&1; then \
	  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error \
	  && mkdir -p $(@D) && cp node_modules/htmx.org/dist/htmx.min.js $@ \
	  || echo "npm could not fetch htmx: pages will reload instead of updating in place."; \
	else echo "npm is not installed: pages will reload instead of updating in place."; fi

# Tests drive a real Chromium. A machine that may install Debian packages gets it; elsewhere the
# browser tests say loudly that they were skipped (and fail where CI=true).
browser:
ifeq ($(CHROMIUM),)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  echo "Installing Chromium …"; apt-get update -qq >/dev/null \
	  && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-dejavu-core >/dev/null; \
	else echo "Chromium is not installed: the browser tests cannot run."; fi
endif

# The pictures that the README shows are made by the browser tests.
screenshots: $(VENV)/.dev front browser catalogues
	@$(BIN)/pytest -q tests/browser/test_journeys.py -k picture
	@mkdir -p tests/browser/screenshots
	@cp var/screenshots/readme-week.png tests/browser/screenshots/week.png

clean:
	rm -rf $(VENV) node_modules web/static/vendor var .coverage* .mypy_cache .ruff_cache .pytest_cache
