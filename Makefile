# Everything is installed below this folder (.venv, node_modules, static/build) and nothing outside it.

.DEFAULT_GOAL := help

PORT ?= 8000
TEST_PROCESSES ?= 4

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
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 12

.PHONY: setup
setup: $(PRODUCT_READY) $(ASSETS_READY) ## Install everything and build the assets; start nothing
	@echo "Everything is installed. Start it with: make run"

.PHONY: run
run: $(PRODUCT_READY) $(ASSETS_READY) ## Run the whole product on this machine (PORT=8000 SMSPLATFORM_HOME=var)
	@exec $(VENV_PYTHON) -m smsplatform.embedded run --port "$(PORT)" --stop-with-parent

.PHONY: test
test: $(TOOLS_READY) $(ASSETS_READY) ## Run all tests (ARGS="tests/consent -k stop" for some of them)
	@exec $(VENV_PYTHON) -m pytest -n logical --maxprocesses $(TEST_PROCESSES) $(ARGS)

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
	@touch $@

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
