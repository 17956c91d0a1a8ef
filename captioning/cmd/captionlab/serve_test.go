package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"captionlab/captioning/pretrained"
	"captionlab/captioning/xla/xlatest"
)

// TestServe starts the server, captions a photograph and ends the server by SIGTERM.
func TestServe(t *testing.T) {
	xlatest.OpenForTest(t)
	cmd := program(t.TempDir(), "serve", "--addr", "127.0.0.1:0")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	line, err := bufio.NewReader(out).ReadString('\n')
	url, _, ok := strings.Cut(line, " ")
	if err != nil || !ok {
		t.Fatalf("%q, error %v, %s", line, err, errs.String())
	}
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		answer, err := http.Get(url + "/readyz")
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Since(begun) > 2*time.Minute {
			t.Fatalf("not ready: %v", err)
		}
	}
	photo, err := pretrained.Photographs.ReadFile("photographs/camera.jpg")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Post(url+"/api/caption?candidates=2", "image/jpeg", bytes.NewReader(photo))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var captions struct {
		Images []struct {
			Candidates []struct{ Caption string }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&captions); err != nil || len(captions.Images) != 1 ||
		len(captions.Images[0].Candidates) != 2 || len(strings.Fields(captions.Images[0].Candidates[1].Caption)) < 2 {
		t.Errorf("status %d, error %v, %+v", answer.StatusCode, err, captions)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || errs.Len() > 0 {
		t.Errorf("after SIGTERM: %v, %s", err, errs.String())
	}
}

func TestServeRefuses(t *testing.T) {
	used, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer used.Close()
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"serve a b", 2, "at most one"},
		{"serve --addr 8080", 2, "write it as HOST:PORT"},
		{"serve --addr 0.0.0.0:0", 2, "set a --token, or say --insecure"},
		{"serve --addr :0", 2, "lets other machines in"},
		{"serve --addr " + used.Addr().String(), 1, "choose another address with --addr"},
	} {
		code, out, errs := call(t, program(t.TempDir(), strings.Fields(c.args)...))
		if code != c.code || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%s: exit %d, %s%s; want %d and %q", c.args, code, out, errs, c.code, c.want)
		}
	}
}
