package encoder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute/dtypes/bfloat16"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/internal/checksum"
	"captionlab/captioning/safetensors"
)

// Features are the feature vectors of a dataset. They lie in the files of their folder, mapped to memory: the system
// reads what is used and takes the memory back when it is short; see safetensors.Map. They are safe for concurrent use.
type Features struct {
	Manifest Manifest
	rows     map[string][]float32
	grids    map[string]Grid // nil in a folder without grids
}

// row is what a shard holds of an image.
type row struct {
	vector []float32 // [FeatureDim]
	grid   Grid      // [Places, FeatureDim]; nil in a folder without grids
}

// OpenFeatures reads a complete feature folder and compares every shard with its checksum. It does not hash a shard
// again that has kept its size and modification time since the last time.
func OpenFeatures(folder string) (*Features, error) { return openFeatures(folder, false) }

// OpenFeaturesVerified is OpenFeatures, but hashes every shard.
func OpenFeaturesVerified(folder string) (*Features, error) { return openFeatures(folder, true) }

func openFeatures(folder string, verify bool) (*Features, error) {
	m, err := readManifest(folder)
	if err != nil {
		return nil, err
	}
	if !m.Complete {
		return nil, fmt.Errorf("features: %s is not complete: build the features again to resume", folder)
	}
	f := newFeatures(*m)
	for _, shard := range m.Shards {
		rows, err := m.readShard(folder, shard, verify)
		if err != nil {
			return nil, err
		}
		f.add(shard.IDs, rows)
	}
	return f, nil
}

func newFeatures(m Manifest) *Features {
	f := &Features{Manifest: m, rows: make(map[string][]float32)}
	if m.Places > 0 {
		f.grids = make(map[string]Grid)
	}
	return f
}

// add adds the rows of a shard.
func (f *Features) add(ids []string, rows *shardRows) {
	for i, id := range ids {
		r := rows.row(i)
		f.rows[id] = r.vector
		if f.grids != nil {
			f.grids[id] = r.grid
		}
	}
}

// Row returns the features of an image, [FeatureDim], and false if the image was skipped or is unknown. The slice lies
// in a file that is mapped to memory: writing to it ends the process.
func (f *Features) Row(id string) ([]float32, bool) {
	row, ok := f.rows[id]
	return row, ok
}

// Grid is Row for the feature map of an image, [Places, FeatureDim]; nil in a folder without grids.
func (f *Features) Grid(id string) Grid { return f.grids[id] }

// Dim is the length of a feature vector.
func (f *Features) Dim() int { return f.Manifest.Encoder.FeatureDim }

// Len is the number of images with features.
func (f *Features) Len() int { return len(f.rows) }

// rowOf returns what a shard holds of an image, given what the encoder returned, [RowDim].
func (m *Manifest) rowOf(numbers []float32) row {
	dim := m.Encoder.FeatureDim
	return row{numbers[:dim], rounded(numbers[dim:])}
}

// tensors returns the content of a shard.
func (m *Manifest) tensors(rows []row) map[string]safetensors.Tensor {
	dim := m.Encoder.FeatureDim
	vectors := make([]float32, 0, len(rows)*dim)
	var grids Grid
	for _, row := range rows {
		vectors, grids = append(vectors, row.vector...), append(grids, row.grid...)
	}
	tensors := map[string]safetensors.Tensor{"features": safetensors.FromFloat32([]int{len(rows), dim}, vectors)}
	if m.Places > 0 {
		tensors["grids"] = safetensors.From16("BF16", []int{len(rows), m.Places, dim}, grids)
	}
	return tensors
}

// writeShard writes the rows of images as a shard, and hashes them on the way.
func (m *Manifest) writeShard(folder, name string, ids []string, rows []row) (Shard, error) {
	tensors := m.tensors(rows)
	hash := sha256.New()
	err := atomicfile.Write(filepath.Join(folder, name), func(w io.Writer) error {
		return safetensors.Encode(io.MultiWriter(w, hash), tensors, nil)
	})
	if err != nil {
		return Shard{}, fmt.Errorf("features: %w", err)
	}
	return Shard{File: name, SHA256: hex.EncodeToString(hash.Sum(nil)), IDs: ids}, nil
}

// readShard returns the rows of a shard and compares the file with its checksum; see mapShard.
func (m *Manifest) readShard(folder string, s Shard, verify bool) (*shardRows, error) {
	path := filepath.Join(folder, filepath.Base(s.File))
	sum, err := checksum.File(path, verify)
	if err != nil {
		return nil, fmt.Errorf("features: %w: build the features again", err)
	}
	if sum != s.SHA256 {
		return nil, fmt.Errorf("features: %s is damaged (its SHA-256 is not the manifest's): build the features again",
			path)
	}
	return m.mapShard(path, len(s.IDs))
}

// shardRows are the rows of a shard. They lie in its file and must not be written to.
type shardRows struct {
	vectors     []float32
	grids       Grid // empty without grids
	dim, places int
}

// row returns the row of the image at index i.
func (s *shardRows) row(i int) row {
	r := row{vector: s.vectors[i*s.dim : (i+1)*s.dim : (i+1)*s.dim]}
	if size := s.places * s.dim; size > 0 {
		r.grid = s.grids[i*size : (i+1)*size : (i+1)*size]
	}
	return r
}

// mapShard returns the rows of the shard at path, which holds n images.
func (m *Manifest) mapShard(path string, n int) (*shardRows, error) {
	tensors, _, err := safetensors.Map(path)
	if err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	dim := m.Encoder.FeatureDim
	features, grids := tensors["features"], tensors["grids"]
	if !slices.Equal(features.Shape, []int{n, dim}) {
		return nil, fmt.Errorf("features: %s has shape %v, want [%d %d]", path, features.Shape, n, dim)
	}
	out := &shardRows{dim: dim, places: m.Places}
	if out.vectors, err = features.View(); err != nil {
		return nil, fmt.Errorf("features: %s: %w", path, err)
	}
	if m.Places == 0 {
		return out, nil
	}
	if !slices.Equal(grids.Shape, []int{n, m.Places, dim}) {
		return nil, fmt.Errorf("features: %s has grids of shape %v, want [%d %d %d]", path, grids.Shape, n, m.Places,
			dim)
	}
	if out.grids, err = safetensors.View16[bfloat16.BFloat16](grids, "BF16"); err != nil {
		return nil, fmt.Errorf("features: %s: grids: %w", path, err)
	}
	return out, nil
}
