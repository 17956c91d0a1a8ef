package captioning

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"captionlab/captioning/encoder"
	"captionlab/captioning/xla/xlatest"
	"captionlab/datasets"
)

// photograph is a JPEG of 4 x 2 fields, or of 2 x 4 fields that are turned by 90 degrees and an EXIF tag that says so.
func photograph(t *testing.T, turned, tagged bool) []byte {
	t.Helper()
	const field = 16
	img := image.NewGray(image.Rect(0, 0, 4*field, 2*field))
	if turned {
		img = image.NewGray(image.Rect(0, 0, 2*field, 4*field))
	}
	for x := range 4 * field {
		for y := range 2 * field {
			shade := color.Gray{Y: uint8(x/field*60 + y/field*20)}
			if turned {
				img.SetGray(y, 4*field-1-x, shade) // a clockwise turn makes it upright
			} else {
				img.SetGray(x, y, shade)
			}
		}
	}
	var out bytes.Buffer
	must(t, jpeg.Encode(&out, img, &jpeg.Options{Quality: 100}))
	if !tagged {
		return out.Bytes()
	}
	const exif = "\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06" +
		"\x00\x00\x00\x00\x00\x00"
	return append(append(out.Bytes()[:2:2], exif...), out.Bytes()[2:]...)
}

// TestPhotographsAreUpright: a photograph is captioned as a person sees it, in every way of captioning.
func TestPhotographsAreUpright(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	t.Setenv("CAPTIONLAB_CACHE", t.TempDir())
	spec := &encoder.Spec{Name: "pixels", FeatureDim: 8 * 8 * 3, Resize: 8, Crop: 8, Std: [3]float32{255, 255, 255},
		BatchSize: 2, Version: "1",
		Graph: func(images *graph.Node, _ []*graph.Node) *graph.Node { return graph.Reshape(images, 2, 8*8*3) }}
	whole, err := OpenDataset("shapes", "", "")
	must(t, err)
	ctx := context.Background()
	options := DataOptions{Encoder: EncoderOptions{Spec: spec}}
	data, err := NewData(ctx, backend, datasets.Subset(whole, 8, 4, 4), options)
	must(t, err)
	defer data.Close()
	s := toySettings()
	s.Epochs, s.MinCount = 1, 1
	run := t.TempDir()
	model, err := Train(ctx, backend, data, TrainConfig{Dir: run, Settings: s})
	must(t, err)
	model.Close()
	dir := t.TempDir()
	var paths []string
	for name, content := range map[string][]byte{"upright.jpg": photograph(t, false, false),
		"tagged.jpg": photograph(t, true, true), "untagged.jpg": photograph(t, true, false)} {
		must(t, os.WriteFile(filepath.Join(dir, name), content, 0o644))
	}
	for _, name := range []string{"upright.jpg", "tagged.jpg", "untagged.jpg"} {
		paths = append(paths, filepath.Join(dir, name))
	}
	c, err := OpenCaptioner(ctx, backend, run, CaptionerOptions{Encoder: spec, MaxPixels: 100})
	must(t, err)
	defer c.Close()
	_, problems, err := c.CaptionFiles(ctx, paths, FilesOptions{})
	must(t, err)
	wantError(t, problems[1], paths[1], "32 x 64 pixels, more than 100", "raise the limit")
	_, err = c.CaptionFile(ctx, paths[0], generateDefaults)
	wantError(t, err, paths[0], "64 x 32 pixels, more than 100")

	c.images.MaxPixels = 0
	captions, problems, err := c.CaptionFiles(ctx, paths, FilesOptions{})
	must(t, err)
	upright, tagged, untagged := captions[0], captions[1], captions[2]
	if problems[0] != nil || upright.LogProb != tagged.LogProb || upright.LogProb == untagged.LogProb {
		t.Errorf("problems %v, captions %+v", problems, captions)
	}
	for i, path := range paths {
		one, err := c.CaptionFile(ctx, path, generateDefaults)
		must(t, err)
		if (one.LogProb == untagged.LogProb) != (i == 2) {
			t.Errorf("%s alone: %+v, together %+v", path, one, captions[i])
		}
	}
}
