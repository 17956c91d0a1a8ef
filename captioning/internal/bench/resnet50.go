package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/gomlx/compute"

	"captionlab/captioning/encoder"
)

// resNet50Files are what torch writes the same weights to.
var resNet50Files = []string{"resnet50.pth", "resnet50-legacy.pth", "resnet50.safetensors"}

// How far features may be from torchvision's, as the length of the difference over their length: of PNGs, whose pixels leave no
// choice, and of JPEGs, which two decoders round differently.
const (
	pngTolerance  = 1e-4
	jpegTolerance = 1e-2
)

// benchResNet50 proves weights of ResNet-50 that torch wrote: every format must give the same features to the bit, and the
// features that torchvision computes.
func benchResNet50(b *bench) error {
	b.record.Data = "16 pictures of 640 x 480, 480 x 640, 500 x 375 and 300 x 300 that the program draws, as JPEG and as PNG; ResNet-50 with random weights, " +
		"its statistics those of these pictures, written by torch"
	pictures := filepath.Join(b.dir, "pictures")
	for _, size := range [][2]int{{640, 480}, {480, 640}, {500, 375}, {300, 300}} {
		if _, err := writePhotographs(pictures, 4, size[0], size[1], true); err != nil {
			return err
		}
	}
	var written struct{ Parameters, Tensors int }
	if _, err := b.script(&written, "resnet50_reference.py", "weights", b.dir, pictures); err != nil {
		return err
	}
	b.record.add("parameters", "", float64(written.Parameters))
	b.record.add("tensors in each file", "", float64(written.Tensors))
	names, err := picturesIn(pictures)
	if err != nil {
		return err
	}
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
			if _, err := b.worker(&ours, "open", "resnet50", path, pictures, path+".bin"); err != nil {
				return err
			}
			b.record.add(name+", read, checked and folded", "s", ours.Seconds)
			sums[ours.Sum] = name
		}
	}
	if len(sums) != 1 {
		return fmt.Errorf("the files of one network give %d kinds of features: %v", len(sums), sums)
	}
	theirs := filepath.Join(b.dir, "theirs.bin")
	if _, err := b.script(new(any), "resnet50_reference.py", "vectors", filepath.Join(b.dir, resNet50Files[0]), pictures, theirs); err != nil {
		return err
	}
	return compareVectors(b, names, filepath.Join(b.dir, resNet50Files[0]+".bin"), theirs)
}

// compareVectors lays the features of every picture beside those of torchvision.
func compareVectors(b *bench, names []string, oursFile, theirsFile string) error {
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
		return fmt.Errorf("%d pictures, %d features here and %d in torchvision", len(names), len(ours), len(theirs))
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
			return fmt.Errorf("features of a %s differ by %.3g of their length from torchvision's, want at most %g", kind.suffix, relative, kind.tolerance)
		}
		b.record.compare(fmt.Sprintf("%s: tolerance %g / difference over length", kind.suffix, kind.tolerance), kind.tolerance/relative, 1)
	}
	b.record.Notes = append(b.record.Notes, "Features of the three files are the same to the bit. 3x3 convolutions with stride 1 and 128 channels or more are Winograd's F(2x2, 3x3) here.",
		"PNG: the same pixels on either side. JPEG: Pillow and Go round the inverse cosine transform differently, by 3 of 255 at most, one byte in thirty. "+
			"What becomes of that depends on the weights: with blocks as strong as their shortcuts (gain of bn3 0.5 to 1.5 instead of 0.1 to 0.3), random layers carry it to 0.087 of the length, while PNGs stay at 1.5e-5. So the PNGs are the proof; the JPEGs are a check against gross errors.")
	return nil
}

// opened is what the worker open measures.
type opened struct {
	Seconds float64 `json:"seconds"`
	Sum     string  `json:"sum"` // of the features
}

// openWorker opens an encoder and writes the features of a folder's pictures: encoder, weights, folder, file.
func openWorker(backend compute.Backend, args []string) (opened, error) {
	started := time.Now()
	ctx := context.Background()
	e, err := openEncoder(ctx, backend, args[0], args[1])
	if err != nil {
		return opened{}, err
	}
	seconds := time.Since(started).Seconds()
	names, err := picturesIn(args[2])
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

func openFile(name string) (io.ReadCloser, error) { return os.Open(name) }

// picturesIn are the files of a folder in the order of their names.
func picturesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var names []string
	for _, entry := range entries {
		names = append(names, filepath.Join(dir, entry.Name()))
	}
	return names, err
}
