# Everything is installed below this folder (.venv, node_modules, static/build) and nothing outside it.

.DEFAULT_GOAL := help

PORT ?= 8000
# One more than there are cores: tests also wait, for the database and for the product beside them.
TEST_PROCESSES ?= $(shell $(PYTHON) -c 'import os; print(min(4, 1 + len(os.sched_getaffinity(0))))' 2>/dev/null || echo 2)

# The first Python that is new enough; PYTHON=/path/to/python names another one.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)

VENV_PYTHON := .venv/bin/python
VENV_READY := .venv/.created
PRODUCT_READY := .venv/.installed-product
TOOLS_READY := .venv/.installed-tools
NODE_MODULES_READY := node_modules/.installed
ASSETS_READY := static/build/app.css

.PHONY: help
help: ## Show this list
	@echo "usage: make <command>"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: $(PRODUCT_READY) $(ASSETS_READY) ## Install everything and build the assets; start nothing
	@echo "Everything is installed. Start it with: make run"

.PHONY: run
run: $(PRODUCT_READY) $(ASSETS_READY) ## Run the whole product on this machine (PORT=8000 SMSPLATFORM_HOME=var)
	@exec $(VENV_PYTHON) -m smsplatform.embedded run --port "$(PORT)" --stop-with-parent

.PHONY: test
test: $(TOOLS_READY) $(ASSETS_READY) ## Run all tests (ARGS="tests/consent -k stop" for some of them)
	@exec $(VENV_PYTHON) -m pytest -n $(TEST_PROCESSES) $(ARGS)

.PHONY: probe
probe: $(TOOLS_READY) $(ASSETS_READY) ## Ask every route as everybody for another tenant's data (takes minutes)
	@exec $(VENV_PYTHON) -m pytest -n $(TEST_PROCESSES) -m prober tests/prober $(ARGS)

.PHONY: properties
properties: $(TOOLS_READY) $(ASSETS_READY) ## The tests of properties with new random cases (takes minutes)
	@PROPERTIES=other_cases exec $(VENV_PYTHON) -m pytest -n $(TEST_PROCESSES) -m hypothesis $(ARGS)

.PHONY: pages
pages: $(TOOLS_READY) $(ASSETS_READY) ## Look at every page in a browser, light and dark, for accessibility and width (takes minutes)
	@exec $(VENV_PYTHON) -m pytest -n $(TEST_PROCESSES) -m pages tests/browser tests/ui $(ARGS)

.PHONY: faults
faults: $(TOOLS_READY) $(ASSETS_READY) ## Processes that die, wires that break, a database that stops, one by one (takes minutes)
	@exec $(VENV_PYTHON) -m pytest -n $(TEST_PROCESSES) -m faults tests/faults $(ARGS)

PRISM_READY := tests/prism/node_modules/.installed

.PHONY: prism
prism: $(TOOLS_READY) $(PRISM_READY) ## Our requests to Twilio, judged by Stoplight Prism with Twilio's own description of its API
	@$(with_npm) $(VENV_PYTHON) -m pytest -n0 -m prism tests/prism $(ARGS)

$(PRISM_READY): tests/prism/package.json tests/prism/package-lock.json tests/prism/.npmrc | $(VENV_READY)
	@echo "Installing Stoplight Prism"
	@$(with_npm) npm ci --prefix tests/prism --ignore-scripts --silent
	@touch $@

# Names of the storm's settings; each is an argument of tests/storm.
storm_settings = $(if $(MESSAGES),--messages $(MESSAGES)) $(if $(KILLS),--kills $(KILLS)) $(if $(SECONDS),--seconds $(SECONDS)) \
	$(if $(SEED),--seed $(SEED)) $(if $(CHAOS),--chaos $(CHAOS)) $(if $(GUARD_OFF),--guard-off $(GUARD_OFF))

.PHONY: storm
storm: $(TOOLS_READY) $(ASSETS_READY) ## Kill, stop and restart everything at random while texts go out (MESSAGES= KILLS= SECONDS= SEED= GUARD_OFF=)
	@exec $(VENV_PYTHON) -m tests.storm $(storm_settings)

.PHONY: ledger-proofs
ledger-proofs: $(TOOLS_READY) $(ASSETS_READY) ## 3,000 changes of the database by its owner, each of which the ledger must show (takes minutes)
	@LEDGER_MUTATIONS=3000 exec $(VENV_PYTHON) -m pytest -n 2 tests/consent/test_log_mutations.py $(ARGS)

.PHONY: storm-minute
storm-minute: $(TOOLS_READY) $(ASSETS_READY) ## A storm of a minute
	@exec $(VENV_PYTHON) -m pytest -m storm tests/storm -k minute $(ARGS)

.PHONY: storm-proofs
storm-proofs: $(TOOLS_READY) $(ASSETS_READY) ## Storms with one safeguard off each, which must be found out (takes minutes)
	@exec $(VENV_PYTHON) -m pytest -m storm tests/storm -k without $(ARGS)

# --- Python ---------------------------------------------------------------------------------------

# Bytecode is written when a module is first imported, so the set-up need not write all of it.
export PYTHONDONTWRITEBYTECODE :=

pip_install := -m pip install -qq --disable-pip-version-check --no-input --no-compile --require-hashes

