package encoder

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"

	"github.com/gomlx/compute"

	"captionlab/captioning/internal/checksum"
)

// Identity determines the features of an image. It is stored with features and in checkpoints.
//
// WeightsSHA256 is the checksum of the weights file for a known encoder. For a custom one it is a hash over that
// checksum and Spec.Version or, without a Version, over that checksum and the features of a fixed image: it changes
// with the code even if the name does not. Those features may differ in their last bits on another kind of device or
// with another version of XLA, and so may the identity; set Version where that matters.
type Identity struct {
	Name          string `json:"name"`
	WeightsSHA256 string `json:"weights_sha256"`
	Preprocessing string `json:"preprocessing"`
	FeatureDim    int    `json:"feature_dim"`
}

// Identify returns the identity of the encoder that New(backend, spec, weightsFile) opens, without reading the
// weights and without a backend. It hashes the weights file once, and again only when the file changes. Fails for a
// custom encoder without a Version, since only New computes the features that identify it.
func Identify(spec Spec, weightsFile string) (Identity, error) {
	if err := spec.check(); err != nil {
		return Identity{}, err
	}
	sum, err := weightsSum(spec, weightsFile)
	if err != nil {
		return Identity{}, err
	}
	switch {
	case spec.Known():
	case spec.Version != "":
		sum = sum256("version", sum, []byte(spec.Version))
	default:
		return Identity{}, fmt.Errorf("encoder %s is a custom encoder without a Version: set Version, "+
			"or open it with New, which identifies it by its output", spec.Name)
	}
	return spec.identity(sum), nil
}

func (s Spec) identity(sum string) Identity {
	return Identity{s.Name, sum, s.Preprocessing(), s.FeatureDim}
}

// weightsSum returns the checksum of the weights file, "" for an encoder without weights.
func weightsSum(spec Spec, weightsFile string) (string, error) {
	if spec.Load == nil {
		return "", nil
	}
	sum, err := checksum.File(weightsFile, false)
	if err != nil {
		return "", fmt.Errorf("encoder weights: %w", err)
	}
	return sum, nil
}

// identify sets the identity of an encoder whose program is ready. Grids do not change it.
func (e *Encoder) identify(backend compute.Backend, weightsFile string) error {
	if e.spec.Known() || e.spec.Version != "" {
		id, err := Identify(e.spec, weightsFile)
		e.identity = id
		return err
	}
	if e.spec.grids {
		plain := e.spec
		plain.grids = false
		other, err := New(backend, plain, weightsFile)
		if err != nil {
			return err
		}
		defer other.Finalize()
		e.identity = other.identity
		return nil
	}
	sum, err := weightsSum(e.spec, weightsFile)
	if err != nil {
		return err
	}
	features, err := e.Encode(context.Background(), []*Pixels{probe(e.spec.Crop)})
	if err != nil {
		return err
	}
	bits := make([]byte, 0, 4*len(features))
	for _, x := range features {
		bits = binary.LittleEndian.AppendUint32(bits, math.Float32bits(x))
	}
	e.identity = e.spec.identity(sum256("features", sum, bits))
	return nil
}

// sum256 hashes what identifies a custom encoder. kind separates the two ways.
func sum256(kind, weightsSum string, content []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", kind, weightsSum)
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// probe is the image whose features identify a custom encoder: noise, so that every position and colour matters.
func probe(side int) *Pixels {
	p := &Pixels{Width: side, Height: side, RGB: make([]uint8, 3*side*side)}
	state := uint32(1)
	for i := range p.RGB {
		state = state*1664525 + 1013904223 // Numerical Recipes, section 7.1
		p.RGB[i] = uint8(state >> 24)
	}
	return p
}
