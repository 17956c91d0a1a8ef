package experiment

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCurveKeepsRecordedBytes reads a recorded curve and writes it again: the format of curve.csv must not change.
func TestCurveKeepsRecordedBytes(t *testing.T) {
	recorded := filepath.Join("..", "..", "results", "flickr8k", "baseline", "seed-1")
	points, err := ReadCurve(recorded)
	if err != nil {
		t.Fatal(err)
	}
	first := points[0]
	ordered := first.Val.Token > first.Val.Padded && first.Val.Padded > 0 && first.Seconds > 0
	if len(points) != 9 || first.Epoch != 1 || first.LearningRate != 5e-4 || !ordered {
		t.Errorf("%d points, the first is %+v", len(points), first)
	}
	dir := t.TempDir()
	if err := WriteCurve(dir, points); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(recorded, CurveFile))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, CurveFile))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the curve became\n%swant\n%s", got, want)
	}
}

func TestDamagedCurvesAreNamed(t *testing.T) {
	const head = "epoch,train_loss,val_loss_token,val_loss_padded,learning_rate,seconds\n"
	for name, c := range map[string]struct{ text, want string }{
		"short row":       {"epoch,train_loss\n1,2\n", "row 2: 2 columns, want 6"},
		"word":            {head + "1,2,x,3,0.1,4\n", "row 2: column val_loss_token"},
		"fraction epoch":  {head + "1.5,2,2,3,0.1,4\n", "row 2: column epoch"},
		"unequal columns": {head + "1,2\n", "wrong number of fields"},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, CurveFile)
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := ReadCurve(dir)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one with %q and the path", name, err, c.want)
		}
	}
	if _, err := ReadCurve(t.TempDir()); !os.IsNotExist(err) {
		t.Errorf("a missing curve: %v", err)
	}
}
