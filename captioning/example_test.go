package captioning_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/experiment"
	"captionlab/captioning/xla"
	"captionlab/datasets"
)

// Train the paper's baseline on the embedded dataset and score it on the test split.
func ExampleTrain() {
	ctx := context.Background()
	backend, _, err := xla.Open(xla.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	ds, err := captioning.OpenDataset("shapes", "")
	if err != nil {
		log.Fatal(err)
	}
	fingerprint, err := datasets.Fingerprint(ctx, ds)
	if err != nil {
		log.Fatal(err)
	}
	enc, err := captioning.OpenEncoder(ctx, backend, captioning.EncoderOptions{Name: "efficientnet-lite0"})
	if err != nil {
		log.Fatal(err)
	}
	features, err := captioning.Features(ctx, ds, fingerprint, enc, nil)
	if err != nil {
		log.Fatal(err)
	}
	settings := experiment.Defaults()
	settings.LearningRate = 2e-3
	checkpoint, err := captioning.Train(ctx, backend, captioning.TrainConfig{Dir: "run", Dataset: ds, Fingerprint: fingerprint,
		Features: features, Settings: settings, Resume: true})
	if err != nil {
		log.Fatal(err)
	}
	model, err := captioning.NewModel(backend, checkpoint, nil)
	if err != nil {
		log.Fatal(err)
	}
	result, _, err := model.Evaluate(ctx, ds, datasets.Test, features, decoder.GenerateOptions{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("BLEU-4 %.1f\n", 100*result.Coco.BLEU[3])
}

// Caption one's own photograph with a trained run.
func ExampleOpen() {
	ctx := context.Background()
	backend, _, err := xla.Open(xla.OpenOptions{})
	if err != nil {
		log.Fatal(err)
	}
	model, err := captioning.Open(backend, "results/flickr8k/baseline/seed-1")
	if err != nil {
		log.Fatal(err)
	}
	enc, err := captioning.OpenEncoder(ctx, backend, captioning.EncoderOptions{Name: model.Checkpoint.Encoder.Name})
	if err != nil {
		log.Fatal(err)
	}
	open := func(name string) (io.ReadCloser, error) { return os.Open(name) }
	captions, problems, err := model.CaptionImages(ctx, enc, []string{"holiday.jpg"}, open, decoder.GenerateOptions{Beam: 5}, nil)
	if err != nil {
		log.Fatal(err)
	}
	if problems[0] != nil {
		log.Fatal(problems[0])
	}
	fmt.Println(captions[0].Text)
}
