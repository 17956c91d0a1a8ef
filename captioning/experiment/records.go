package experiment

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/datasets/jsonfile"
)

// Names of the record files in a run folder.
const (
	RunFile      = "run.json"
	MetricsFile  = "metrics.json"
	CurveFile    = "curve.csv"
	ReadoutsFile = "readouts.json"
)

// CaptionsFile is the name of the file with the greedy captions of a split, in COCO result format.
func CaptionsFile(split string) string { return "captions_" + split + ".json" }

// ReadoutCaptionsFile is CaptionsFile for any decoding strategy.
func ReadoutCaptionsFile(split, readout string) string {
	if readout == Greedy {
		return CaptionsFile(split)
	}
	return "captions_" + split + "_" + readout + ".json"
}

// ImagesFile is the name of the file with the scores of each image of a split, for greedy captions (see
// score.WriteImages).
func ImagesFile(split string) string { return "images_" + split + ".csv" }

// Run is the record of how a result was obtained.
type Run struct {
	Experiment  string   `json:"experiment"`
	Identity    string   `json:"identity"`      // see Identity
	Model       int      `json:"model_version"` // see ModelVersion
	Command     []string `json:"command"`
	Commit      string   `json:"commit"`  // of the source tree; "+changes" is appended if it had uncommitted changes
	Started     string   `json:"started"` // RFC 3339, UTC
	Host        Host     `json:"host"`
	Backend     any      `json:"backend"` // as package xla describes it
	Dataset     string   `json:"dataset"`
	Fingerprint string   `json:"fingerprint"`      // of the dataset
	Source      any      `json:"source,omitempty"` // of custom data: its path, and how it was divided into splits
	Encoder     any      `json:"encoder"`          // its identity, including the checksum of its weights
	Settings    Settings `json:"settings"`
	From        *Start   `json:"from,omitempty"` // the run that this one started from; nil for random weights
	Vocabulary  int      `json:"vocabulary"`     // number of token ids, special ones included
	Parameters  int      `json:"parameters"`     // number of trainable values
	// Examples is the number of captions of each split that were trained on or evaluated.
	Examples   map[string]int `json:"examples"`
	Unreadable int            `json:"unreadable_pictures"`
	Epochs     int            `json:"epochs"`     // trained
	BestEpoch  int            `json:"best_epoch"` // by validation loss
	TrainTime  float64        `json:"train_seconds"`
	Weights    string         `json:"weights_sha256"` // of the trained weights
}

// Start identifies the trained run whose weights another run started from.
type Start struct {
	Identity string `json:"identity"`
	Weights  string `json:"weights_sha256"` // the ones used, so that a packed model differs from the run it was made of
}

// ModelVersion is the version of the code that decides what a training run computes: model, initial weights, batches
// and optimizer. Every change after which the same settings give different weights increases it, so that such runs are
// repeated.
const ModelVersion = 4

// Identity is the SHA-256, in hex, of everything but the machine that decides a training run: settings, dataset (by
// its fingerprint), encoder (any value whose JSON states network, weights and preprocessing) and ModelVersion. Runs
// with the same identity are the same run.
func Identity(s Settings, fingerprint string, encoder any) (string, error) {
	text, err := json.Marshal([]any{ModelVersion, s, fingerprint, encoder})
	if err != nil {
		return "", fmt.Errorf("identity of a run: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// IdentityFrom is Identity for a run that starts from the weights of another, whose identity is from.
func IdentityFrom(from string, s Settings, fingerprint string, encoder any) (string, error) {
	own, err := Identity(s, fingerprint, encoder)
	sum := sha256.Sum256([]byte(from + " " + own))
	return hex.EncodeToString(sum[:]), err
}

// Host describes the machine, as much as matters for speed.
type Host struct {
	System string `json:"system"` // "linux/amd64"
	Cores  int    `json:"cores"`
	CPU    string `json:"cpu"`
}

// WriteJSON writes a record as indented JSON. The file is complete or not written at all.
func WriteJSON(path string, record any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(record); err != nil {
		return fmt.Errorf("record %s: %w", path, err)
	}
	return atomicfile.WriteFile(path, out.Bytes())
}

// ReadJSON reads a record written by WriteJSON.
func ReadJSON(path string, record any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := jsonfile.Decode(path, data, record); err != nil {
		return fmt.Errorf("damaged record: %w", err)
	}
	return nil
}

// CPUName is the processor's name according to /proc/cpuinfo, or "unknown".
func CPUName() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// ReadRun reads the run record in dir.
func ReadRun(dir string) (Run, error) {
	var r Run
	err := ReadJSON(filepath.Join(dir, RunFile), &r)
	if os.IsNotExist(err) {
		err = fmt.Errorf("%s is not a run folder: it has no %s", dir, RunFile)
	}
	return r, err
}
