# DistRen. Two commands on a fresh machine: `make demo` and `make test`.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
# Many tests wait more than they compute.
JOBS ?= 3

.PHONY: help demo test soak fuzz audit bench lint lock clean packages

help: ## Show what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.server ## Render a real animation on a farm of this one machine
	@command -v povray >/dev/null || ! command -v apt-get >/dev/null || [ "$$(id -u)" -ne 0 ] || \
	  { echo "Installing POV-Ray …"; apt-get install -y -qq --no-install-recommends povray povray-includes >/dev/null; } || true
	@$(BIN)/distren demo

test: $(VENV)/.dev packages lint ## Check everything that can be checked in under 20 minutes
	@$(BIN)/pytest -n $(JOBS) --dist loadgroup -m "not soak" --cache-clear --durations 20 || $(BIN)/python -m tests.again $$?

soak: $(VENV)/.dev packages ## The long tests
	@$(BIN)/pytest -n $(JOBS) --dist loadgroup -m soak --timeout 7200

fuzz: $(VENV)/.dev ## Feed all parsers with what breaks them; SECONDS=600 for each, TARGETS="EXR headers" only these
	@$(BIN)/python -c "import atheris" 2>/dev/null || $(UV) pip install --quiet --python $(BIN)/python atheris==3.0.0
	@$(BIN)/python -m tests.fuzz $(or $(SECONDS),60) $(TARGETS)

audit: $(VENV)/.uv ## Ask PyPI for known holes in the locked packages; fails, too, if it can't be asked
	@$(UV) tool run --from pip-audit==2.10.1 pip-audit --strict --disable-pip --require-hashes \
	  -r requirements.lock -r requirements-dev.lock

bench: $(VENV)/.dev packages ## Measure the speed; PARTS="server rates" measures only these
	@$(BIN)/python -m tests.bench $(PARTS)

lint: $(VENV)/.dev ## Style, types, who imports whom, what is declared
	@$(BIN)/ruff check farm blender_addon tests
	@$(BIN)/ruff format --check farm blender_addon tests
	@$(BIN)/mypy farm tests/bench
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/deptry farm
	@$(BIN)/python -m tests.database.chain
	@$(BIN)/vermin --quiet --no-tips -t=3.10- --violations blender_addon farm/methods/blender/inside farm/methods/inside

packages: ## Debian packages that the tests need: real programs, no stand-ins
	@bash tests/packages.sh

lock: $(VENV)/.uv ## Choose the newest fitting versions of all packages anew
	@$(UV) pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra server pyproject.toml -o requirements.lock
	@$(UV) pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --extra server --extra s3 --group dev pyproject.toml -o requirements-dev.lock

clean: ## Remove what was built here, but no pictures
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# A stamp each, so that a second run starts at once.
$(VENV)/.uv:
	@command -v $(PYTHON) > /dev/null || { echo "DistRen needs Python 3.11 or newer; there is no $(PYTHON) here." \
	  "Install it, or name another: make PYTHON=python3.11 demo" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "DistRen needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
	  "If there is a newer one, name it: make PYTHON=python3.11 demo" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo "$(PYTHON) can't make environments here." \
	  "On Debian and Ubuntu: sudo apt-get install $$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

$(VENV)/.server: $(VENV)/.uv requirements.lock pyproject.toml
	@echo "Installing DistRen into $(VENV) …"
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.uv requirements-dev.lock pyproject.toml
	@echo "Installing DistRen and what tests it into $(VENV) …"
	@# Compiled once: where Python may not write what it compiled, each process of the tests would compile all anew.
	@$(UV) pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r requirements-dev.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	@touch $@ $(VENV)/.server

.PHONY: addon
addon: $(VENV)/.server ## Build the add-on for Blender: dist/distren-<version>.zip
	@$(BIN)/python -m farm.package.addon dist
	@ls dist/distren-*.zip

.PHONY: shots
shots: $(VENV)/.dev packages ## Take the docs' pictures of add-on and dashboard anew, in a real window and a real browser
	@$(BIN)/python -m tests.blender_addon.tour docs/images
	@$(BIN)/python -m tests.dashboard.shots build/shots docs/images

.PHONY: docs
docs: $(VENV)/.dev ## Write the generated reference pages anew
	@$(BIN)/python -m tests.docs.reference

.PHONY: site
site: $(VENV)/.dev ## Build the documentation's site into build/site; a broken link fails
	@$(BIN)/zensical build --strict --clean

.PHONY: plots
plots: $(VENV)/.dev ## Write what `make bench` measured into docs and README: tables and plots
	@$(BIN)/python -m tests.bench.plots

.PHONY: fairness
fairness: $(VENV)/.dev ## Play a synthetic month by our rule and by others', and write what comes out into the docs
	@$(BIN)/python -m tests.bench.fairness
