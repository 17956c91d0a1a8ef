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
	"captionlab/captioning/score"
)

// Names of the records in a run folder.
const (
	RunFile      = "run.json"
	MetricsFile  = "metrics.json"
	CurveFile    = "curve.csv"
	ReadoutsFile = "readouts.json"
)

// CaptionsFile is the name of the greedily generated captions of a split, in COCO result format.
func CaptionsFile(split string) string { return "captions_" + split + ".json" }

// ReadoutCaptionsFile is CaptionsFile for any readout.
func ReadoutCaptionsFile(split, readout string) string {
	if readout == Greedy {
		return CaptionsFile(split)
	}
	return "captions_" + split + "_" + readout + ".json"
}

// ImagesFile is the name of the scores of the single pictures of a split, greedily captioned (see score.WriteImages).
func ImagesFile(split string) string { return "images_" + split + ".csv" }

// Run is the record of how a result came about.
type Run struct {
	Experiment  string   `json:"experiment"`
	Identity    string   `json:"identity"`      // see Identity
	Model       int      `json:"model_version"` // see ModelVersion
	Command     []string `json:"command"`
	Commit      string   `json:"commit"`  // of the source tree; "+changes" behind it where it had uncommitted changes
	Started     string   `json:"started"` // RFC 3339, UTC
	Host        Host     `json:"host"`
	Backend     any      `json:"backend"` // what package xla tells of it
	Dataset     string   `json:"dataset"`
	Fingerprint string   `json:"fingerprint"` // of the dataset
	Encoder     any      `json:"encoder"`     // identity of the encoder, with the checksum of its weights
	Settings    Settings `json:"settings"`
	Vocabulary  int      `json:"vocabulary"` // token ids, specials included
	Parameters  int      `json:"parameters"` // trainable numbers
	// Examples are the captions of each split that were trained on or measured.
	Examples   map[string]int `json:"examples"`
	Unreadable int            `json:"unreadable_pictures"`
	Epochs     int            `json:"epochs"`     // trained
	BestEpoch  int            `json:"best_epoch"` // by validation loss
	TrainTime  float64        `json:"train_seconds"`
	Weights    string         `json:"weights_sha256"` // of the trained weights; runs of the same one ended in the same bits
}

// ModelVersion is the version of the code that decides what a training run computes: model, initial weights, batches,
// optimizer. It goes up with every change that makes the same settings end elsewhere, so that such runs are made anew.
const ModelVersion = 4

// Identity is the SHA-256, in hex, of all that decides a training run but for the machine: settings, dataset (by
// fingerprint), encoder (any value whose JSON tells network, weights and preprocessing) and ModelVersion. Runs of the same
// identity are the same run.
func Identity(s Settings, fingerprint string, encoder any) (string, error) {
	text, err := json.Marshal([]any{ModelVersion, s, fingerprint, encoder})
	if err != nil {
		return "", fmt.Errorf("identity of a run: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// Host is the machine as far as it matters to speed.
type Host struct {
	System string `json:"system"` // "linux/amd64"
	Cores  int    `json:"cores"`
	CPU    string `json:"cpu"`
}

// ReadoutsRecord holds the scores of all readouts of a run, in the order of Experiment.Readouts.
type ReadoutsRecord struct {
	Weights  string          `json:"weights_sha256"` // of the model that was read out
	Split    string          `json:"split"`
	Readouts []ReadoutRecord `json:"readouts"`
}

// ReadoutRecord is one of them: scores with 95 % bootstrap intervals over pictures, and the paired difference from the
// greedy captions of the same model.
type ReadoutRecord struct {
	Readout           Readout                `json:"readout"`
	Coco              []score.Interval       `json:"coco"`
	PA4               []score.Interval       `json:"pa4"`
	CocoAgainstGreedy []score.Difference     `json:"coco_against_greedy,omitempty"`
	PA4AgainstGreedy  []score.Difference     `json:"pa4_against_greedy,omitempty"`
	Diversity         *score.DiversityScores `json:"diversity"`
}

// ReadReadouts reads the readouts of the run in dir.
func ReadReadouts(dir string) (ReadoutsRecord, error) {
	var r ReadoutsRecord
	err := ReadJSON(filepath.Join(dir, ReadoutsFile), &r)
	return r, err
}

// WriteJSON writes a record, indented, whole or not at all.
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

// ReadJSON reads a record that WriteJSON wrote.
func ReadJSON(path string, record any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, record); err != nil {
		return fmt.Errorf("record %s is damaged: %w", path, err)
	}
	return nil
}

// CPUName is the processor's name as Linux tells it, or "unknown".
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
		err = fmt.Errorf("%s is no run folder: it holds no %s", dir, RunFile)
	}
	return r, err
}
