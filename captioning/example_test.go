package captioning_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"

	. "github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/xla"
	"captionlab/datasets"
	"captionlab/datasets/custom"
)

// must is log.Fatal for examples.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// smallSettings train in seconds.
func smallSettings() experiment.Settings {
	s := experiment.Defaults()
	s.Embedding, s.Hidden, s.LearningRate, s.Epochs, s.MinCount = 32, 48, 5e-3, 3, 1
	return s
}

// exampleFolder is a folder for the runs of the examples.
var exampleFolder = must(os.MkdirTemp("", "captionlab-example-"))

// Train the baseline, here with small sizes, on the embedded dataset and score it on the test split.
func ExampleTrain() {
	ctx := context.Background()
	backend, _, err := xla.Open(xla.OpenOptions{})
	if err != nil {
		panic(err)
	}
	options := captioning.DataOptions{Encoder: captioning.EncoderOptions{Name: "efficientnet-lite0"}}
	data := must(captioning.OpenData(ctx, backend, "shapes", options))
	defer data.Close()
	config := captioning.TrainConfig{Dir: filepath.Join(exampleFolder, "baseline"), Settings: smallSettings()}
	model := must(captioning.Train(ctx, backend, data.Subset(160, 40, 40), config))
	defer model.Close()
	result := must(model.Evaluate(ctx, data, datasets.Test, decoder.GenerateOptions{}))
	bleu1, _ := result.Coco.Value("BLEU-1")
	fmt.Println(result.Coco.Count, "captions scored; BLEU-1 above 0.2:", bleu1 > 0.2)
	// Output: 150 captions scored; BLEU-1 above 0.2: true
}

// Caption an image file with the run that ExampleTrain left.
func ExampleOpenCaptioner() {
	ctx := context.Background()
	backend, _, err := xla.Open(xla.OpenOptions{})
	if err != nil {
		panic(err)
	}
	run := filepath.Join(exampleFolder, "baseline")
	c := must(captioning.OpenCaptioner(ctx, backend, run, captioning.CaptionerOptions{}))
	defer c.Close()
	caption := must(c.CaptionFile(ctx, writeImage("holiday.png"), decoder.GenerateOptions{Beam: 3}))
	fmt.Println(filepath.Base(string(caption.ID)), len(caption.Text) > 0, caption.LogProb < 0)
	// Output: holiday.png true true
}

// plainCell is a custom cell: h' = tanh(Wx x + Wh h), without biases.
type plainCell struct{}

func (plainCell) Name() string { return "plain" }
func (plainCell) Weights(in, hidden int) []decoder.Weight {
	return []decoder.Weight{{Name: "input", Shape: []int{in, hidden}}, {Name: "state", Shape: []int{hidden, hidden}}}
}
func (plainCell) NumStates() int            { return 1 }
func (plainCell) Start(image *Node) []*Node { return []*Node{image} }
func (plainCell) Step(w decoder.Weights, x *Node, state []*Node) []*Node {
	return []*Node{Tanh(Add(MatMul(x, w["input"]), MatMul(state[0], w["state"])))}
}

// Train a custom cell.
func ExampleTrain_customCell() {
	ctx := context.Background()
	backend, _, err := xla.Open(xla.OpenOptions{})
	if err != nil {
		panic(err)
	}
	options := captioning.DataOptions{Encoder: captioning.EncoderOptions{Name: "efficientnet-lite0"}}
	data := must(captioning.OpenData(ctx, backend, "shapes", options))
	defer data.Close()
	settings := smallSettings()
	settings.Cell, settings.Epochs = "plain", 1
	config := captioning.TrainConfig{Dir: filepath.Join(exampleFolder, "plain"), Settings: settings, Cell: plainCell{}}
	model := must(captioning.Train(ctx, backend, data.Subset(64, 16, 16), config))
	defer model.Close()
	fmt.Println(model.Checkpoint.Settings.Cell, "trained for", model.Training.Epoch, "epoch")
	// Output: plain trained for 1 epoch
}

// twoImages is a custom dataset: a red and a blue image. A real one opens files in OpenImage.
type twoImages struct{}

func (twoImages) Name() string       { return "two-images" }
func (twoImages) Oddities() []string { return nil }
func (twoImages) Examples(datasets.Split) []datasets.Example {
	return []datasets.Example{
		{ID: "red", Captions: []string{"a red image"}},
		{ID: "blue", Captions: []string{"a blue image"}},
	}
}
func (twoImages) OpenImage(id string) (io.ReadCloser, error) {
	fill := map[string]color.Color{"red": color.RGBA{R: 255, A: 255}, "blue": color.RGBA{B: 255, A: 255}}[id]
	return io.NopCloser(bytes.NewReader(drawn(fill))), nil
}

// Open custom data.
func ExampleNewData() {
	ctx := context.Background()
	backend, _, err := xla.Open(xla.OpenOptions{})
	if err != nil {
		panic(err)
	}
	options := captioning.DataOptions{Encoder: captioning.EncoderOptions{Name: "efficientnet-lite0"}}
	data := must(captioning.NewData(ctx, backend, twoImages{}, options))
	defer data.Close()
	features := must(data.Features(ctx))
	references := must(data.References(ctx, datasets.Test))
	fmt.Println(features.Len(), "images of", features.Dim(), "features;", references["blue"])
	// Output: 2 images of 1280 features; [a blue image]
}

// Open your own images and captions by the path of their folder. Here a table names them; see package
// datasets/custom for the other layouts. captionlab data check PATH reports what a folder holds.
func ExampleOpenData() {
	ctx := context.Background()
	photos := filepath.Join(exampleFolder, "photos")
	must(0, os.MkdirAll(photos, 0o755))
	table := "file_name,text\n"
	for i, name := range []string{"red", "green", "blue"} {
		shade := color.RGBA{R: uint8(100 * i), G: 50, A: 255}
		must(0, os.WriteFile(filepath.Join(photos, name+".png"), drawn(shade), 0o644))
		table += name + ".png,a " + name + " image\n" + name + ".png,all is " + name + "\n"
	}
	must(0, os.WriteFile(filepath.Join(photos, "captions.csv"), []byte(table), 0o644))
	options := captioning.DataOptions{
		Encoder: captioning.EncoderOptions{Name: "efficientnet-lite0"},
		Custom:  custom.Options{Shares: custom.Shares{0.4, 0.3, 0.3}, Seed: 1},
	}
	data := must(captioning.OpenData(ctx, nil, photos, options)) // no backend, since no features are needed here
	defer data.Close()
	for _, split := range datasets.Splits {
		ex := data.Dataset.Examples(split)[0]
		fmt.Println(data.Name(), split, len(ex.Captions), "captions")
	}
	// Output:
	// own-photos train 2 captions
	// own-photos val 2 captions
	// own-photos test 2 captions
}

// drawn is a PNG of one colour.
func drawn(fill color.Color) []byte {
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for i := range 64 * 48 {
		img.Set(i%64, i/64, fill)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// writeImage writes an image file and returns its path.
func writeImage(name string) string {
	path := filepath.Join(exampleFolder, name)
	if err := os.WriteFile(path, drawn(color.RGBA{R: 200, G: 120, A: 255}), 0o644); err != nil {
		panic(err)
	}
	return path
}
