package encoder

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/internal/checksum"
	"captionlab/captioning/safetensors"
)

// Features are the feature vectors of a dataset. They lie in the files of their folder, mapped to memory: the system
// reads what is used and takes the memory back when it is short; see safetensors.Map. They are safe for concurrent use.
type Features struct {
	Manifest Manifest
	rows     map[string][]float32
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
	f := &Features{Manifest: *m, rows: make(map[string][]float32)}
	for _, shard := range m.Shards {
		data, err := readShard(folder, shard, f.Dim(), verify)
		if err != nil {
			return nil, err
		}
		f.add(shard.IDs, data)
	}
	return f, nil
}

// add adds the rows of a shard, [len(ids), FeatureDim].
func (f *Features) add(ids []string, data []float32) {
	dim := f.Dim()
	for i, id := range ids {
		f.rows[id] = data[i*dim : (i+1)*dim : (i+1)*dim]
	}
}

// Row returns the features of an image, [FeatureDim], and false if the image was skipped or is unknown. The slice lies
// in a file that is mapped to memory: writing to it ends the process.
func (f *Features) Row(id string) ([]float32, bool) {
	row, ok := f.rows[id]
	return row, ok
}

// Dim is the length of a feature vector.
func (f *Features) Dim() int { return f.Manifest.Encoder.FeatureDim }

// Len is the number of images with features.
func (f *Features) Len() int { return len(f.rows) }

// writeShard writes features, [len(ids), dim], as a shard, and hashes them on the way.
func writeShard(folder, name string, ids []string, features []float32, dim int) (Shard, error) {
	tensor := safetensors.FromFloat32([]int{len(ids), dim}, features)
	hash := sha256.New()
	err := atomicfile.Write(filepath.Join(folder, name), func(w io.Writer) error {
		return safetensors.Encode(io.MultiWriter(w, hash), map[string]safetensors.Tensor{"features": tensor}, nil)
	})
	if err != nil {
		return Shard{}, fmt.Errorf("features: %w", err)
	}
	return Shard{File: name, SHA256: hex.EncodeToString(hash.Sum(nil)), IDs: ids}, nil
}

// readShard returns the features of a shard, [len(s.IDs), dim], and compares the file with its checksum; see mapShard.
func readShard(folder string, s Shard, dim int, verify bool) ([]float32, error) {
	path := filepath.Join(folder, filepath.Base(s.File))
	sum, err := checksum.File(path, verify)
	if err != nil {
		return nil, fmt.Errorf("features: %w: build the features again", err)
	}
	if sum != s.SHA256 {
		return nil, fmt.Errorf("features: %s is damaged (its SHA-256 is not the manifest's): build the features again",
			path)
	}
	return mapShard(path, s, dim)
}

// mapShard returns the features of the shard at path, [len(s.IDs), dim]. They lie in the file and must not be written
// to.
func mapShard(path string, s Shard, dim int) ([]float32, error) {
	tensors, _, err := safetensors.Map(path)
	if err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	t := tensors["features"]
	if !slices.Equal(t.Shape, []int{len(s.IDs), dim}) {
		return nil, fmt.Errorf("features: %s has shape %v, want [%d %d]", path, t.Shape, len(s.IDs), dim)
	}
	return t.View()
}