# Half of the packages each, by two processes, takes little more than half the time: pip computes on
# one core. The lock files are complete (--no-deps), so the halves do not depend on each other.
define install_packages
	@awk '/^[A-Za-z0-9]/ { entry++ } { print > (".venv/half-" entry % 2 ".lock") }' $(1)
	@$(VENV_PYTHON) $(pip_install) --no-deps -r .venv/half-0.lock & other=$$!; \
		$(VENV_PYTHON) $(pip_install) --no-deps -r .venv/half-1.lock; mine=$$?; \
		wait $$other && exit $$mine
endef

# A virtual environment whose Python was removed or replaced is made again.
ifneq ($(shell $(VENV_PYTHON) -c 'print("works")' 2>/dev/null),works)
.PHONY: $(VENV_READY)
endif

$(VENV_READY):
	@test -n "$(PYTHON)" || { \
		echo "Python 3.11 or newer is needed and was not found."; \
		echo "Install it (Debian, Ubuntu: apt install python3 python3-venv) or name it: make PYTHON=/path/to/python3.11"; \
		exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is no Python 3.11 or newer."; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments."; \
		echo "Debian, Ubuntu: apt install python3-venv"; \
		exit 1; }
	@echo "Making .venv with $$("$(PYTHON)" --version)"
	@"$(PYTHON)" -m venv .venv
	@# So that the programs in .venv/bin find the project from any folder.
	@pwd > "$$($(VENV_PYTHON) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/smsplatform.pth"
	@touch $@

$(PRODUCT_READY): requirements-embedded.lock $(VENV_READY)
	@echo "Installing the product's packages"
	$(call install_packages,requirements-embedded.lock)
	@touch $@

$(TOOLS_READY): requirements-dev.lock $(VENV_READY)
	@echo "Installing the product's packages and the development tools"
	$(call install_packages,requirements-dev.lock)
	@touch $(PRODUCT_READY) $@

# --- Front end ------------------------------------------------------------------------------------

# The system's npm when its Node.js is new enough, else one from a Python package. Starts a recipe
# line: what follows on that line has the right PATH.
with_npm = set -e; \
	if ! { node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' && npm --version; } >/dev/null 2>&1; then \
		if ! test -e .venv/node/.installed; then \
			echo "Installing Node.js as a Python package, because no npm with Node.js 18 or newer was found"; \
			$(VENV_PYTHON) -m venv .venv/node; \
			.venv/node/bin/python $(pip_install) -r requirements-node.lock; \
			touch .venv/node/.installed; \
		fi; \
		PATH="$$(pwd)/.venv/node/bin:$$PATH"; export PATH; \
	fi;

$(NODE_MODULES_READY): package.json package-lock.json .npmrc | $(VENV_READY)
	@echo "Installing the front end's packages"
	@$(with_npm) npm ci --ignore-scripts --silent
	@touch $@

$(ASSETS_READY): $(NODE_MODULES_READY) $(wildcard assets/* assets/*/*)
	@echo "Building the assets"
	@$(with_npm) npm run --silent build
	@touch $@

# --- Checks ---------------------------------------------------------------------------------------

.PHONY: setup-tools
setup-tools: $(TOOLS_READY) $(ASSETS_READY) ## Install the development tools too

.PHONY: check
check: lint test pages prism faults probe ledger-proofs storm-minute ## Everything the continuous integration checks

.PHONY: lint
lint: $(TOOLS_READY) $(ASSETS_READY) ## Linters, types, import directions, templates, Django's checks
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	$(VENV_PYTHON) manage.py check --fail-level WARNING
	.venv/bin/mypy
	$(VENV_PYTHON) -W ignore manage.py makemigrations --check --dry-run
	.venv/bin/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html')
	.venv/bin/djlint --lint --quiet templates
	@$(deploy_settings) $(VENV_PYTHON) manage.py check --deploy --fail-level WARNING

# `check --deploy` judges settings as a deployment gives them; these are made up for the check.
deploy_settings = PUBLIC_BASE_URL=https://sms.example.com ALLOWED_HOSTS=sms.example.com \
	SECRET_KEY=$$($(VENV_PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))') \
	FIELD_ENCRYPTION_KEYS=$$($(VENV_PYTHON) -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())') \
	LEDGER_SIGNING_KEY=$$($(VENV_PYTHON) -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())') \
	EMAIL_URL=smtp+tls://user:secret@mail.example.com:587

.PHONY: format
format: $(TOOLS_READY) ## Format the sources
	.venv/bin/ruff check --fix --select I .
	.venv/bin/ruff format .
	.venv/bin/djade --target-version 5.2 $$(git ls-files 'templates/*.html')

.PHONY: bench
bench: $(TOOLS_READY) ## Run the benchmarks (ONLY=dispatch for one)
	@exec $(VENV_PYTHON) -m benchmarks $(if $(ONLY),--only $(ONLY))

.PHONY: lock
lock: ## Write the lock files anew from pyproject.toml (needs uv)
	uv pip compile --universal --generate-hashes --no-header --no-annotate pyproject.toml -o requirements.lock -q
	uv pip compile --universal --generate-hashes --no-header --no-annotate --extra embedded pyproject.toml -o requirements-embedded.lock -q
	uv pip compile --universal --generate-hashes --no-header --no-annotate --extra embedded --extra dev pyproject.toml -o requirements-dev.lock -q
	npm install --package-lock-only --ignore-scripts
	npm install --prefix tests/prism --package-lock-only --ignore-scripts
