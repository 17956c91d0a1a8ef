package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"

	"captionlab/captioning/encoder"
)

// resNet50Files are the files to which torch writes the same weights.
var resNet50Files = []string{"resnet50.pth", "resnet50-legacy.pth", "resnet50.safetensors"}

// The largest accepted difference from torchvision's features, as the length of the difference over the length of the
// vector: for PNGs, whose pixels are exact, and for JPEGs, which two decoders round differently.
const (
	pngTolerance  = 1e-4
	jpegTolerance = 1e-2
)

// benchResNet50 checks ResNet-50 weights that torch wrote: every format must give the same features to the bit, and
// they must agree with torchvision's.
func benchResNet50(b *bench) error {
	b.record.Data = "16 generated images of 640 x 480, 480 x 640, 500 x 375 and 300 x 300, as JPEG and as PNG; " +
		"ResNet-50 with random weights and the statistics of these images, written by torch"
	images := filepath.Join(b.dir, "images")
	for _, size := range [][2]int{{640, 480}, {480, 640}, {500, 375}, {300, 300}} {
		if _, err := writeImages(images, drawn{n: 4, width: size[0], height: size[1], pngs: true}); err != nil {
			return err
		}
	}
	var written struct{ Parameters, Tensors int }
	if _, err := b.script(&written, "resnet50_reference.py", "weights", b.dir, images); err != nil {
		return err
	}
	b.record.add("parameters", "", float64(written.Parameters))
	b.record.add("tensors in each file", "", float64(written.Tensors))
	if err := encodeWithEachFile(b, images); err != nil {
		return err
	}
	theirs, best := filepath.Join(b.dir, "theirs.bin"), filepath.Join(b.dir, resNet50Files[0])
	if _, err := b.script(new(any), "resnet50_reference.py", "vectors", best, images, theirs); err != nil {
		return err
	}
	if err := compareVectors(b, images, best+".bin", theirs); err != nil {
		return err
	}
	b.record.Notes = append(b.record.Notes,
		"The three files give the same features to the bit. captionlab computes 3x3 convolutions with stride 1 and "+
			"128 channels or more by Winograd's F(2x2, 3x3).",
		"PNG: both sides get the same pixels. JPEG: Pillow and Go round the inverse cosine transform differently, so "+
			"the PNGs are the proof and the JPEGs only a check against gross errors.")
	return nil
}

// encodeWithEachFile opens each weights file in every round and fails unless all give the same features.
func encodeWithEachFile(b *bench, images string) error {
	sums := make(map[string]string)
	for range b.rounds {
		for _, name := range resNet50Files {
			path := filepath.Join(b.dir, name)
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			b.record.add(name+", size", "MB", float64(info.Size())/1e6)
			var ours opened
			if _, err := b.worker(&ours, "open", "resnet50", path, images, path+".bin"); err != nil {
				return err
			}
			b.record.add(name+", read, checked and folded", "s", ours.Seconds)
			sums[ours.Sum] = name
		}
	}
	if len(sums) != 1 {
		return fmt.Errorf("the files of one network give %d different sets of features: %v", len(sums), sums)
	}
	return nil
}

// compareVectors compares the features of every image of a folder with torchvision's.
func compareVectors(b *bench, images, oursFile, theirsFile string) error {
	names, err := filesIn(images)
	if err != nil {
		return err
	}
	spec, err := encoder.Lookup("resnet50")
	if err != nil {
		return err
	}
	ours, err := readRows(oursFile, spec.FeatureDim)
	if err != nil {
		return err
	}
	theirs, err := readRows(theirsFile, spec.FeatureDim)
	if err != nil {
		return err
	}
	if len(ours) != len(names) || len(theirs) != len(names) {
		return fmt.Errorf("%d images, but %d feature vectors from captionlab and %d from torchvision",
			len(names), len(ours), len(theirs))
	}
	for _, kind := range []struct {
		suffix    string
		tolerance float64
	}{{".png", pngTolerance}, {".jpg", jpegTolerance}} {
		var largest, scale, relative float64
		for i, name := range names {
			if filepath.Ext(name) != kind.suffix {
				continue
			}
			var difference, length float64
			for j, x := range theirs[i] {
				d := float64(ours[i][j]) - float64(x)
				difference, length = difference+d*d, length+float64(x)*float64(x)
				largest, scale = math.Max(largest, math.Abs(d)), math.Max(scale, math.Abs(float64(x)))
			}
			relative = math.Max(relative, math.Sqrt(difference/length))
		}
		b.record.add("largest feature, "+kind.suffix, "", scale)
		b.record.add("largest difference of a feature, "+kind.suffix, "", largest)
		b.record.add("largest difference of a vector over its length, "+kind.suffix, "", relative)
		if !(relative <= kind.tolerance) {
			return fmt.Errorf("features of a %s file differ from torchvision's by %.3g of their length, "+
				"want at most %g", kind.suffix, relative, kind.tolerance)
		}
		b.record.compare(fmt.Sprintf("%s: tolerance %g / difference over length", kind.suffix, kind.tolerance),
			kind.tolerance/relative, 1)
	}
	return nil
}

// opened holds what the worker open measures.
type opened struct {
	Seconds float64 `json:"seconds"`
	Sum     string  `json:"sum"` // SHA-256 of the features
}

// openWorker opens an encoder and writes the features of a folder's images. Its arguments are encoder, weights,
// folder and output file.
func openWorker(backend compute.Backend, args []string) (opened, error) {
	started := time.Now()
	ctx := context.Background()
	e, err := openEncoder(ctx, backend, args[0], args[1])
	if err != nil {
		return opened{}, err
	}
	seconds := time.Since(started).Seconds()
	names, err := filesIn(args[2])
	if err != nil {
		return opened{}, err
	}
	rows, problems, err := e.EncodeImages(ctx, names, openFile, 0, nil)
	if err != nil {
		return opened{}, err
	}
	for _, problem := range problems {
		if problem != nil {
			return opened{}, problem
		}
	}
	if err := writeRows(args[3], rows); err != nil {
		return opened{}, err
	}
	data, err := os.ReadFile(args[3])
	sum := sha256.Sum256(data)
	return opened{seconds, hex.EncodeToString(sum[:])}, err
}
