package encoder

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"captionlab/datasets/jsonfile"
)

// manifestFile is the name of the manifest in a feature folder.
const manifestFile = "manifest.json"

// Manifest describes a feature folder. Build rewrites it after every shard, so that an interrupted build resumes
// after the last complete shard.
type Manifest struct {
	Format      int       `json:"format"` // 1
	Encoder     Identity  `json:"encoder"`
	Dataset     string    `json:"dataset"`
	Fingerprint string    `json:"fingerprint"` // of the dataset, see datasets.Fingerprint
	Shards      []Shard   `json:"shards"`
	Skipped     []Skipped `json:"skipped"`  // images that could not be read
	Complete    bool      `json:"complete"` // every image is in a shard or skipped
	// MaxPixels is the size of the largest image that was decoded, or 0 if it was the constant MaxPixels.
	MaxPixels int `json:"max_pixels,omitempty"`
	// Places is the number of places of each image's grid, or 0 in a folder without grids.
	Places int `json:"places,omitempty"`
}

// SkippedAsTooLarge reports whether images were skipped that a build with a limit of maxPixels (0: the constant
// MaxPixels) might encode, because its limits are higher.
func (m *Manifest) SkippedAsTooLarge(maxPixels int) bool {
	return len(m.Skipped) > 0 && cmp.Or(maxPixels, MaxPixels) > cmp.Or(m.MaxPixels, MaxPixels)
}

// Shard is one safetensors file with the tensor "features", float32 [len(IDs), FeatureDim], and in a folder with grids
// the tensor "grids", bfloat16 [len(IDs), Places, FeatureDim].
type Shard struct {
	File   string   `json:"file"`
	SHA256 string   `json:"sha256"`
	IDs    []string `json:"ids"`
}

// setLimit sets the limit for the images that are still to be encoded. If it is higher than before, these are also the
// images that were skipped.
func (m *Manifest) setLimit(maxPixels int) {
	if m.SkippedAsTooLarge(maxPixels) {
		m.Skipped = nil
	}
	if m.MaxPixels = maxPixels; maxPixels < 0 || maxPixels == MaxPixels {
		m.MaxPixels = 0
	}
}

// Skipped is an image without features, and the reason.
type Skipped struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// FeatureFolder returns the folder below root for the features of a dataset with this fingerprint from this encoder.
// Any change of images, captions, network, weights or preprocessing leads to another folder. See GridFolder for grids.
func FeatureFolder(root, dataset, fingerprint string, id Identity) string {
	key := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%d",
		fingerprint, id.Name, id.WeightsSHA256, id.Preprocessing, id.FeatureDim))
	return filepath.Join(root, fmt.Sprintf("%s-%s-%s", dataset, id.Name, hex.EncodeToString(key[:6])))
}

// GridFolder is FeatureFolder for features with grids.
func GridFolder(root, dataset, fingerprint string, id Identity) string {
	return FeatureFolder(root, dataset, fingerprint, id) + "-grids"
}

// covers reports whether the shard at index and the skipped images together are exactly the ids of part.
func (m *Manifest) covers(index int, part []string) bool {
	if index >= len(m.Shards) {
		return false
	}
	skipped := make(map[string]bool)
	for _, s := range m.Skipped {
		skipped[s.ID] = true
	}
	var want []string
	for _, id := range part {
		if !skipped[id] {
			want = append(want, id)
		}
	}
	return slices.Equal(want, m.Shards[index].IDs)
}

// cutTo drops the shard at index and all later ones, and the skipped images of part.
func (m *Manifest) cutTo(index int, part []string) {
	m.Complete = false
	m.Shards = m.Shards[:min(index, len(m.Shards))]
	m.Skipped = slices.DeleteFunc(m.Skipped, func(s Skipped) bool { return slices.Contains(part, s.ID) })
}

func readManifest(folder string) (*Manifest, error) {
	path := filepath.Join(folder, manifestFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	m := new(Manifest)
	if err := jsonfile.Decode(path, data, m); err != nil {
		return nil, fmt.Errorf("features: damaged manifest (%w): build the features again", err)
	}
	return m, nil
}
