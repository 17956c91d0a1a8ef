package encoder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/xla/xlatest"
)

// A folder that several devices built has the bytes of one that one device built.
func TestSpreadOverDevices(t *testing.T) {
	if !xlatest.OnHostDevices(t) {
		return
	}
	folders := []string{t.TempDir(), t.TempDir()}
	for i, devices := range []int{1, 4} {
		spec := meanColour()
		spec.BatchSize = 2
		e := open(t, spec, "")
		if err := e.Spread(xlatest.OpenForTest(t), devices); err != nil {
			t.Fatal(err)
		}
		buildAll(t, e, folders[i])
	}
	files, err := filepath.Glob(filepath.Join(folders[0], "*"))
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		one, err1 := os.ReadFile(file)
		four, err2 := os.ReadFile(filepath.Join(folders[1], filepath.Base(file)))
		if err := errors.Join(err1, err2); err != nil || string(one) != string(four) {
			t.Errorf("%s differs, %v", filepath.Base(file), err)
		}
	}
}

func TestSpreadOverTooManyDevices(t *testing.T) {
	e, backend := open(t, meanColour(), ""), xlatest.OpenForTest(t)
	for _, devices := range []int{-1, 0, int(backend.NumDevices()) + 1} {
		want := fmt.Sprintf("on %d devices", devices)
		if err := e.Spread(backend, devices); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// A failure on a device ends the encoding with its error, also if others fail as well.
func TestSpreadFails(t *testing.T) {
	if !xlatest.OnHostDevices(t) {
		return
	}
	e, backend := open(t, meanColour(), ""), xlatest.OpenForTest(t)
	if err := e.Spread(backend, 2); err != nil {
		t.Fatal(err)
	}
	e.device, e.others[0].device = 98, 99
	ds, _, _ := fortyImages(t)
	_, err := Build(context.Background(), e, ds, t.TempDir(), eightAShard)
	if err == nil || !strings.Contains(err.Error(), "encoder "+e.spec.Name) {
		t.Errorf("error %v from a device that does not exist", err)
	}
}
