package encoder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/safetensors"
	"captionlab/datasets"
)

// manifestFile is the name of the manifest in a feature folder.
const manifestFile = "manifest.json"

// Manifest describes a feature folder. It is rewritten after every shard, so that a run that is stopped goes on from
// the last whole shard.
type Manifest struct {
	Format      int       `json:"format"` // 1
	Encoder     Identity  `json:"encoder"`
	Dataset     string    `json:"dataset"`
	Fingerprint string    `json:"fingerprint"` // of the dataset, see datasets.Fingerprint
	Shards      []Shard   `json:"shards"`
	Skipped     []Skipped `json:"skipped"`  // pictures that could not be read
	Complete    bool      `json:"complete"` // every picture is in a shard or among the skipped
}

// Shard is one safetensors file with the tensor "features", float32 [len(IDs), FeatureDim].
type Shard struct {
	File   string   `json:"file"`
	SHA256 string   `json:"sha256"`
	IDs    []string `json:"ids"`
}

// Skipped is a picture that has no features, and why.
type Skipped struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// Progress tells how far BuildFeatures is.
type Progress struct {
	Done, Total, Skipped int
	Rate                 float64       // pictures a second, since the start of this call
	Elapsed, Remaining   time.Duration // Remaining is an estimate from Rate; 0 while Rate is unknown
}

// FeatureOptions change how BuildFeatures works. The zero value is right for most.
type FeatureOptions struct {
	Progress    func(Progress) // called after every batch; may be nil
	ShardSize   int            // pictures a shard; 0 means 512
	Workers     int            // goroutines that decode; 0 means 2
	Fingerprint string
	Warn        func(string)
}

// FeatureFolder is the folder below root for features of a dataset with this fingerprint made by this encoder: any
// change of pictures, captions, network, weights or preprocessing leads to another folder.
func FeatureFolder(root, dataset, fingerprint string, id Identity) string {
	key := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%d", fingerprint, id.Name, id.WeightsSHA256, id.Preprocessing, id.FeatureDim))
	return filepath.Join(root, fmt.Sprintf("%s-%s-%s", dataset, id.Name, hex.EncodeToString(key[:6])))
}

// BuildFeatures encodes every picture of ds, all splits, into folder, and opens the result. Shards that are there already
// with the right checksum are kept; a damaged one is made anew. A picture that cannot be read is listed in the manifest
// with its reason. Cancelling ctx leaves a folder that a later call completes.
func BuildFeatures(ctx context.Context, ds datasets.Dataset, fingerprint string, e *Encoder, folder string, o FeatureOptions) (*Features, error) {
	if o.ShardSize <= 0 {
		o.ShardSize = 512
	}
	if o.Workers <= 0 {
		o.Workers = 2
	}
	var ids []string
	for _, split := range datasets.Splits {
		for _, ex := range ds.Examples(split) {
			ids = append(ids, ex.ID)
		}
	}
	manifest, err := resumeManifest(folder, Manifest{Format: 1, Encoder: e.identity, Dataset: ds.Name(), Fingerprint: fingerprint})
	if err != nil {
		return nil, err
	}
	report := newReporter(len(ids), o.Progress)
	for shard, part := range slices.Collect(slices.Chunk(ids, o.ShardSize)) {
		if shard < len(manifest.Shards) && coversPart(manifest, shard, part) {
			report.total -= len(part)
			continue
		}
		manifest.cutTo(shard, part)
		if err := buildShard(ctx, ds, e, folder, manifest, shard, part, o.Workers, report); err != nil {
			return nil, err
		}
	}
	manifest.Complete = true
	if err := manifest.write(folder); err != nil {
		return nil, err
	}
	return OpenFeatures(folder)
}

// resumeManifest returns the manifest in folder, up to its first missing or damaged shard, or fresh where there is none.
func resumeManifest(folder string, fresh Manifest) (*Manifest, error) {
	if err := atomicfile.Clean(folder); err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	old, err := readManifest(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &fresh, nil
	case err != nil:
		return &fresh, nil // a damaged manifest vouches for no shard: all are made anew
	case old.Format != fresh.Format || old.Encoder != fresh.Encoder || old.Fingerprint != fresh.Fingerprint:
		return nil, fmt.Errorf("features: %s holds features of dataset %s with encoder %s; choose another folder or remove it",
			folder, old.Dataset, old.Encoder.Name)
	}
	for i, shard := range old.Shards {
		if _, err := readShard(folder, shard, old.Encoder.FeatureDim); err != nil {
			old.Shards = old.Shards[:i]
			break
		}
	}
	return old, nil
}

