# Every target sets up .venv first if it has to; a second run finds it ready and does nothing.
# Choose the interpreter with PYTHON=path/to/python (3.12 to 3.14); by default one is looked for.

PYTHON ?=
export PYTHON
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow test-integrated wheel-check engine-versions spark-test page-test lint format notebooks docs docs-links bench bench-gradient bench-cold bench-kernels bench-refit bench-geometry bench-folds bench-groups bench-size calibration lock clean fuzz faults accuracy mutants coverage audit

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s  %s\n", $$1, $$2}' Makefile

setup:  ## make .venv from the lock (also done by each target below)
	@tools/setup_venv.sh

demo: setup  ## a worked example on shipped data, in the terminal
	@$(BIN)/hiermod demo

test: setup  ## the test suite and the docstrings' examples, in two processes, without the slow tests
	@MPLBACKEND=Agg $(BIN)/python -m pytest tests hiermod --doctest-modules -n 2 --dist loadfile

test-slow: setup  ## only the tests marked slow
	@MPLBACKEND=Agg $(BIN)/python -m pytest -m "slow and not spark"

test-integrated: setup  ## models whose groups' effects are integrated out, beside sampled effects and quadrature (ten minutes)
	@MPLBACKEND=Agg $(BIN)/python -m pytest -m slow tests/marginal/test_against_the_sampler.py tests/marginal/test_exact_posteriors.py

wheel-check: setup  ## build the wheel, check it, and fit from it in an empty environment (a minute, needs the network)
	@$(BIN)/python tools/check_wheel.py

engine-versions: setup  ## the engine with the oldest and the newest compilers that are accepted (some minutes, needs the network)
	@$(BIN)/python tools/check_engine_versions.py $(ARGS)

bench-kernels: setup  ## gradients by how the kernels are compiled (--before REF: and in an earlier state)
	@$(BIN)/python benchmarks/kernels.py $(ARGS)

spark-test:  ## aggregation by a Spark cluster, which is started on this machine (needs Java)
	@tools/setup_spark.sh
	@MPLBACKEND=Agg $(BIN)/python -m pytest -m spark tests/spark

page-test: setup  ## reports in Chromium: errors, requests, readers of screens (needs Node.js, npm and Chromium)
	@tools/setup_browser.sh
	@MPLBACKEND=Agg NODE_MODULES_OF_TESTS=$(CURDIR)/build/browser/node_modules $(BIN)/python -m pytest -m slow tests/show/test_report.py

fuzz: setup  ## hostile input: formulas, priors, statements, TOML, CSV, stored fits, frames (up to an hour; ARGS="--seconds 60": a minute)
	@$(BIN)/python -m tests.trust.fuzz $(ARGS)

faults: setup  ## kills, interrupts, full disks and damaged files: nothing is lost or torn (ARGS="--share 0.05": a part)
	@$(BIN)/python -m tests.trust.faults $(ARGS)

accuracy: setup  ## hard posteriors, public data beside brms, lme4 and quadrature, changes of unit (half an hour)
	@$(BIN)/python -m tests.trust.accuracy $(ARGS)

mutants: setup  ## which faults of the code the tests notice (ARGS="formula priors --each 100"; hours)
	@MPLBACKEND=Agg $(BIN)/python -W ignore -m tests.trust.mutation $(ARGS)

coverage: setup  ## lines of formula, data, modeling and answers that the tests run: at least 95 of 100
	@MPLBACKEND=Agg $(BIN)/python -m tests.trust.coverage

audit: setup  ## hashes of the lock, licences, known advisories, and calls that open doors
	@$(BIN)/python -m tests.trust.audit

lint: setup  ## style, formatting, types and the layers of the package
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: setup  ## put imports and formatting in order
	@$(BIN)/ruff check --select I --fix .
	@$(BIN)/ruff format .

notebooks: setup  ## run the notebooks into build/notebooks; fails on any error
	@$(BIN)/python tools/run_notebooks.py

docs:  ## the documentation's site, into build/docs; its notebooks are run, and a warning is an error
	@tools/setup_docs.sh
	@$(BIN)/sphinx-build -W --keep-going -b html -d build/doctrees notebooks build/docs

docs-links:  ## whether the addresses that the site names are there (needs the network)
	@tools/setup_docs.sh
	@$(BIN)/sphinx-build -b linkcheck -d build/doctrees notebooks build/docs-links

bench: setup  ## hiermod beside its peers (ARGS="--jobs country --peers hiermod brms"; --help lists all)
	@$(BIN)/python benchmarks/run.py $(ARGS)

bench-gradient: setup  ## one gradient of a million cells beside NumPy's exp and log1p
	@$(BIN)/python benchmarks/gradient.py $(ARGS)

bench-cold: setup  ## CPU seconds of first and later fits, compiled before or not, from a wheel and from sources (--before REF: and then)
	@$(BIN)/python benchmarks/cold_start.py $(ARGS)

bench-refit: setup  ## a thousand fits of one structure on new data, and what memory they take
	@$(BIN)/python benchmarks/refit.py $(ARGS)

bench-geometry: setup  ## what each idea behind the engine's coordinates is worth, in effective draws for a gradient
	@$(BIN)/python benchmarks/geometry.py $(ARGS)

bench-folds: setup  ## ten folds of the country experiment, by hiermod and by Bambi
	@$(BIN)/python benchmarks/folds.py $(ARGS)

bench-groups: setup  ## what the number of groups costs, beside lme4 (an hour; ARGS="--largest 10000": minutes)
	@$(BIN)/python benchmarks/groups.py $(ARGS)

bench-size: setup  ## what the size of data costs, to a hundred million rows
	@$(BIN)/python benchmarks/data_size.py

calibration: setup  ## simulation-based calibration of all its models, 500 data sets each (REPLICATIONS=n; hours)
	@$(BIN)/python -m benchmarks.calibration.run $(if $(REPLICATIONS),--replications $(REPLICATIONS))

lock:  ## lock the dependencies again (UPGRADE=1: take the newest versions)
	@tools/lock.sh $(if $(UPGRADE),--upgrade)

clean:  ## remove .venv, build output and caches
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
