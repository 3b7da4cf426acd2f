# make demo   set everything up and train LeNet-5 on real digits, with a report
# make test   the tests (minutes, offline), WORKERS=2 at once, each in two to three GiB
# make check  what CI runs beside them: format, lint, types, import contract, documentation
# make docs   the site, on this machine; make notebooks GUIDES=digits runs and stores a guide

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2
# A worker that is killed, for want of memory say, ends the run: restarted ones would wait for ever.
TESTS := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --max-worker-restart 0

.PHONY: demo test slow check docs notebooks screenshots clean

demo: $(READY)
	$(BIN)/cnnzoo table
	$(BIN)/cnnzoo finetune lenet5 --data digits --out runs/demo --overwrite

test: $(READY)
	$(TESTS) -m "not slow"

slow: $(READY)
	$(BIN)/python -m pip install --quiet --constraint .ci/constraints.txt --editable '.[jax,torch]'
	$(TESTS) -m slow

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

docs: $(READY)
	$(BIN)/mkdocs serve

notebooks: $(READY)
	$(BIN)/python -m pip install --quiet --constraint .ci/constraints.txt --editable '.[jax,torch]'
	$(BIN)/python docs/_site/notebooks.py $(GUIDES)

screenshots: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	$(BIN)/python tests/site/screenshots.py site build/screenshots

$(READY): pyproject.toml .ci/constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint .ci/constraints.txt --editable '.[browser,docs,lint,test]'
	touch $@

clean:
	rm -rf $(VENV) build dist site runs
