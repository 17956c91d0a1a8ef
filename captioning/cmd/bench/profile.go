package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"captionlab/captioning/encoder"
)

// profiled are the stages of an encoder, as the worker profile and profile_reference.py print them.
type profiled struct {
	Stages []string  `json:"stages"`
	Until  []float64 `json:"until"` // milliseconds an image of the network that ends after the stage and the mean
	// GFLOP of one image in each stage; only from the worker.
	GFLOP []float64 `json:"gflop,omitempty"`
	// Peak is the rate of a product of two matrices of 2048 x 2048, in GFLOP/s.
	Peak float64 `json:"peak"`
}

// profileTimes is how often the networks are timed, one after another; the medians count.
const profileTimes = 9

// benchProfile says where the milliseconds of an encoder go: it times networks that end after each stage, on both
// sides, and takes the differences.
func benchProfile(b *bench) error {
	b.record.Data = "noise of the encoders' input size, in batches of 8 (ResNet-50) and 16 (EfficientNet-Lite0); " +
		"ResNet-50 with random weights"
	weights, err := b.resNet50Weights()
	if err != nil {
		return err
	}
	for range b.rounds {
		for _, name := range []string{"resnet50", "efficientnet-lite0"} {
			var ours, theirs profiled
			if _, err := b.worker(&ours, "profile", name, weights[name]); err != nil {
				return err
			}
			if _, err := b.script(&theirs, "profile_reference.py", name, weights[name]); err != nil {
				return err
			}
			if !slices.Equal(ours.Stages, theirs.Stages) {
				return fmt.Errorf("%s has the stages %q here and %q in PyTorch", name, ours.Stages, theirs.Stages)
			}
			b.addProfile(name, ours, theirs)
		}
	}
	for _, name := range []string{"resnet50", "efficientnet-lite0"} {
		b.record.compareMedians(name+": milliseconds an image, PyTorch / captionlab", name+", all stages, PyTorch",
			name+", all stages, captionlab", 0)
	}
	b.record.Notes = append(b.record.Notes,
		"A stage's time is that of the network up to its end less that of the network up to the stage before, each "+
			"with a mean over the places. Stages of less than a millisecond may come out negative.",
		"GFLOP/s counts two operations for each product with a weight. Winograd's algorithm, in layer2 to layer4, "+
			"takes fewer, so that a stage may be above the peak: that of a product of two matrices of 2048 x 2048.",
		"PyTorch runs channels_last, traced, frozen and optimized for inference.")
	return nil
}

// addProfile adds the differences between the stages.
func (b *bench) addProfile(name string, ours, theirs profiled) {
	stages := len(ours.Stages)
	for i, stage := range ours.Stages {
		mine, other := ours.Until[i], theirs.Until[i]
		if i > 0 {
			mine, other = mine-ours.Until[i-1], other-theirs.Until[i-1]
		}
		b.record.add(fmt.Sprintf("%s, %s, captionlab", name, stage), "ms/image", mine)
		b.record.add(fmt.Sprintf("%s, %s, PyTorch", name, stage), "ms/image", other)
		if ours.GFLOP[i] > 0 && mine > 0 {
			b.record.add(fmt.Sprintf("%s, %s, captionlab, rate", name, stage), "GFLOP/s", ours.GFLOP[i]/mine*1000)
		}
	}
	b.record.add(name+", all stages, captionlab", "ms/image", ours.Until[stages-1])
	b.record.add(name+", all stages, PyTorch", "ms/image", theirs.Until[stages-1])
	b.record.add(name+", products, captionlab", "GFLOP/s", ours.Peak)
	b.record.add(name+", products, PyTorch", "GFLOP/s", theirs.Peak)
}

// profileWorker times an encoder up to each of its stages.
func profileWorker(backend compute.Backend, name, weights string) (out profiled, err error) {
	ctx := context.Background()
	whole, err := openEncoder(ctx, backend, name, weights)
	if err != nil {
		return out, err
	}
	defer whole.Finalize()
	file, err := whole.Spec().WeightsFile(ctx, encoderOptions(name, weights).Weights)
	if err != nil {
		return out, err
	}
	stages, err := whole.Spec().Stages(backend)
	if err != nil {
		return out, err
	}
	images := noise(whole.Spec().BatchSize, whole.Spec().Crop)
	var parts []func() error
	for i, s := range stages[:len(stages)-1] {
		spec, err := whole.Spec().UpTo(i)
		if err != nil {
			return out, err
		}
		part, err := encoder.New(backend, spec, file)
		if err != nil {
			return out, err
		}
		defer part.Finalize()
		parts = append(parts, func() error {
			_, err := part.Encode(ctx, images)
			return err
		})
		out.Stages, out.GFLOP = append(out.Stages, s.Name), append(out.GFLOP, 2*float64(s.Products)/1e9)
	}
	if out.Until, err = medianMilliseconds(parts); err != nil {
		return out, err
	}
	for i := range out.Until {
		out.Until[i] /= float64(len(images))
	}
	out.Peak, err = productPeak(backend)
	return out, err
}

// noise returns images of noise.
func noise(n, side int) []*encoder.Pixels {
	random := rand.New(rand.NewPCG(1, 1))
	images := make([]*encoder.Pixels, n)
	for i := range images {
		images[i] = &encoder.Pixels{Width: side, Height: side, RGB: make([]uint8, side*side*3)}
		for k := range images[i].RGB {
			images[i].RGB[k] = uint8(random.UintN(256))
		}
	}
	return images
}

// medianMilliseconds runs each function twice for nothing, and then times all in turns, so that the differences between
// them survive a machine that is slower for a while.
func medianMilliseconds(all []func() error) ([]float64, error) {
	times := make([][]float64, len(all))
	for i := range 2 + profileTimes {
		for k, do := range all {
			start := time.Now()
			if err := do(); err != nil {
				return nil, err
			}
			if i >= 2 {
				times[k] = append(times[k], time.Since(start).Seconds()*1000)
			}
		}
	}
	medians := make([]float64, len(all))
	for k := range all {
		slices.Sort(times[k])
		medians[k] = times[k][profileTimes/2]
	}
	return medians, nil
}

// productPeak returns the rate of a product of two matrices, in GFLOP/s.
func productPeak(backend compute.Backend) (float64, error) {
	const n = 2048
	exec, err := graph.NewExec(backend, func(x *graph.Node) *graph.Node { return graph.Dot(x, x).Product() })
	if err != nil {
		return 0, err
	}
	defer exec.Finalize()
	x := tensors.FromFlatDataAndDimensions(slices.Repeat([]float32{1}, n*n), n, n)
	defer x.FinalizeAll()
	ms, err := medianMilliseconds([]func() error{func() error {
		out, err := exec.Call1(x)
		if err != nil {
			return err
		}
		return out.FinalizeAll()
	}})
	if err != nil {
		return 0, err
	}
	return 2 * n * n * n / ms[0] / 1e6, nil
}
