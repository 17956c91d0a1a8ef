package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"captionlab/captioning/xla/xlatest"
)

// playMain makes the test binary the program itself.
const playMain = "CAPTIONLAB_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(playMain) != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func program(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), playMain+"=1")
	return cmd
}

// call runs the program and returns its exit status, standard output and standard error.
func call(t *testing.T, cmd *exec.Cmd) (int, string, string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

func TestWrongCalls(t *testing.T) {
	xlatest.OpenForTest(t)
	dir := t.TempDir()
	text := filepath.Join(dir, "text.jpg")
	if err := os.WriteFile(text, []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	recorded := filepath.Join(dir, "recorded")
	if err := os.Mkdir(recorded, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(recorded, "readouts.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"train --out " + recorded, 1, "choose another folder"},
		{"nosuch", 2, `unknown command "nosuch"`},
		{"train --nosuch", 2, "--nosuch"},
		{"train extra", 2, "1 arguments given"},
		{"train --experiment nosuch", 2, "the experiments are"},
		{"train --set hiden=3", 2, `unknown setting "hiden": the settings are`},
		{"train --set hidden=0", 2, "hidden=0: use a value from 1"},
		{"train --set hidden", 2, "name=value"},
		{"train --dataset nosuch", 2, "the datasets are"},
		{"train --encoder nosuch", 2, "resnet50"},
		{"train --encoder resnet50", 1, "--weights"},
		{"train --dataset flickr8k --data " + dir, 1, dir},
		{"train --dataset flickr8k --data " + text, 1, text},
		{"features --encoder resnet50 --weights " + text, 1, text},
		{"evaluate", 2, "the folder of a run"},
		{"evaluate " + dir, 1, dir + " is not the folder of a trained run"},
		{"evaluate x --split middle", 2, "middle"},
		{"evaluate x --protocol middle", 2, "coco or pa4"},
		{"reproduce extra", 2, "1 arguments given"},
		{"reproduce --only nosuch", 2, "they are baseline"},
		{"reproduce --only [", 2, "syntax error in pattern"},
		{"reproduce --seeds one", 2, "one"},
		{"reproduce --dataset nosuch", 2, "the datasets are"},
		{"report --root " + dir, 1, "root of the repository"},
		{"report --check --root " + dir, 1, "root of the repository"},
		{"caption x", 2, "at least one picture"},
		{"caption x y.jpg --beam 3 --temperature 1", 2, "exclude each other"},
		{"caption x y.jpg --temperature -1", 2, "temperature -1"},
		{"caption " + dir + " y.jpg", 1, dir + " is not the folder of a trained run"},
	} {
		t.Run(c.args, func(t *testing.T) {
			cmd := program(dir, strings.Fields(c.args)...)
			cmd.Env = append(cmd.Env, "CAPTIONLAB_DATA=")
			code, out, errs := call(t, cmd)
			if code != c.code || !strings.Contains(errs, c.want) || out != "" {
				t.Errorf("exit %d, standard error %q, standard output %q; want exit %d and %q", code, errs, out, c.code,
					c.want)
			}
			if strings.Contains(errs, "goroutine") {
				t.Errorf("a panic: %s", errs)
			}
		})
	}
}

func TestDryRunShowsThePlanAndLeavesNothing(t *testing.T) {
	xlatest.OpenForTest(t)
	dir := t.TempDir()
	code, out, errs := call(t, program(dir, "reproduce", "--only", "lr-*,baseline", "--seeds", "4,5", "--dry-run"))
	if code != 0 || !strings.Contains(out, "lr-5e-3/seed-4") || !strings.Contains(out, "baseline/seed-5") ||
		strings.Contains(out, "rnn") {
		t.Errorf("exit %d, standard error %q, plan:\n%s", code, errs, out)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("a dry run left %v (%v)", left, err)
	}
}

func TestEveryCommandShowsAnExample(t *testing.T) {
	for _, c := range newRootCommand().Commands() {
		if c.Name() != "help" && c.Name() != "completion" && (c.Example == "" || c.Short == "") {
			t.Errorf("command %s has no example or no description", c.Name())
		}
	}
	code, out, _ := call(t, program(t.TempDir(), "train", "--help"))
	if code != 0 || !strings.Contains(out, "captionlab train --dataset shapes") {
		t.Errorf("exit %d, help %q", code, out)
	}
}

func TestDamagedFeaturesAndHostileWeights(t *testing.T) {
	xlatest.OpenForTest(t)
	dir := t.TempDir()
	hostile := filepath.Join(dir, "hostile.pth") // pickle: call os.system("touch harmed")
	if err := os.WriteFile(hostile, []byte("\x80\x02cos\nsystem\nX\x0c\x00\x00\x00touch harmed\x85R."), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, errs := call(t, program(dir, "features", "--encoder", "resnet50", "--weights", hostile))
	if code != 1 || !strings.Contains(errs, hostile) {
		t.Errorf("exit %d, %s", code, errs)
	}
	if _, err := os.Stat(filepath.Join(dir, "harmed")); err == nil {
		t.Error("the weights file ran a command")
	}
}

// TestTrainStopResumeCaption goes the whole way on the embedded dataset: training is interrupted by Ctrl-C, goes on,
// and the trained run captions pictures of every kind.
func TestTrainStopResumeCaption(t *testing.T) {
	xlatest.OpenForTest(t)
	dir := t.TempDir()
	args := strings.Fields(
		"train --dataset shapes --out run --set epochs=2 --set hidden=64 --set embedding=32 --set learning_rate=5e-3 --set min_count=1",
	)
	cmd := program(dir, args...)
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, last, sent := bufio.NewScanner(errs), "", false
	for lines.Scan() {
		last = lines.Text()
		if strings.HasPrefix(last, "epoch 1 ") && !sent {
			sent = true // a second one would end the program at once
			cmd.Process.Signal(syscall.SIGINT)
		}
	}
	cmd.Wait()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(last, "--resume") ||
		!strings.Contains(last, "run folder run") {
		t.Fatalf("after Ctrl-C: %v, last line %q", cmd.ProcessState, last)
	}
	if code, _, errs := call(t, program(dir, args...)); code != 1 || !strings.Contains(errs, "--resume") {
		t.Fatalf("started again without --resume: exit %d, %s", code, errs)
	}
	code, out, errors := call(t, program(dir, append(args, "--resume")...))
	if code != 0 || !strings.Contains(out, "BLEU-4") {
		t.Fatalf("resumed: exit %d, %s%s", code, out, errors)
	}
	for _, record := range []string{"run.json", "metrics.json", "curve.csv", "captions_test.json"} {
		if _, err := os.Stat(filepath.Join(dir, "run", record)); err != nil {
			t.Error(err)
		}
	}
	code, again, _ := call(t, program(dir, "evaluate", "run"))
	if code != 0 || again != out {
		t.Errorf("evaluate: exit %d, printed\n%swhere train printed\n%s", code, again, out)
	}
	captionFiles(t, dir)
}

// captionFiles captions a JPEG, a PNG and a WebP with the run in dir, a missing file and a text file among them.
func captionFiles(t *testing.T, dir string) {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, 300, 200))
	for i := range 300 * 200 {
		picture.Set(i%300, i/300, color.RGBA{uint8(i), 120, uint8(i / 300), 255})
	}
	var asJPEG, asPNG bytes.Buffer
	if err := errors.Join(jpeg.Encode(&asJPEG, picture, nil), png.Encode(&asPNG, picture)); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"a.jpg": asJPEG.Bytes(), "b.png": asPNG.Bytes(), "c.webp": tinyWebP, "d.jpg": []byte("text"), "e.jpg": asJPEG.Bytes()[:700]} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := call(t,
		program(dir, "caption", "run", "a.jpg", "b.png", "c.webp", "d.jpg", "e.jpg", "missing.jpg", "--json"))
	var rows []struct {
		ID      string `json:"image_id"`
		Caption string
	}
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	if code != 1 || len(rows) != 3 {
		t.Errorf("exit %d, captions %+v; want 1, because of the bad files, and 3", code, rows)
	}
	for i, name := range []string{"a.jpg", "b.png", "c.webp"} {
		if i < len(rows) && (rows[i].ID != name || rows[i].Caption == "") {
			t.Errorf("caption %d is %+v, want one for %s", i, rows[i], name)
		}
	}
	for _, name := range []string{"d.jpg", "e.jpg", "missing.jpg"} {
		if !strings.Contains(errs, name) {
			t.Errorf("standard error %q does not name %s", errs, name)
		}
	}
	// The folder itself: pictures, text, checkpoints, hidden files, links to a picture, to nothing, and to the folder.
	for link, target := range map[string]string{"linked.jpg": "a.jpg", "nowhere.jpg": "nothing", "loop": "."} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".hidden.jpg"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errs = call(t, program(dir, "caption", "run", ".", "--json"))
	if err := json.Unmarshal([]byte(out), &rows); err != nil || code != 1 || len(rows) != 4 ||
		rows[3].ID != "linked.jpg" {
		t.Errorf("a folder: exit %d, %v, captions %+v", code, err, rows)
	}
	for _, want := range []string{"files have no caption", "d.jpg", "nowhere.jpg", filepath.Join("run", "run.json")} {
		if !strings.Contains(errs, want) {
			t.Errorf("standard error %q does not say %s", errs, want)
		}
	}
	if strings.Contains(errs, ".hidden") {
		t.Error("a hidden file was taken")
	}
	if code, _, errs := call(t, program(dir, "caption", "run", t.TempDir())); code != 1 ||
		!strings.Contains(errs, "holds no file") {
		t.Errorf("an empty folder: exit %d, %s", code, errs)
	}
	if code, out, errs := call(t, program(dir, "caption", "run", "a.jpg")); code != 0 || len(strings.Fields(out)) == 0 {
		t.Errorf("one picture: exit %d, %q, %s", code, out, errs)
	}
}

// tinyWebP is a lossless picture of 2x2 pixels, written by Pillow 12.
var tinyWebP = []byte(
	"\x52\x49\x46\x46\x1e\x00\x00\x00\x57\x45\x42\x50\x56\x50\x38\x4c\x11\x00\x00\x00\x2f\x01\x40\x00\x00\x07\x50\x8f\x22\x17\xa5\xff\x81\x88\xe8\x7f\x00\x00",
)

func TestScoreAndTokenize(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"refs.json":    `{"annotations":[{"image_id":1,"caption":"A dog runs on the beach."},{"image_id":1,"caption":"A dog."},{"image_id":2,"caption":"Two men play."}]}`,
		"caps.json":    `[{"image_id":1,"caption":"a dog runs"},{"image_id":2,"caption":"two men"}]`,
		"other.json":   `[{"image_id":1,"caption":"a cat"},{"image_id":2,"caption":"two men play"}]`,
		"missing.json": `[{"image_id":2,"caption":"two men"}]`,
		"unknown.json": `[{"image_id":1,"caption":"a"},{"image_id":2,"caption":"b"},{"image_id":7,"caption":"c"}]`,
		"null.json":    `[{"image_id":1,"caption":null}]`,
		"half.json":    `[{"image_id":1,"capt`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args string
		code int
		out  string // in standard output, or standard error where it fails
	}{
		{"--references refs.json --captions caps.json", 0, "BLEU-1"},
		{"--references refs.json --captions caps.json --protocol pa4", 0, "BLEU-4 individual"},
		{"--references refs.json --captions caps.json --bootstrap 50", 0, "95 % interval"},
		{"--references refs.json --captions caps.json --compare other.json", 0, "p = "},
		{"--references refs.json --captions caps.json --explain 1", 0, "in reference 1, 2"},
		{"--references refs.json --captions caps.json --explain 5", 1, "caps.json has no caption of image 5"},
		{"--references refs.json --captions missing.json", 1, "image 1 has references but no caption"},
		{"--references refs.json --captions missing.json --allow-missing", 0, "left out: 1 pictures without a caption, 0 captions without references"},
		{"--references refs.json --captions unknown.json", 1, "image 7 has a caption but no references"},
		{"--references refs.json --captions null.json", 1, "null.json: entry 0 (image 1) has no caption"},
		{"--references refs.json --captions half.json", 1, "half.json:1: unexpected end"},
		{"--references refs.json --captions nosuch.json", 1, "nosuch.json"},
		{"--references refs.json", 2, "--captions"},
		{"--references refs.json --captions caps.json --protocol bleu", 2, "coco or pa4"},
		{"--references refs.json --captions caps.json --tokens nosuch", 2, "ptb, treebank, whitespace"},
	} {
		t.Run(c.args, func(t *testing.T) {
			code, out, errs := call(t, program(dir, append([]string{"score"}, strings.Fields(c.args)...)...))
			if code != 0 {
				out = errs
			}
			if code != c.code || !strings.Contains(out, c.out) {
				t.Errorf("exit %d, %s%s; want exit %d and %q", code, out, errs, c.code, c.out)
			}
		})
	}
	var report struct {
		Coco struct {
			BLEU   []float64
			Images []struct {
				ID int `json:"image_id"`
			}
		}
	}
	_, out, _ := call(t, program(dir, "score", "--references", "refs.json", "--captions", "caps.json", "--json"))
	if err := json.Unmarshal([]byte(out), &report); err != nil || len(report.Coco.BLEU) != 4 ||
		len(report.Coco.Images) != 2 ||
		report.Coco.Images[1].ID != 2 {
		t.Errorf("%v in %s", err, out)
	}
	cmd := program(dir, "tokenize")
	cmd.Stdin = strings.NewReader("A man's dog.\n\nLast (line)")
	if code, out, errs := call(t, cmd); code != 0 || out != "a man 's dog\n\nlast -lrb- line -rrb-\n" {
		t.Errorf("exit %d, %q, %s", code, out, errs)
	}
	if code, _, errs := call(t, program(dir, "tokenize", "--tokens", "nosuch")); code != 2 ||
		!strings.Contains(errs, "treebank") {
		t.Errorf("exit %d, %s", code, errs)
	}
}
