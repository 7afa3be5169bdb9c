# Every target sets up what it needs: a fresh machine has python3, make and a package registry.
VENV := .venv
PYTHON := $(VENV)/bin/python
RUNS := runs/quickstart
TRAIN := $(PYTHON) -m trainers.main
EVALUATE := $(PYTHON) -m trainers.evaluate
SAMPLE := $(PYTHON) -m trainers.sample
EXPORT := $(PYTHON) -m export.main
CLIENT := $(PYTHON) -m export.client

.PHONY: quickstart test test-slow lint format bench check

$(VENV)/installed: setup.cfg pyproject.toml
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --upgrade pip
	$(PYTHON) -m pip install --quiet --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(PYTHON) -m pip install --quiet --editable .[test]
	touch $@

# Trains bricks and digits, measures them, exports the digits, completes digits with the export, reports.
quickstart: $(VENV)/installed
	$(TRAIN) --flagfile=trainers/flagfiles/generative_convnet_digits_cpu.flags --workdir=$(RUNS)/digits --steps=1200
	$(TRAIN) --flagfile=trainers/flagfiles/generative_convnet_brick_cpu.flags --workdir=$(RUNS)/brick
	$(EVALUATE) --workdir=$(RUNS)/digits --metrics=completion --completion.num_images=50 --completion.num_completions=2
	$(EVALUATE) --workdir=$(RUNS)/brick --metrics=sliced_wasserstein
	$(SAMPLE) --workdir=$(RUNS)/digits --task=generate --count=64 --output=$(RUNS)/digits/pictures/generate.png
	$(SAMPLE) --workdir=$(RUNS)/digits --task=memories --steps=1000 --count=12 --output=$(RUNS)/digits/pictures/memories.png
	$(SAMPLE) --workdir=$(RUNS)/brick --task=synthesize --size=192,256 --output=$(RUNS)/brick/pictures/synthesize.png
	$(EXPORT) --workdir=$(RUNS)/digits --formats=saved_model,tflite --output=$(RUNS)/export
	$(CLIENT) --saved_model=$(RUNS)/export/saved_model/generative_convnet --task=complete --workdir=$(RUNS)/digits --output=$(RUNS)/digits/pictures/complete_with_export.png
	$(PYTHON) -m trainers.report --workdirs=$(RUNS)/digits,$(RUNS)/brick --output=$(RUNS)/report.html

test: $(VENV)/installed-test
	$(PYTHON) -m pytest -n 2 tests

test-slow: $(VENV)/installed-test
	$(PYTHON) -m pytest -m slow tests

lint: $(VENV)/installed-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports

format: $(VENV)/installed-test
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(VENV)/installed
	$(PYTHON) -m benchmarks.langevin

check: lint test
