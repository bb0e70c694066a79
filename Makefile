# Names for the plain lines of the README; nothing here does more than they do.
PYTHON ?= python3
BIN = .venv/bin

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[test]'
	@touch $@

.PHONY: demo test deep
demo: .venv/installed ## feed four kinds of source through a running server and print what each user sees
	$(BIN)/python -m cdp.ops.demo $(ARGS)

test: .venv/installed ## the whole suite, on SQLite and PostgreSQL
	$(BIN)/pytest -n 2 $(ARGS)

deep: .venv/installed ## the long versions; hours are fine
	CDP_DEEP=1 $(BIN)/pytest $(ARGS)
