package encoder

import (
	"context"

	"captionlab/datasets"
)

// OpenFeaturesVerified is OpenFeatures.
func OpenFeaturesVerified(folder string) (*Features, error) { return OpenFeatures(folder) }

// Build is BuildFeatures.
func Build(ctx context.Context, e *Encoder, ds datasets.Dataset, folder string, o FeatureOptions) (*Features, error) {
	return BuildFeatures(ctx, ds, o.Fingerprint, e, folder, o)
}
