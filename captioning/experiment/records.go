package experiment

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"captionlab/captioning/internal/atomicfile"
)

// Names of the records in a run folder.
const (
	RunFile     = "run.json"
	MetricsFile = "metrics.json"
	CurveFile   = "curve.csv"
)

// CaptionsFile is the name of the generated captions of a split, in COCO result format.
func CaptionsFile(split string) string { return "captions_" + split + ".json" }

// Run is the record of how a result came about.
type Run struct {
	Experiment  string   `json:"experiment"`
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
	Checkpoint string         `json:"checkpoint_sha256"`
}

// Host is the machine as far as it matters to speed.
type Host struct {
	System string `json:"system"` // "linux/amd64"
	Cores  int    `json:"cores"`
	CPU    string `json:"cpu"`
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
