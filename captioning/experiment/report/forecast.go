package report

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"captionlab/captioning/experiment"
)

// COCO in the paper's split: the counts of its id lists, and assumptions about its captions, which are not available
// here.
const (
	cocoTrain, cocoAll = 14_900, 14_900 + 1_656 + 3_000
	captionsPerImage   = 5
	tokensPerCaption   = 11.5   // words and <end>, captions cut to 20 tokens
	cocoVocabulary     = 7_500  // words that occur at least twice, and the special tokens
	jpegBytes          = 165e3  // mean of a COCO image
	cocoArchives       = 20.4e9 // bytes that captionlab fetch coco downloads
)

// Assumptions of the forecast for a GPU; none was measured.
const (
	gpuFLOPS     = 10e12 // sustained float32 operations per second in matrix products and convolutions
	gpuStep      = 6e-3  // shortest training step in seconds, given its 20 dependent time steps forward and backward
	gpuImages    = 400   // images per second that the host can decode and resize, on 8 cores
	resNet50FLOP = 10.7e9
)

// measuredSpeeds are the speeds that the forecast is based on.
type measuredSpeeds struct {
	host                        experiment.Host
	images, baseline, bestModel float64 // images/s through ResNet-50; training tokens/s
}

func readSpeeds(results string) (measuredSpeeds, error) {
	var m measuredSpeeds
	for _, from := range []struct {
		record, series string
		to             *float64
	}{
		{"features", "resnet50, captionlab", &m.images},
		{"train", "baseline 300/512, captionlab", &m.baseline},
		{"train", "best 800/2048, captionlab", &m.bestModel},
	} {
		b, err := readBenchmark(results, from.record)
		if err != nil {
			return m, err
		}
		s, err := b.get(from.series)
		if err != nil {
			return m, err
		}
		*from.to, m.host = s.Median, b.Host
	}
	return m, nil
}

// writeForecast estimates the cost of the paper's own setting from the benchmarks. It writes nothing if they are not
// recorded.
func writeForecast(results string, experiments []experiment.Experiment, page *strings.Builder) error {
	m, err := readSpeeds(results)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	step := func(tokensPerSecond float64) float64 { return 1000 * 64 * tokensPerCaption / tokensPerSecond }
	fmt.Fprintf(page, "\n## coco: a forecast, not a measurement\n\n"+
		"The paper's own setting, COCO 2014 in the paper's split with ResNet-50, was not run, because neither "+
		"images nor weights were available. These commands run it:\n\n"+
		"```\n"+
		"captionlab fetch coco resnet50\n"+
		"captionlab reproduce --dataset coco --split pa4 --encoder resnet50\n"+
		"captionlab report\n"+
		"```\n\n")
	fmt.Fprintf(page, "Measured on %s ([benchmarks](benchmarks)): %.1f images/s through ResNet-50, %.0f ms each; "+
		"training at %.0f real tokens/s for 300/512 and %.0f for 800/2048, or %.0f and %.0f ms per step of 64 "+
		"captions. The forecast for the same CPU follows from this, with %d images, %d training captions of %.1f "+
		"tokens (assumed) and a vocabulary of %d (assumed). It assumes images of 224 x 224 rather than 640 x 480, "+
		"and training in float32 even for experiments that use bfloat16. The forecast for one GPU is not based on "+
		"any measurement: it assumes %.0f TFLOP/s, at least %.0f ms per step, and %d decoded images per "+
		"second.\n\n",
		machine(m.host), m.images, 1000/m.images, m.baseline, m.bestModel, step(m.baseline), step(m.bestModel),
		cocoAll, cocoTrain*captionsPerImage, tokensPerCaption, cocoVocabulary, gpuFLOPS/1e12, gpuStep*1000, gpuImages)
	writeTable(page, []string{"work", "CPU, forecast", "one GPU, forecast"}, m.forecast(experiments))
	fmt.Fprintf(page, "\nDisk space: %.1f GB of archives, of which the %d images of the split are %.1f GB; "+
		"features %.0f MB.\n",
		cocoArchives/1e9, cocoAll, cocoAll*jpegBytes/1e9, float64(cocoAll*2048*4)/1e6)
	return nil
}

// forecast is the table of times: features, an epoch of each experiment, and everything.
func (m measuredSpeeds) forecast(experiments []experiment.Experiment) [][]string {
	const flickrVocabulary = 4521 // of the benchmark's captions
	flops := func(embedding, hidden int) float64 {
		s := experiment.Settings{Cell: "lstm", Embedding: embedding, Hidden: hidden}
		return s.FLOPsPerToken(flickrVocabulary)
	}
	small, large := m.baseline*flops(300, 512), m.bestModel*flops(800, 2048) // operations per second
	tokens := float64(cocoTrain * captionsPerImage * tokensPerCaption)
	steps := float64(cocoTrain*captionsPerImage) / 64
	rows := [][]string{{"features of all images, once", spell(cocoAll / m.images),
		spell(cocoAll / min(gpuImages, gpuFLOPS/resNet50FLOP))}}
	totalCPU, totalGPU := 0.0, 0.0
	for _, e := range experiments {
		rate := small
		if e.Settings.Hidden > 1024 {
			rate = large
		}
		operations := tokens * e.Settings.FLOPsPerToken(cocoVocabulary)
		cpu, gpu := operations/rate, max(operations/gpuFLOPS, steps*gpuStep)
		totalCPU += cpu * float64(e.Settings.Epochs*e.Seeds)
		totalGPU += gpu * float64(e.Settings.Epochs*e.Seeds)
		seeds := "1 seed"
		if e.Seeds > 1 {
			seeds = fmt.Sprintf("%d seeds", e.Seeds)
		}
		rows = append(rows, []string{fmt.Sprintf("%s, per epoch (at most %d, %s)", e.Name, e.Settings.Epochs, seeds),
			spell(cpu), spell(gpu)})
	}
	return append(rows, []string{"all runs, if each trains for all its epochs", spell(totalCPU), spell(totalGPU)})
}

// spell writes a number of seconds with the precision of a forecast.
func spell(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.0f h", d.Hours())
}
