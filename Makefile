# Every target sets up what it needs: a fresh machine has python3, make and a package registry.
VENV := .venv
PYTHON := $(VENV)/bin/python
RUNS := runs/quickstart
TRAIN := $(PYTHON) -m trainers.main
EVALUATE := $(PYTHON) -m trainers.evaluate
SAMPLE := $(PYTHON) -m trainers.sample
EXPORT := $(PYTHON) -m export.main
CLIENT := $(PYTHON) -m export.client

.PHONY: quickstart page page-libraries tables zoo test test-slow lint format bench bench-check bench-peers bench-costs bench-quality check docs

# PIP_CONSTRAINT=constraints-lowest.txt installs the lowest versions that are supported.
$(VENV)/installed: setup.cfg pyproject.toml
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --upgrade pip
	$(PYTHON) -m pip install --quiet --editable .[mcmc]
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(PYTHON) -m pip install --quiet --editable .[test]
	touch $@

# The libraries that measurements are compared with, and those of bulk work.
$(VENV)/installed-peers: $(VENV)/installed-test
	$(PYTHON) -m pip install --quiet --editable .[test,peers,beam]
	touch $@

# Trains a divergence triangle on 28x28 digits for two minutes. Then takes the pretrained one, whose training is 5,000 updates:
# measures it, draws what it makes, exports it, completes hidden halves with the export. Reports on both.
QUICK := $(RUNS)/pretrained
quickstart: $(VENV)/installed
	rm -rf $(QUICK)
	$(TRAIN) --flagfile=trainers/flagfiles/divergence_triangle_mnist5k_cpu.flags --workdir=$(RUNS)/from_scratch --steps=500 --sample_every=100
	$(PYTHON) -m trainers.zoo --name=mnist5k-triangle --workdir=$(QUICK)
	$(EVALUATE) --workdir=$(QUICK) --metrics=reconstruction,completion
	$(SAMPLE) --workdir=$(QUICK) --task=generate --count=64 --output=$(QUICK)/pictures/generate.png
	$(SAMPLE) --workdir=$(QUICK) --task=reconstruct --output=$(QUICK)/pictures/reconstruct.png
	$(SAMPLE) --workdir=$(QUICK) --task=interpolate --output=$(QUICK)/pictures/interpolate.png
	$(EXPORT) --workdir=$(QUICK) --formats=saved_model,tflite --output=$(RUNS)/export
	$(CLIENT) --saved_model=$(RUNS)/export/saved_model/divergence_triangle --task=uncertainty --mask=half:left --workdir=$(QUICK) --output=$(QUICK)/pictures/uncertainty_with_export.png
	$(PYTHON) -m trainers.report --workdirs=$(QUICK),$(RUNS)/from_scratch --output=$(RUNS)/report.html

# The libraries of the page, by npm and its lock file; a wheel that is built after holds them.
LIBRARIES := export/web/node_modules/.package-lock.json
$(LIBRARIES): export/web/package-lock.json
	npm ci --prefix export/web
	touch $@

page-libraries: $(LIBRARIES)

# The quickstart's model in the browser, until interrupted.
page: $(VENV)/installed page-libraries
	$(PYTHON) -m export.web --workdir=$(QUICK)

# Compares the divergence triangle with the models of its paper: many hours on a CPU; run again to resume.
DATA := digits
SEEDS := 0,1,2
tables: $(VENV)/installed
	$(PYTHON) -m experiments.tables --data=$(DATA) --seeds=$(SEEDS) --output=docs/results.md

# Trains the pretrained models of tfgen/pretrained anew, and measures them: hours on a CPU; run again to resume.
zoo: $(VENV)/installed
	$(PYTHON) -m experiments.zoo

test: $(VENV)/installed-test
	$(PYTHON) -m pytest -n 2 --dist loadfile tests

test-slow: $(VENV)/installed-peers
	$(PYTHON) -m pytest -m slow tests

lint: $(VENV)/installed-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy

format: $(VENV)/installed-test
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(VENV)/installed
	$(PYTHON) -m benchmarks.speed.langevin
	$(PYTHON) -m benchmarks.speed.convolutions
	$(PYTHON) -m benchmarks.speed.triangle_step
	$(PYTHON) -m benchmarks.speed.introspective

# Checks whether anything has become slower than benchmarks/regression.json records; the tests time nothing.
bench-check: $(VENV)/installed
	$(PYTHON) -m benchmarks.speed.regression

# Compares tfgen with other libraries, which have an environment of their own; --workloads= picks some.
PEERS := .venv-peers
$(PEERS)/installed: benchmarks/peers/requirements.txt
	python3 -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --upgrade pip
	$(PEERS)/bin/python -m pip install --quiet --requirement $<
	touch $@

# TensorFlow Probability, of the test extra, runs in tfgen's own environment.
bench-peers: $(VENV)/installed-test $(PEERS)/installed
	$(PYTHON) -m benchmarks.peers.side_by_side --python=$(PEERS)/bin/python

# Measures costs besides steps: latency of exports, start-up, data, memory, and how the cost grows.
bench-costs: $(VENV)/installed $(PEERS)/installed
	$(PYTHON) -m benchmarks.speed.latency --python=$(PEERS)/bin/python
	$(PYTHON) -m benchmarks.speed.startup --python=$(PEERS)/bin/python
	$(PYTHON) -m benchmarks.speed.growth

# Measures seconds of training until samples reach a quality, beside PyTorch; about an hour.
bench-quality: $(VENV)/installed $(PEERS)/installed
	$(PYTHON) -m benchmarks.races.time_to_quality --python=$(PEERS)/bin/python

check: lint test

# Builds the site of the documentation, in build/site/.
docs: $(VENV)/installed
	$(PYTHON) -m pip install --quiet --editable .[docs]
	$(PYTHON) -m mkdocs build --strict
