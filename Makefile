# Two commands: `make run` opens the app, `make test` runs the tests. Each sets up what it needs, once.
#
#   PYTHON          the Python 3.11+ to build the environment with
#   PIP_OPTIONS     more options for pip install. On Linux the index's torch brings several GB of CUDA libraries that the
#                   app does not need; where the PyTorch index can be reached, this keeps the installation small:
#                   make run PIP_OPTIONS="--extra-index-url https://download.pytorch.org/whl/cpu"
#   TEST_PROCESSES  how many run the tests at once; each loads the models it needs, up to 3 GB
#   MODEL           medium or large: fetch a larger model that answers while the app runs, and begin with it once it is here

PYTHON ?= $(shell command -v python3.11 || command -v python3)
PIP_OPTIONS ?=
PORT ?= 8501
MODEL ?=
TEST_PROCESSES ?= 2
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run ocr test test-cluster check sbom demo-check format docs bench record screenshots models lock clean
.DEFAULT_GOAL := run

# A stamp is newer than what it was made from: a second start installs nothing and needs no network.
$(VENV)/stamp-run: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"Python 3.11 or newer is needed, this is {v[0]}.{v[1]}: make run PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_OPTIONS) -r requirements.txt
	touch $@

$(VENV)/stamp-dev: requirements-dev.txt requirements-ocr.txt requirements-telemetry.txt $(VENV)/stamp-run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_OPTIONS) -r requirements-dev.txt
	touch $@

# What reads scans and pictures; without it they are refused in a sentence.
ocr: $(VENV)/stamp-run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_OPTIONS) -r requirements-ocr.txt

models: $(VENV)/stamp-run
	@$(BIN)/python -m playground models fetch $(MODEL)

# Opens with the small model; a larger one arrives while it answers.
run: $(VENV)/stamp-run
	@$(BIN)/python -m playground models fetch
	PLAYGROUND_MODEL=$(MODEL) $(BIN)/python -m streamlit run app.py --server.port $(PORT)

# A file's tests stay together, so that what they share is loaded once.
test: $(VENV)/stamp-dev models
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

# The tests of what needs Ray (490 MB), which `make test` skips where it is not installed.
test-cluster: $(VENV)/stamp-dev models
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_OPTIONS) -r requirements-cluster.txt
	PLAYGROUND_REQUIRE_RAY=1 $(BIN)/python -m pytest tests/bulk

check: $(VENV)/stamp-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python scripts/write_documents.py --check
	$(BIN)/python -m scripts.check_packages licences
	$(BIN)/python -m scripts.check_packages advisories

# Every package that requirements.lock installs, in CycloneDX.
sbom: $(VENV)/stamp-dev
	$(BIN)/python -m scripts.check_packages sbom build/sbom.cdx.json

# Asks all that is suggested and shown of the model that answers by default: what fails must not be suggested.
demo-check: $(VENV)/stamp-run models
	$(BIN)/python scripts/check_demo.py --model $(or $(MODEL),small)

format: $(VENV)/stamp-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Puts the figures that the files hold, and the commands' arguments, into the documents.
docs: $(VENV)/stamp-dev
	$(BIN)/python scripts/write_documents.py

bench: $(VENV)/stamp-dev models
	$(BIN)/python scripts/bench.py
	$(BIN)/python scripts/bench_flagging.py
	$(BIN)/python scripts/bench_comparison.py
	$(BIN)/python scripts/measure_folder_workers.py

# Asks again all that data/runs holds, scenario by scenario, one command after the other: nothing else should run.
# The other files of docs/evaluation name the command that writes them.
record: $(VENV)/stamp-dev models
	for runs in scenarios/*/record_runs.sh; do PYTHON=$(BIN)/python bash $$runs || exit; done

screenshots: $(VENV)/stamp-dev models
	$(BIN)/python scripts/take_screenshots.py

# Resolves what requirements.txt brings along and notes the hashes; needs uv (pip install uv) and the package index.
lock:
	@sed -n '/^#/!q;p' requirements.lock > requirements.lock.new
	grep -v '^-e' requirements.txt | uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-header \
	  --no-annotate - >> requirements.lock.new
	mv requirements.lock.new requirements.lock

clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache *.egg-info