// coversPart reports whether a shard and the skipped pictures together are exactly the ids of part.
func coversPart(m *Manifest, shard int, part []string) bool {
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
	return slices.Equal(want, m.Shards[shard].IDs)
}

// cutTo drops the given shard and all later ones, and what was skipped in this part.
func (m *Manifest) cutTo(shard int, part []string) {
	m.Complete = false
	m.Shards = m.Shards[:min(shard, len(m.Shards))]
	m.Skipped = slices.DeleteFunc(m.Skipped, func(s Skipped) bool { return slices.Contains(part, s.ID) })
}

func buildShard(ctx context.Context, ds datasets.Dataset, e *Encoder, folder string, m *Manifest, shard int, part []string, workers int, report *reporter) error {
	rows, problems, err := e.EncodeImages(ctx, part, ds.OpenImage, workers, func(encoded, unreadable int) {
		report.done, report.skipped = report.done+encoded, report.skipped+unreadable
		report.tell()
	})
	if ctx.Err() != nil {
		return fmt.Errorf("features: stopped after %d whole shards; run the same command again to go on: %w", len(m.Shards), ctx.Err())
	}
	if err != nil {
		return err
	}
	var features []float32
	var kept []string
	for i, id := range part {
		if problems[i] != nil {
			m.Skipped = append(m.Skipped, Skipped{id, problems[i].Error()})
			continue
		}
		kept, features = append(kept, id), append(features, rows[i]...)
	}
	name := fmt.Sprintf("shard-%04d.safetensors", shard)
	path := filepath.Join(folder, name)
	tensor := safetensors.FromFloat32([]int{len(kept), e.spec.FeatureDim}, features)
	if err := safetensors.Write(path, map[string]safetensors.Tensor{"features": tensor}, nil); err != nil {
		return fmt.Errorf("features: %w", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("features: %w", err)
	}
	sum := sha256.Sum256(data)
	m.Shards = append(m.Shards, Shard{File: name, SHA256: hex.EncodeToString(sum[:]), IDs: kept})
	return m.write(folder)
}

func (m *Manifest) write(folder string) error {
	data, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(folder, manifestFile), append(data, '\n'))
}

func readManifest(folder string) (*Manifest, error) {
	path := filepath.Join(folder, manifestFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	m := new(Manifest)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("features: %s is damaged (%w): run `captionlab features` again", path, err)
	}
	return m, nil
}

func readShard(folder string, s Shard, dim int) ([]float32, error) {
	path := filepath.Join(folder, filepath.Base(s.File))
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("features: %w: run `captionlab features` again", err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != s.SHA256 {
		return nil, fmt.Errorf("features: %s is damaged (SHA-256 does not match the manifest): run `captionlab features` again", path)
	}
	tensors, _, err := safetensors.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("features: %s: %w", path, err)
	}
	t := tensors["features"]
	if !slices.Equal(t.Shape, []int{len(s.IDs), dim}) {
		return nil, fmt.Errorf("features: %s has shape %v, want [%d %d]", path, t.Shape, len(s.IDs), dim)
	}
	return t.Float32()
}

// Features are the feature vectors of a dataset, in memory. Safe for concurrent use.
type Features struct {
	Manifest Manifest
	rows     map[string][]float32
}

// OpenFeatures reads a complete feature folder and checks every shard against its checksum.
func OpenFeatures(folder string) (*Features, error) {
	m, err := readManifest(folder)
	if err != nil {
		return nil, err
	}
	if !m.Complete {
		return nil, fmt.Errorf("features: %s is not complete: run `captionlab features` again to go on", folder)
	}
	f := &Features{Manifest: *m, rows: make(map[string][]float32)}
	dim := m.Encoder.FeatureDim
	for _, shard := range m.Shards {
		data, err := readShard(folder, shard, dim)
		if err != nil {
			return nil, err
		}
		for i, id := range shard.IDs {
			f.rows[id] = data[i*dim : (i+1)*dim : (i+1)*dim]
		}
	}
	return f, nil
}

// Row returns the features of a picture, [FeatureDim]; false where the picture was skipped or is unknown. The slice is
// shared: do not change it.
func (f *Features) Row(id string) ([]float32, bool) {
	row, ok := f.rows[id]
	return row, ok
}

// Dim is the length of a feature vector.
func (f *Features) Dim() int { return f.Manifest.Encoder.FeatureDim }

// Len is the number of pictures with features.
func (f *Features) Len() int { return len(f.rows) }
