package captioning

import (
	"context"
	"fmt"

	"github.com/gomlx/compute"

	"captionlab/captioning/encoder"
	"captionlab/captioning/weights"
)

// EncoderOptions choose an encoder. The zero value means ResNet-50, the paper's encoder, if its weights are found, and
// otherwise EfficientNet-Lite0, whose weights are downloaded when they are needed.
type EncoderOptions struct {
	Name    string        // one of encoder.Names; empty means the default
	Weights string        // a .pth or safetensors file; empty means the place that the encoder knows
	Spec    *encoder.Spec // a custom encoder; excludes Name
	// Devices is the number of the backend's devices that encode the images of datasets, each a batch at a time; 0
	// means 1. The features are the same.
	Devices int
}

// Names of the two encoders between which the default chooses.
const (
	paperEncoder = "resnet50"
	smallEncoder = "efficientnet-lite0"
)

// chosenEncoder is an encoder before it is opened.
type chosenEncoder struct {
	spec    encoder.Spec
	weights string // path, or empty for an encoder without weights
	custom  bool
	why     string // the reason for the default that was taken, or empty
	devices int
}

// chooseEncoder resolves the options. It may download weights.
func chooseEncoder(ctx context.Context, o EncoderOptions) (chosenEncoder, error) {
	var c chosenEncoder
	var err error
	switch {
	case o.Spec != nil && o.Name != "" && o.Name != o.Spec.Name:
		return c, fmt.Errorf("encoder %s and the custom encoder %s exclude each other: name one of them", o.Name,
			o.Spec.Name)
	case o.Spec != nil:
		c.spec, c.custom = *o.Spec, true
	case o.Name != "":
		c.spec, err = encoder.Lookup(o.Name)
	default:
		c, err = defaultEncoder(o.Weights)
	}
	if err != nil {
		return c, err
	}
	c.devices = max(o.Devices, 1)
	c.weights, err = c.spec.WeightsFile(ctx, o.Weights)
	return c, err
}

// defaultEncoder is ResNet-50 if its weights are named or found, and otherwise the small encoder.
func defaultEncoder(weightsFile string) (chosenEncoder, error) {
	name, why := paperEncoder, "ResNet-50 is the default for a weights file without an encoder's name"
	if weightsFile == "" {
		found, err := weights.ResNet50()
		if err != nil {
			return chosenEncoder{}, err
		}
		if why = "found the weights of ResNet-50, the paper's encoder, in " + found; found == "" {
			name, why = smallEncoder, "found no weights of ResNet-50, the paper's encoder"
		}
	}
	spec, err := encoder.Lookup(name)
	return chosenEncoder{spec: spec, why: why}, err
}

// open loads the weights onto the backend.
func (c chosenEncoder) open(backend compute.Backend) (*encoder.Encoder, error) {
	if backend == nil {
		return nil, fmt.Errorf("encoder %s: there is no backend to run it on", c.spec.Name)
	}
	e, err := encoder.New(backend, c.spec, c.weights)
	if err != nil {
		return nil, err
	}
	if err := e.Spread(backend, c.devices); err != nil {
		e.Finalize()
		return nil, err
	}
	return e, nil
}

// OpenEncoder opens an encoder on a backend. It fails for an unknown name, for ResNet-50 if no weights are found or
// named, and for weights that are damaged or belong to another network.
func OpenEncoder(ctx context.Context, backend compute.Backend, o EncoderOptions) (*encoder.Encoder, error) {
	c, err := chooseEncoder(ctx, o)
	if err != nil {
		return nil, err
	}
	return c.open(backend)
}
