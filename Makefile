# Needs Go, a C compiler and Python 3 with pip; everything else is fetched.

BIN := bin/captionlab
export GOFLAGS := -buildvcs=auto

.PHONY: build setup demo test check bench

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
# Java for the scores, and for the others Flickr8k below $CAPTIONLAB_DATA.
BENCH ?= score train generate features
bench: setup
	go run ./captioning/internal/bench $(BENCH)
