//go:build long

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/experiment"
	"captionlab/captioning/safetensors"
	"captionlab/captioning/weights"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets/coco/cocotest"
)

// TestLongReproduceOnCOCO runs the paper's command on a release of COCO's shape, from annotation files to records and
// back: plan, training, decoding strategies, and the same scores when the run is opened again; and the plan in
// Karpathy's split. It uses the paper's own encoder, with weights of the true shapes, on few images, and the small one
// on more.
func TestLongReproduceOnCOCO(t *testing.T) {
	xlatest.OpenForTest(t)
	lite0, err := weights.EfficientNetLite0Path()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		encoder, experiment string
		release             cocotest.Options
		put                 func(dir string) error // puts the weights into the folder where captionlab looks
	}{
		{"resnet50", "baseline", cocotest.Options{Train: 32, Val: 8, Test: 8, Zips: true}, writeResNet50},
		{"efficientnet-lite0", "lr-5e-3", cocotest.Options{Train: 64, Val: 12, Test: 12, Zips: true}, func(
			dir string,
		) error {
			data, err := os.ReadFile(lite0)
			if err != nil {
				return fmt.Errorf("%w: run make setup", err)
			}
			return os.WriteFile(filepath.Join(dir, filepath.Base(lite0)), data, 0o644)
		}},
	} {
		t.Run(c.encoder, func(t *testing.T) {
			t.Setenv("CAPTIONLAB_CACHE", t.TempDir())
			own, err := weights.EfficientNetLite0Path()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			weightsDir := filepath.Dir(own)
			err = errors.Join(os.MkdirAll(weightsDir, 0o755), c.put(weightsDir), cocotest.Write(dir, c.release))
			if err != nil {
				t.Fatal(err)
			}
			arguments := strings.Fields(
				"reproduce --dataset coco --encoder " + c.encoder + " --only " + c.experiment +
					" --seeds 1 --data " + dir,
			)
			for _, split := range []string{"karpathy", "pa4"} {
				plan := append(arguments, "--split", split, "--dry-run")
				if code, out, errs := call(t, program(dir, plan...)); code != 0 ||
					!strings.Contains(out, c.experiment+"/seed-1") {
					t.Fatalf("plan: exit %d, %s%s", code, out, errs)
				}
			}
			if code, out, errs := call(t, program(dir, append(arguments, "--split", "pa4")...)); code != 0 {
				t.Fatalf("exit %d, %s%s", code, out, errs)
			}
			checkCOCORun(t, dir, filepath.Join(dir, "results", "coco", c.experiment, "seed-1"), c.encoder, c.release)
		})
	}
}

// checkCOCORun checks the records of a run and evaluates it again.
func checkCOCORun(t *testing.T, dir, records, encoder string, release cocotest.Options) {
	run, err := experiment.ReadRun(records)
	if err != nil {
		t.Fatal(err)
	}
	if run.Dataset != "coco" || !strings.Contains(fmt.Sprint(run.Encoder), encoder) ||
		run.Examples["train"] != 5*release.Train ||
		run.Examples["test"] != 5*release.Test {
		t.Errorf("run of %s, encoder %v, with %v captions", run.Dataset, run.Encoder, run.Examples)
	}
	command := strings.Join(run.Command, " ")
	if !strings.Contains(command, "--dataset coco --only") ||
		!strings.Contains(command, "--split pa4 --encoder "+encoder) {
		t.Errorf("the record's command is %s", command)
	}
	code, out, errs := call(t, program(dir, "evaluate", records, "--data", dir, "--json"))
	type scores struct {
		PA4 struct {
			BLEU1 float64 `json:"bleu1"`
		} `json:"pa4"`
	}
	var metrics, again scores
	if err := experiment.ReadJSON(filepath.Join(records, experiment.MetricsFile), &metrics); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(out), &again); code != 0 || err != nil {
		t.Fatalf("evaluate: exit %d, %v, %s", code, err, errs)
	}
	if again != metrics || metrics.PA4.BLEU1 == 0 {
		t.Errorf("evaluate says %+v, the record %+v", again, metrics)
	}
}

// writeResNet50 writes random weights of ResNet-50 with the names and shapes of torchvision 0.26, including the
// classifier and the counters: 25,557,032 parameters.
func writeResNet50(dir string) error {
	r := rand.New(rand.NewPCG(1, 1))
	state, parameters := make(map[string]safetensors.Tensor), 0
	fill := func(name string, value func() float32, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = value()
		}
		state[name] = safetensors.FromFloat32(shape, values)
		if !strings.Contains(name, "running") {
			parameters += n
		}
	}
	around := func(centre, reach float32) func() float32 {
		return func() float32 { return centre + reach*(2*r.Float32()-1) }
	}
	layer := func(conv, norm string, out, in, k int, gain float32) {
		fill(conv+".weight", around(0, float32(math.Sqrt(6/float64(in*k*k)))), out, in, k, k)
		fill(norm+".weight", around(gain, gain/2), out)
		fill(norm+".bias", around(0, 0.1), out)
		fill(norm+".running_mean", around(0, 0.1), out)
		fill(norm+".running_var", around(1, 0.5), out)
		state[norm+".num_batches_tracked"] = safetensors.Tensor{DType: "I64", Shape: []int{}, Data: make([]byte, 8)}
	}
	layer("conv1", "bn1", 64, 3, 7, 1)
	in := 64
	for stage, depth := range []int{3, 4, 6, 3} {
		width := 64 << stage
		for i := range depth {
			block := fmt.Sprintf("layer%d.%d.", stage+1, i)
			layer(block+"conv1", block+"bn1", width, in, 1, 1)
			layer(block+"conv2", block+"bn2", width, width, 3, 1)
			layer(block+"conv3", block+"bn3", 4*width, width, 1, 0.2)
			if i == 0 {
				layer(block+"downsample.0", block+"downsample.1", 4*width, in, 1, 1)
			}
			in = 4 * width
		}
	}
	fill("fc.weight", around(0, 0.02), 1000, in)
	fill("fc.bias", around(0, 0.02), 1000)
	if parameters != 25_557_032 {
		return fmt.Errorf("%d parameters, ResNet-50 has 25557032", parameters)
	}
	return safetensors.Write(filepath.Join(dir, "resnet50.safetensors"), state, nil)
}
