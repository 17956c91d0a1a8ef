package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const serveRequests, serveClients = 2000, 32

// benchServe sends 2,000 requests of one image each from 32 clients to captionlab serve, and compares its rate with
// that of the encoder alone. It fails if a request is lost.
func benchServe(b *bench) error {
	const files, small = 320, "efficientnet-lite0"
	folder := filepath.Join(b.dir, "images")
	mean, err := writeImages(folder, drawn{n: files, width: 640, height: 480})
	if err != nil {
		return err
	}
	b.record.Data = fmt.Sprintf("%d requests from %d clients on loopback, each with one of %d generated 640 x 480 "+
		"JPEGs of %.0f kB, made unknown to the server by a number after its end", serveRequests, serveClients, files,
		mean/1000)
	program, err := b.build()
	if err != nil {
		return err
	}
	images, err := contents(folder)
	if err != nil {
		return err
	}
	for range b.rounds {
		var alone throughput
		if _, err := b.worker(&alone, "images", small, "-", folder, strconv.Itoa(files)); err != nil {
			return err
		}
		b.record.add("the encoder alone, from JPEG", "pictures/s", alone.FromFiles)
		b.record.add("the encoder alone, decoded already", "pictures/s", alone.Alone)
		rate, err := b.load(program, images)
		if err != nil {
			return err
		}
		b.record.add("serve", "pictures/s", rate)
		b.record.add("serve / the encoder alone, from JPEG", "", rate/alone.FromFiles)
		b.record.add("serve / the encoder alone, decoded already", "", rate/alone.Alone)
	}
	const ratio = "serve / the encoder alone, "
	b.record.compare(ratio+"from JPEG", b.record.median(ratio+"from JPEG"), 0.85)
	b.record.compare(ratio+"decoded already", b.record.median(ratio+"decoded already"), 0)
	b.record.compare("memory after half of the requests / at the end",
		b.record.median("memory after half of the requests")/b.record.median("memory at the end"), 0.95)
	b.record.Notes = append(b.record.Notes, "The model that comes with captionlab, greedy captions with the "+
		"probabilities of their words. The clients share the two cores with the server.",
		"Every request was answered with status 200 and a caption.")
	return nil
}

// contents reads the files of a folder.
func contents(folder string) (all [][]byte, err error) {
	names, err := filesIn(folder)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// load starts the server, sends all requests, records latency and memory, and returns the images per second.
func (b *bench) load(program string, images [][]byte) (rate float64, err error) {
	cmd := exec.Command(program, "serve", "--addr", "127.0.0.1:0")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		cmd.Process.Signal(syscall.SIGTERM)
		err = errors.Join(err, cmd.Wait())
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return 0, err
	}
	url, _, _ := strings.Cut(line, " ")
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if answer, err := http.Get(url + "/readyz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				break
			}
		}
		if time.Since(begun) > 2*time.Minute {
			return 0, errors.New("the server does not become ready")
		}
	}
	if _, err := b.send(url, images, 4*serveClients, nil); err != nil { // compiles the programs of all batch sizes
		return 0, err
	}
	var memory error
	resident := func(when string) {
		mb, err := statusMB(strconv.Itoa(cmd.Process.Pid), "VmRSS:")
		memory = errors.Join(memory, err)
		b.record.add("memory "+when, "MB", mb)
	}
	begun := time.Now()
	latencies, err := b.send(url, images, serveRequests, func() { resident("after half of the requests") })
	if err != nil {
		return 0, err
	}
	rate = serveRequests / time.Since(begun).Seconds()
	resident("at the end")
	slices.Sort(latencies)
	b.record.add("latency, median", "ms", 1000*latencies[len(latencies)/2])
	b.record.add("latency, 95 % are below", "ms", 1000*latencies[len(latencies)*95/100])
	return rate, memory
}

// sent counts the requests of this process, so that no two send the same bytes.
var sent atomic.Int64

// send sends n requests from serveClients clients and returns the seconds that each took. It calls half, unless that
// is nil, after half of them.
func (b *bench) send(url string, images [][]byte, n int, half func()) ([]float64, error) {
	var next, done atomic.Int64
	latencies, errs := make([]float64, n), make([]error, serveClients)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: serveClients}}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var all sync.WaitGroup
	for c := range serveClients {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				body := strconv.AppendInt(slices.Clone(images[i%len(images)]), sent.Add(1), 10)
				begun := time.Now()
				if errs[c] = captionOf(client, url, body); errs[c] != nil {
					cancel()
					return
				}
				latencies[i] = time.Since(begun).Seconds()
				if int(done.Add(1)) == n/2 && half != nil {
					half()
				}
			}
		})
	}
	all.Wait()
	return latencies, errors.Join(errs...)
}

// captionOf requests a caption and fails unless there is one.
func captionOf(client *http.Client, url string, image []byte) error {
	answer, err := client.Post(url+"/api/caption", "image/jpeg", bytes.NewReader(image))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var captions struct {
		Images []struct {
			Candidates []struct{ Caption string }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&captions); err != nil {
		return fmt.Errorf("status %d: %w", answer.StatusCode, err)
	}
	if answer.StatusCode != http.StatusOK || len(captions.Images) != 1 || len(captions.Images[0].Candidates) != 1 ||
		captions.Images[0].Candidates[0].Caption == "" {
		return fmt.Errorf("status %d, %+v", answer.StatusCode, captions)
	}
	return nil
}
