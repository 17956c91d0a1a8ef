// Command bench measures captionlab against Python programs that do the same work. It alternates the two sides within
// one run and writes the results to results/benchmarks/NAME.json:
//
//	go run ./captioning/cmd/bench score      captionlab score against pycocoevalcap
//	go run ./captioning/cmd/bench meteor     captionlab score --metrics meteor against pycocoevalcap's METEOR
//	go run ./captioning/cmd/bench train      training steps against PyTorch, baseline and best model
//	go run ./captioning/cmd/bench attention  training steps of decoders with attention against PyTorch
//	go run ./captioning/cmd/bench generate   greedy and beam search against batched PyTorch loops
//	go run ./captioning/cmd/bench selfcritical   self-critical steps against a PyTorch loop with pycocoevalcap
//	go run ./captioning/cmd/bench features   JPEG files to features against torchvision and efficientnet-lite-pytorch
//	go run ./captioning/cmd/bench profile    the stages of both encoders against PyTorch, and the peak of products
//	go run ./captioning/cmd/bench resnet50   ResNet-50 weights written by torch, features against torchvision's
//	go run ./captioning/cmd/bench pictures   640 x 480 JPEGs to features against the encoder alone; memory
//	go run ./captioning/cmd/bench caption    captionlab caption on 1,000 good and bad files against the encoder alone
//	go run ./captioning/cmd/bench start      how long the commands take before they work
//	go run ./captioning/cmd/bench serve      2,000 requests to captionlab serve against the encoder alone
//	go run ./captioning/cmd/bench growth     training, generation and scoring as their inputs grow
//
// Train, attention, generate, selfcritical, features and start need Flickr8k below $CAPTIONLAB_DATA. The Python side is
// a set of scripts in this folder. They run in a virtual environment in the cache folder, which the first run creates
// from pinned versions, or under --python.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

// benchmarks maps names to functions.
var benchmarks = map[string]func(*bench) error{
	"score": benchScore, "meteor": benchMeteor, "train": benchTrain, "attention": benchAttention,
	"generate": benchGenerate,
	"features": benchFeatures, "profile": benchProfile,
	"resnet50": benchResNet50, "pictures": benchImages, "caption": benchCaption,
	"selfcritical": benchSelfCritical, "start": benchStart, "growth": benchGrowth, "serve": benchServe,
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == workerCommand {
		if err := work(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "bench worker:", err)
			os.Exit(1)
		}
		return
	}
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	python := flags.String("python", "",
		"interpreter that has the pinned packages (default: a virtual environment in the cache folder)")
	rounds := flags.Int("rounds", 5, "number of rounds; each round measures every side once")
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

// known lists the benchmarks' names.
func known() string { return strings.Join(slices.Sorted(maps.Keys(benchmarks)), ", ") }
