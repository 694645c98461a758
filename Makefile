# make demo: the main job on embedded data. make test: all tests. Both do the set-up first.
PYTHON ?= python3
BIN := .venv/bin
# Tests spend their time in Python and in TensorFlow's tracing, which use one core; each process takes 3 GiB
PARALLEL := --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
INSTALLED := .venv/installed

.PHONY: install demo test test-slow lint format notebooks notebooks-store docs wheel clean
.DELETE_ON_ERROR:

install: $(INSTALLED)

demo: $(INSTALLED)
	$(BIN)/python experiments/demo.py

test: $(INSTALLED)
	$(BIN)/python -m pytest $(PARALLEL) --durations 10 tests/process tests/unit

test-slow: $(INSTALLED)
	$(BIN)/python -m pytest $(PARALLEL) --slow tests/process tests/unit

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Runs the notebooks at a smaller size and checks the stored ones
notebooks: $(INSTALLED)
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist load tests/docs/test_notebooks.py

# Runs them whole and stores what they show
notebooks-store: $(INSTALLED)
	$(BIN)/python notebooks/execute.py

# Builds the site, and checks it and every command in the documentation
docs: $(INSTALLED)
	$(BIN)/python -m sphinx -q -E -W --keep-going docs build/docs
	$(BIN)/python -m pytest $(PARALLEL) tests/docs/test_commands.py tests/docs/test_guide.py tests/docs/test_site.py

wheel: $(INSTALLED)
	$(BIN)/python -m build --wheel

$(INSTALLED): requirements.txt requirements-dev.txt setup.py
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14) and "Python 3.11 to 3.13 is needed: make PYTHON=...")'
	@echo "installing into .venv (a minute or two, once)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

clean:
	rm -rf .venv build dist *.egg-info
