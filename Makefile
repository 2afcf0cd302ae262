# `make demo` and `make test` need nothing but Python: they make `.venv`, install the
# tested versions into it and run. `make test PYTHON=python3.12` uses another Python.

PYTHON ?= $(shell python3.11 --version >/dev/null 2>&1 && echo python3.11 || echo python3)
PYTEST_ARGS :=

# The version, such as 3.11, is part of the stamps' names: with another PYTHON the
# stamp is missing, and `.venv` is made anew.
VERSION_CODE := import sys; print("%d.%d" % sys.version_info[:2])
VERSION := $(shell $(PYTHON) -c '$(VERSION_CODE)')
ifeq ($(VERSION),)
$(error PYTHON=$(PYTHON) does not run; name one that does: make test PYTHON=python3)
endif

INSTALLED := .venv/.installed-$(VERSION)
INSTALLED_BENCH := .venv/.installed-bench-$(VERSION)
INSTALLED_NIGHTLY := .venv/.installed-nightly-$(VERSION)
INSTALLED_LOWER := .venv-lower/.installed-$(VERSION)

# What runs again with the lowest versions that pyproject.toml allows.
LOWER_TESTS := $(wildcard tests/estimators/test_contract.py tests/estimators/test_pickle.py) tests/preprocessing tests/test_frames.py

# One after another: two at once would measure each other.
BENCHMARKS := \
	benchmarks/import_time.py \
	benchmarks/encode.py \
	benchmarks/sequences.py \
	benchmarks/epoch.py \
	benchmarks/precision.py \
	benchmarks/latency.py \
	benchmarks/memory.py \
	benchmarks/growth.py \
	benchmarks/fit_time.py \
	benchmarks/profile_fit.py \
	benchmarks/threads.py \
	benchmarks/huge_table.py \
	benchmarks/sequence_pooling.py \
	benchmarks/features.py \
	benchmarks/truth.py \
	benchmarks/calibration.py \
	benchmarks/peers.py \
	benchmarks/trees.py \
	benchmarks/small_data.py \
	benchmarks/hard_tables.py \
	benchmarks/distillation.py \
	benchmarks/importance.py \
	benchmarks/balance.py \
	benchmarks/logs.py \
	benchmarks/families.py \
	benchmarks/many_rows.py \
	benchmarks/published.py \
	benchmarks/defaults.py \
	benchmarks/defaults_pictures.py

.PHONY: help demo test test-lower nightly lint bench clean

help:
	@echo "make demo    train both models on the bundled data; prints AUC, saves a picture"
	@echo "make test    run every quick and slow test (PYTEST_ARGS='-k funnel' runs some of them)"
	@echo "make nightly run the tests that take long, and log them in tests/nightly.log"
	@echo "make lint    check style and format"
	@echo "make bench   run the benchmarks one after another"
	@echo "make clean   remove what the other targets made"

demo: $(INSTALLED)
	MPLBACKEND=Agg .venv/bin/python docs/examples/demo.py

# Plain `pytest` leaves out what is marked slow or nightly. One process per core, since
# most tests are too small for a second thread; the tests of a file stay together, since
# they share fitted models, and the blocks of a page their names.
PYTEST := -m pytest -n auto --dist loadfile

test: $(INSTALLED)
	.venv/bin/python $(PYTEST) -m "not nightly" $(PYTEST_ARGS)

test-lower: $(INSTALLED_LOWER)
	.venv-lower/bin/python $(PYTEST) -m "not nightly" $(LOWER_TESTS) $(PYTEST_ARGS)

# Run by hand; the log, which says of which commit it is, is committed.
nightly: $(INSTALLED_NIGHTLY)
	commit=$$(git describe --always --dirty); \
		{ date -u +%F; echo "$$commit"; } > tests/nightly.log
	.venv/bin/python $(PYTEST) -m nightly -v --no-header $(PYTEST_ARGS) >> tests/nightly.log 2>&1; \
		status=$$?; tail -n 20 tests/nightly.log; exit $$status

lint: $(INSTALLED)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

bench: $(INSTALLED_BENCH)
	@set -e; for script in $(BENCHMARKS); do \
		echo "== $$script"; .venv/bin/python $$script; \
	done

clean:
	rm -rf .venv .venv-lower build dist .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call install,folder,constraints): torch comes first and alone, at its exact version,
# so that no other requirement can pull in another build of it.
define install
	@test "$$($(1)/bin/python -c '$(VERSION_CODE)' 2>/dev/null)" = "$(VERSION)" \
		|| $(PYTHON) -m venv --clear $(1)
	$(1)/bin/python -m pip install -q --disable-pip-version-check "$$(grep '^torch==' $(2))"
	$(1)/bin/python -m pip install -q --disable-pip-version-check -e ".[test]" -c $(2)
endef

$(INSTALLED): pyproject.toml constraints.txt
	$(call install,.venv,constraints.txt)
	@touch $@

$(INSTALLED_LOWER): pyproject.toml constraints-lower.txt
	$(call install,.venv-lower,constraints-lower.txt)
	@touch $@

$(INSTALLED_NIGHTLY): $(INSTALLED)
	.venv/bin/python -m pip install -q --disable-pip-version-check -e ".[nightly]" -c constraints.txt
	@touch $@

$(INSTALLED_BENCH): $(INSTALLED)
	.venv/bin/python -m pip install -q --disable-pip-version-check -e ".[bench]" -c constraints.txt
	@touch $@
