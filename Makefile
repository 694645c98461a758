# make demo: the main job on embedded data. make test: all tests. Both do the set-up first.
PYTHON ?= python3
BIN := .venv/bin
# Tests spend their time in Python and in TensorFlow's tracing, which use one core; each process takes 3 GiB
PARALLEL := --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder
INSTALLED := .venv/installed

.PHONY: install demo test test-slow lint format notebooks docs wheel clean
.DELETE_ON_ERROR:

install: $(INSTALLED)

demo: $(INSTALLED)
	$(BIN)/python experiments/demo.py

test: $(INSTALLED)
	$(BIN)/python -m pytest $(PARALLEL) --durations 20

test-slow: $(INSTALLED)
	$(BIN)/python -m pytest $(PARALLEL) --slow

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

format: $(INSTALLED)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

notebooks: $(INSTALLED)
	$(BIN)/python notebooks/execute.py

docs: $(INSTALLED)
	$(BIN)/python -m sphinx -q -E -W --keep-going docs build/docs

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
