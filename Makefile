# Needs Go, a C compiler and Python 3 with pip; everything else is fetched.

BIN := bin/captionlab
export GOFLAGS := -buildvcs=auto

.PHONY: build setup demo test check bench notebook notebook-env notebooks notebooks-fast notebooks-write browser

build:
	go build -o $(BIN) ./captioning/cmd/captionlab

# The XLA plugin and the small encoder's weights, unless they are there.
setup: build
	$(BIN) setup

# The main job on the embedded dataset: a score table, and pictures in demo/index.html.
demo: setup
	$(BIN) demo --out demo

check:
	go vet ./...
	@unformatted=$$(gofmt -l captioning datasets); if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi
	go tool staticcheck ./...

test: setup check
	CAPTIONLAB_REQUIRE_XLA=1 go test -timeout 30m ./...

# Speed against the Python way of the same work, in turns; writes results/benchmarks. Needs a quiet machine, some minutes,
# Java for score, and Flickr8k below $CAPTIONLAB_DATA for train, generate and features.
BENCH ?= score train generate features resnet50 pictures caption
bench: setup
	go run ./captioning/internal/bench $(BENCH)

# Python packages and the GoNB kernel for the notebooks, all inside .venv; Go tools are of the versions that go.mod names.
VENV := $(CURDIR)/.venv
JUPYTER_ENV := PATH="$(VENV)/bin:$$PATH" JUPYTER_DATA_DIR="$(VENV)/share/jupyter"
$(VENV)/python.done: notebooks/requirements.txt notebooks/jupyterlab.json
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r notebooks/requirements.txt
	mkdir -p $(VENV)/share/jupyter/lab/settings
	cp notebooks/jupyterlab.json $(VENV)/share/jupyter/lab/settings/overrides.json
	touch $@
$(VENV)/kernel.done: $(VENV)/python.done go.mod
	go build -o $(VENV)/bin/gonb github.com/janpfeifer/gonb
	go build -o $(VENV)/bin/goimports golang.org/x/tools/cmd/goimports
	go build -o $(VENV)/bin/gopls golang.org/x/tools/gopls
	$(JUPYTER_ENV) gonb --install --go_work="$(CURDIR)" --logtostderr=false --stderrthreshold=FATAL --log_file=/dev/null
	touch $@
notebook-env: setup $(VENV)/kernel.done

# JupyterLab on the notebooks, in the browser.
notebook: notebook-env
	$(JUPYTER_ENV) jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) --ServerApp.root_dir="$(CURDIR)/notebooks" --LabApp.extension_manager=readonly

# Every notebook from a clean kernel, on the drawn pictures and, where it is there, on Flickr8k; fails on any error.
EXECUTE := $(VENV)/bin/python notebooks/execute.py
notebooks: notebook-env
	$(EXECUTE) --dataset shapes --fresh
	$(VENV)/bin/python notebooks/mistakes_test.py
	if [ -d "$$CAPTIONLAB_DATA/flickr8k" ]; then $(EXECUTE) --dataset flickr8k; else echo "notebooks: no Flickr8k below CAPTIONLAB_DATA, so the photographs were left out"; fi

# The notebooks in their fast setting, and what a reader sees after the usual mistakes.
notebooks-fast: notebook-env
	$(EXECUTE) --dataset shapes --small --fresh
	$(VENV)/bin/python notebooks/mistakes_test.py

# All on the drawn pictures, and keeps the outputs in the notebook files and the times in results/benchmarks.
notebooks-write: notebook-env
	env -u CAPTIONLAB_DATA $(EXECUTE) --dataset shapes --write

# JupyterLab in a real Chromium (Debian: apt-get install chromium), with screenshots in .browser.
$(VENV)/browser.done: $(VENV)/python.done notebooks/requirements-browser.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r notebooks/requirements-browser.txt
	touch $@
browser: notebook-env $(VENV)/browser.done
	$(VENV)/bin/python notebooks/browser_test.py
