package report

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"captionlab/captioning/experiment"
)

// COCO in the paper's split: what its id lists say, and what is taken for granted of its captions, of which none is here.
const (
	cocoTrain, cocoAll = 14_900, 14_900 + 1_656 + 3_000
	captionsAPicture   = 5
	tokensACaption     = 11.5   // words and <end>, captions cut to 20 tokens
	cocoVocabulary     = 7_500  // words seen twice or more, and the specials
	jpegBytes          = 165e3  // mean of a COCO picture
	cocoArchives       = 20.4e9 // bytes of what captionlab fetch coco gets
)

// What the forecast for a GPU assumes, since none was measured.
const (
	gpuFLOPS     = 10e12 // float32 operations a second that one card sustains in matrix products and convolutions
	gpuStep      = 6e-3  // seconds that a training step takes at least, for its 20 dependent time steps each way
	gpuPictures  = 400   // pictures a second that the host can decode and resize for it, on 8 cores
	resNet50FLOP = 10.7e9
)

// benchmark is the part of a record below results/benchmarks that the forecast reads.
type benchmark struct {
	Host   experiment.Host `json:"host"`
	Series []struct {
		Name   string  `json:"name"`
		Median float64 `json:"median"`
	} `json:"series"`
}

func (b benchmark) median(name string) float64 {
	for _, s := range b.Series {
		if s.Name == name {
			return s.Median
		}
	}
	return 0
}

// writeForecast says what the paper's own setting would cost, out of what was measured for the benchmarks.
func writeForecast(results string, experiments []experiment.Experiment, page *strings.Builder) error {
	var features, train benchmark
	for file, to := range map[string]*benchmark{"features.json": &features, "train.json": &train} {
		err := experiment.ReadJSON(filepath.Join(results, "benchmarks", file), to)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	pictures, small, large := features.median("resnet50, captionlab"), train.median("baseline 300/512, captionlab"), train.median("best 800/2048, captionlab")
	if pictures == 0 || small == 0 || large == 0 {
		return nil
	}
	const flickrVocabulary = 4521 // of the benchmark's captions
	measured := func(e, h int) experiment.Settings { return experiment.Settings{Cell: "lstm", Embedding: e, Hidden: h} }
	smallRate, largeRate := small*measured(300, 512).FLOPsPerToken(flickrVocabulary), large*measured(800, 2048).FLOPsPerToken(flickrVocabulary)
	tokens := float64(cocoTrain * captionsAPicture * tokensACaption)
	steps := float64(cocoTrain*captionsAPicture) / 64
	fmt.Fprintf(page, "\n## coco: a forecast, not a measurement\n\n"+
		"The paper's own setting, COCO 2014 in the paper's split with ResNet-50, was not run: neither pictures nor weights are here. Where they are, these commands run it:\n\n"+
		"```\ncaptionlab fetch coco resnet50\ncaptionlab reproduce --dataset coco --split pa4 --encoder resnet50\ncaptionlab report\n```\n\n"+
		"Measured on %d cores of %s ([benchmarks](benchmarks)): %.1f pictures/s through ResNet-50, %.0f ms each; training %.0f real tokens/s at 300/512 and %.0f at 800/2048, %.0f and %.0f ms a step of 64 captions. "+
		"From this follows the forecast for the same CPU, with %d pictures, %d training captions of %.1f tokens and a vocabulary of %d (assumed). The forecast for one GPU is not measured at all: it assumes %.0f TFLOP/s, at least %.0f ms a step and %d decoded pictures a second. "+
		"Reading pictures of 640 x 480 instead of 224 x 224 is not in the CPU's figure. The training is forecast in float32, also where an experiment uses bfloat16.\n\n",
		train.Host.Cores, train.Host.CPU, pictures, 1000/pictures, small, large, 1000*64*tokensACaption/small, 1000*64*tokensACaption/large,
		cocoAll, cocoTrain*captionsAPicture, tokensACaption, cocoVocabulary, gpuFLOPS/1e12, gpuStep*1000, gpuPictures)
	page.WriteString("| what | CPU, forecast | one GPU, forecast |\n| --- | --- | --- |\n")
	fmt.Fprintf(page, "| features of all pictures, once | %s | %s |\n", spell(cocoAll/pictures), spell(cocoAll/min(gpuPictures, gpuFLOPS/resNet50FLOP)))
	totalCPU, totalGPU := 0.0, 0.0
	for _, e := range experiments {
		rate := smallRate
		if e.Settings.Hidden > 1024 {
			rate = largeRate
		}
		operations := tokens * e.Settings.FLOPsPerToken(cocoVocabulary)
		cpu, gpu := operations/rate, max(operations/gpuFLOPS, steps*gpuStep)
		totalCPU += cpu * float64(e.Settings.Epochs*e.Seeds)
		totalGPU += gpu * float64(e.Settings.Epochs*e.Seeds)
		fmt.Fprintf(page, "| %s, an epoch (at most %d, %d seed(s)) | %s | %s |\n", e.Name, e.Settings.Epochs, e.Seeds, spell(cpu), spell(gpu))
	}
	fmt.Fprintf(page, "| all runs, if each trains all its epochs | %s | %s |\n", spell(totalCPU), spell(totalGPU))
	fmt.Fprintf(page, "\nDisk: %.1f GB of archives; of the %d pictures of the split %.1f GB are read; features %.0f MB.\n", cocoArchives/1e9, cocoAll, cocoAll*jpegBytes/1e9, float64(cocoAll*2048*4)/1e6)
	return nil
}

// spell rounds a number of seconds to what a forecast can know.
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
