package captioning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"captionlab/captioning/experiment"
	"captionlab/captioning/internal/cache"
	"captionlab/datasets"
)

// remembered is a fingerprint in the cache folder with the stamp of the files for which it was computed.
type remembered struct {
	Dataset     string `json:"dataset"`
	Stamp       string `json:"stamp"`
	Fingerprint string `json:"fingerprint"`
}

// fingerprint returns datasets.Fingerprint of ds. For a dataset that has a stamp (see datasets.Stamper) it is
// remembered, so that images are read again only after a file changed, or with verify.
func fingerprint(ctx context.Context, ds datasets.Dataset, verify bool) (string, error) {
	stamp, ok, err := datasets.Stamp(ds)
	if err != nil {
		return "", err
	}
	if !ok {
		return datasets.Fingerprint(ctx, ds)
	}
	folder, err := cache.Sums()
	if err != nil {
		return "", err
	}
	key := sha256.Sum256([]byte(ds.Name() + "\n" + stamp))
	path := filepath.Join(folder, fmt.Sprintf("dataset-%s.json", hex.EncodeToString(key[:12])))
	var known remembered
	if !verify && experiment.ReadJSON(path, &known) == nil && known.Stamp == stamp && known.Dataset == ds.Name() &&
		len(known.Fingerprint) == hex.EncodedLen(sha256.Size) {
		return known.Fingerprint, nil
	}
	sum, err := datasets.Fingerprint(ctx, ds)
	if err != nil {
		return "", err
	}
	// What cannot be remembered is computed again the next time.
	_ = experiment.WriteJSON(path, remembered{Dataset: ds.Name(), Stamp: stamp, Fingerprint: sum})
	return sum, nil
}
