# Requires Go, a C compiler and Python 3 with pip; everything else is downloaded.

BIN := bin/captionlab
export GOFLAGS := -buildvcs=auto

.PHONY: build setup demo test test-long cluster-test check bench notebook notebook-env notebooks notebooks-fast notebooks-write browser

build:
	go build -o $(BIN) ./captioning/cmd/captionlab

# Downloads the XLA plugin and the small encoder's weights unless they are installed.
setup: build
	$(BIN) setup

# The main job on the embedded dataset: a score table, and images with captions in demo/index.html.
demo: setup
	$(BIN) demo --out demo

check:
	go vet -tags long ./...
	@unformatted=$$(gofmt -l captioning datasets docker); if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi
	go tool staticcheck -tags long ./...

# The tests: five minutes on two quiet cores.
test: setup check
	CAPTIONLAB_REQUIRE_XLA=1 go test -timeout 30m ./...

# The long tests: killed and resumed runs, memory, full disks, complete reproductions, and a minute of fuzzing for each
# reader of files (CAPTIONLAB_FUZZ_TIME changes the minute).
test-long: setup
	CAPTIONLAB_REQUIRE_XLA=1 go test -timeout 40m -tags long -run '^TestLong' ./...

# Features and a sweep on a private Slurm cluster on this machine, with nodes that are killed in the middle, compared with
# single processes; and the Kubernetes manifests against their schema. Needs slurm-wlm and munge (Debian: apt-get install)
# and about ten minutes, and leaves nothing running. Writes results/cluster/README.md. PARTS names some of its parts, or
# apiserver: a real Kubernetes API server, which is compiled first (a quarter of an hour, two gigabytes; needs etcd-server).
PARTS :=
CLUSTER_VENV := $(or $(CAPTIONLAB_CACHE),$(HOME)/.cache/captionlab)/cluster-venv
$(CLUSTER_VENV)/done: docker/slurm/requirements.txt
	python3 -m venv $(CLUSTER_VENV)
	$(CLUSTER_VENV)/bin/pip install --quiet --disable-pip-version-check -r docker/slurm/requirements.txt
	touch $@
cluster-test: setup $(CLUSTER_VENV)/done
	python3 docker/slurm/cluster_test.py $(BIN) $(CLUSTER_VENV)/bin/kubernetes-validate results/cluster/README.md $(PARTS)

# Speed compared with the Python way of the same work, interleaved; writes results/benchmarks. It needs a quiet machine and
# some minutes, Java for score and meteor, and Flickr8k below $CAPTIONLAB_DATA for train, generate, features and start.
BENCH ?= score meteor train attention generate selfcritical features profile resnet50 pictures caption start growth
bench: setup
	go run ./captioning/cmd/bench $(BENCH)

# Python packages and the GoNB kernel for the notebooks, all inside .venv. go.mod names the versions of the Go tools.
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

# Runs every notebook from a clean kernel, on the drawn images and, if present, on Flickr8k. Fails on any error.
EXECUTE := $(VENV)/bin/python notebooks/execute.py
notebooks: notebook-env
	$(EXECUTE) --dataset shapes --fresh
	$(VENV)/bin/python notebooks/mistakes_test.py
	if [ -d "$$CAPTIONLAB_DATA/flickr8k" ]; then $(EXECUTE) --dataset flickr8k; else echo "notebooks: no Flickr8k below CAPTIONLAB_DATA, so its images were skipped"; fi

# Runs the notebooks in their fast setting, and checks what a reader sees after common mistakes.
notebooks-fast: notebook-env
	$(EXECUTE) --dataset shapes --small --fresh
	$(VENV)/bin/python notebooks/mistakes_test.py

# Runs all notebooks on the drawn images, stores the outputs in the notebook files and the times in results/benchmarks.
notebooks-write: notebook-env
	env -u CAPTIONLAB_DATA $(EXECUTE) --dataset shapes --write

# JupyterLab in a real Chromium (Debian: apt-get install chromium), with screenshots in .browser.
$(VENV)/browser.done: $(VENV)/python.done notebooks/requirements-browser.txt
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r notebooks/requirements-browser.txt
	touch $@
browser: notebook-env $(VENV)/browser.done
	$(VENV)/bin/python notebooks/browser_test.py
	$(VENV)/bin/python captioning/serve/browser_test.py
