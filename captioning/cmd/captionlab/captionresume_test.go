package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"captionlab/captioning"
	"captionlab/captioning/decoder"
	"captionlab/captioning/xla/xlatest"
)

// writePhotos writes n small JPEGs of different colours to dir and returns their paths.
func writePhotos(t *testing.T, dir string, n int) []string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	var paths []string
	for k := range n {
		img := image.NewRGBA(image.Rect(0, 0, 64, 48))
		for i := range 64 * 48 {
			img.Set(i%64, i/64, color.RGBA{uint8(37 * k), uint8(i * k), uint8(11*k + i/64), 255})
		}
		var out bytes.Buffer
		if err := jpeg.Encode(&out, img, nil); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, filepath.Join(dir, fmt.Sprintf("photo-%03d.jpg", k)))
		if err := os.WriteFile(paths[k], out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

// openPretrained opens the model that comes with captionlab.
func openPretrained(t *testing.T) *captioning.Captioner {
	t.Helper()
	c, err := captioning.OpenCaptioner(context.Background(), xlatest.OpenForTest(t), "", captioning.CaptionerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// captionInProcess captions files as the command does, in parts of 4, and cancels its context after stopAfter images.
func captionInProcess(c *captioning.Captioner, call captionCall, files []string, stopAfter int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := 0
	call.idFrom = idFromPath
	call.candidates = max(call.candidates, 1)
	job := captionJob{captioner: c, generate: call.generation.o, candidates: call.candidates, words: call.json, part: 4,
		progress: func(encoded, unreadable int) {
			if done += encoded + unreadable; stopAfter > 0 && done > stopAfter {
				cancel()
			}
		}}
	out := &captionOutput{call: &call, stdout: io.Discard, meter: &meter{out: io.Discard}}
	return call.caption(ctx, job, files, out)
}

// csvCaptions reads the captions of a file of --csv, and fails if an image is there twice.
func csvCaptions(t *testing.T, path string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	captions := make(map[string]string)
	for _, row := range rows[1:] {
		if _, double := captions[row[0]]; double {
			t.Errorf("%s is there twice", row[0])
		}
		captions[row[0]] = row[1]
	}
	return captions
}

// TestStopAndResume cancels the work several times. In the end, every image has one row and a sidecar, with the
// captions of work that was not stopped; when sampling, too.
func TestStopAndResume(t *testing.T) {
	captioner := openPretrained(t)
	dir := t.TempDir()
	files := writePhotos(t, filepath.Join(dir, "photos"), 22)
	bad := filepath.Join(dir, "photos", "text.jpg")
	if err := os.WriteFile(bad, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	files = slices.Insert(files, 9, bad)
	for _, o := range []decoder.GenerateOptions{{}, {Temperature: 1, Seed: 7}} {
		name := fmt.Sprintf("temperature %g", o.Temperature)
		whole := captionCall{csv: true, out: filepath.Join(dir, name+"-whole.csv"), generation: generationFlags{o}}
		err := captionInProcess(captioner, whole, files, 0)
		if err == nil || !strings.HasPrefix(err.Error(), bad+": ") {
			t.Fatalf("%s, not stopped: %v", name, err)
		}
		want := csvCaptions(t, whole.out)
		call := captionCall{csv: true, out: filepath.Join(dir, name+".csv"), generation: generationFlags{o},
			sidecar: true, overwrite: o.Temperature > 0}
		stops, before := 0, 0
		for ; ; stops++ {
			err := captionInProcess(captioner, call, files, 5)
			if !errors.Is(err, context.Canceled) {
				if err == nil || !strings.HasPrefix(err.Error(), bad+": ") {
					t.Fatalf("%s, in the end: %v", name, err)
				}
				break
			}
			now := len(csvCaptions(t, call.out))
			if !strings.Contains(err.Error(), "the same command continues") || now <= before {
				t.Fatalf("%s, stopped %d times with %d images: %v", name, stops+1, now, err)
			}
			os.Remove(sidecarOf(files[now-1])) // as if it had been stopped right before that was written
			before = now
		}
		got := csvCaptions(t, call.out)
		if stops < 2 || len(got) != 22 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: stopped %d times, captions\n%v, want\n%v", name, stops, got, want)
		}
		for file, caption := range want {
			if text, err := os.ReadFile(sidecarOf(file)); err != nil || string(text) != caption+"\n" {
				t.Errorf("%s: the sidecar of %s holds %q, %v, want %q", name, file, text, err, caption)
			}
		}
	}
}

// TestCtrlC sends the signal to the program when it has written the first captions, and starts it again.
func TestCtrlC(t *testing.T) {
	xlatest.OpenForTest(t)
	dir := t.TempDir()
	files := writePhotos(t, filepath.Join(dir, "photos"), 140)
	args := []string{"caption", "photos", "--out", "photos/captions.jsonl"}
	out := filepath.Join(dir, "photos", "captions.jsonl")
	cmd := program(dir, args...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if info, err := os.Stat(out); err == nil && info.Size() > 0 || time.Now().After(deadline) {
			break
		}
	}
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Wait()
	lines := func() int {
		data, _ := os.ReadFile(out)
		return bytes.Count(data, []byte("\n"))
	}
	first := lines()
	if code := cmd.ProcessState.ExitCode(); code != 1 || first < 1 || first >= len(files) ||
		!strings.Contains(errs.String(), "the same command continues") {
		t.Fatalf("Ctrl-C: exit %d, %d lines, %s", code, first, errs.String())
	}
	half, err := os.OpenFile(out, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := half.WriteString(`{"file":"photos/photo-1`); err != nil {
		t.Fatal(err)
	}
	half.Close()
	code, _, text := call(t, program(dir, args...))
	if code != 0 || !strings.Contains(text, fmt.Sprintf("%d of %d images have a caption", first, len(files))) {
		t.Fatalf("again: exit %d, %s", code, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		var read jsonLine
		if err := json.Unmarshal([]byte(line), &read); err != nil || read.Caption == "" || len(read.Words) == 0 ||
			read.LogProb >= 0 || read.Probability <= 0 {
			t.Fatalf("%v in %s", err, line)
		}
		got = append(got, filepath.Join(dir, read.File))
	}
	if !slices.Equal(got, files) {
		t.Errorf("%d captions of %d images, or another order", len(got), len(files))
	}
	if code, _, text := call(t, program(dir, append(args, "--beam", "3")...)); code != 1 ||
		!strings.Contains(text, "beam 1 instead of 3") {
		t.Errorf("other options: exit %d, %s", code, text)
	}
}
