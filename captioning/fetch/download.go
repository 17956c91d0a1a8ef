package fetch

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a download is called until it is whole, and the note beside it of what the server said about the file.
const (
	partSuffix = ".part"
	noteSuffix = ".json"
)

// note tells whether the server's file is still the one of which a part is here.
type note struct {
	URL       string `json:"url"`
	Validator string `json:"validator"` // ETag or Last-Modified
}

// errRefused is what no further attempt can change.
type errRefused struct{ error }

// errAnew tells that what was here had to be thrown away.
type errAnew struct{ error }

// errSilent tells that a connection brought nothing for too long.
var errSilent = errors.New("the server sends nothing")

// download fetches the file into part, going on with what is there, and tells whether it did.
func download(ctx context.Context, f File, part string, o Options) (resumed bool, err error) {
	failures, starts, pause := 0, 0, o.Pause
	for {
		before := sizeOf(part)
		again, err := attempt(ctx, f, part, o)
		resumed = resumed || again
		if err == nil {
			return resumed, nil
		}
		var refused errRefused
		if errors.As(err, &refused) {
			return false, refused.error
		}
		if ctx.Err() != nil {
			return false, fmt.Errorf("stopped with %s of it here; fetch again to go on", Bytes(sizeOf(part)))
		}
		var anew errAnew
		if errors.As(err, &anew) {
			if starts++; starts >= o.Attempts {
				return false, fmt.Errorf("%w; that was tried %d times: fetch again later, or place the file by hand", err, starts)
			}
		}
		if sizeOf(part) > before {
			failures, pause = 0, o.Pause
		}
		if failures++; failures >= o.Attempts {
			return false, fmt.Errorf("%w; %d attempts in a row brought nothing; %s of it are here, fetch again to go on", err, failures, Bytes(sizeOf(part)))
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause *= 2
	}
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// attempt makes one request, for what is missing, and writes what comes behind what is there.
func attempt(ctx context.Context, f File, part string, o Options) (resumed bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		return false, errRefused{err}
	}
	request.Header.Set("Accept-Encoding", "identity") // a packed body could not be gone on with
	var known note
	have := sizeOf(part)
	if have > 0 && readNote(part, &known) == nil && known.URL == f.URL && known.Validator != "" {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		request.Header.Set("If-Range", known.Validator)
	} else {
		have = 0
	}
	watch := time.AfterFunc(o.Silence, func() { cancel(errSilent) })
	defer watch.Stop()
	response, err := client(f, o).Do(request)
	if err != nil {
		return false, because(ctx, err)
	}
	defer response.Body.Close()
	total := response.ContentLength
	switch response.StatusCode {
	case http.StatusOK:
		have = 0
	case http.StatusPartialContent:
		from, whole, err := contentRange(response.Header.Get("Content-Range"))
		if err != nil || from != have {
			return false, errAnew{errors.Join(fmt.Errorf("the server sends %q where bytes from %d on were asked for; started anew", response.Header.Get("Content-Range"), have), os.Remove(part))}
		}
		total = whole
	case http.StatusRequestedRangeNotSatisfiable:
		if whole := response.Header.Get("Content-Range"); whole == fmt.Sprintf("bytes */%d", have) {
			return true, nil // all of it is here
		}
		return false, errAnew{errors.Join(errors.New("the server's file is shorter than what is here; started anew"), os.Remove(part))}
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false, fmt.Errorf("the server says %s", response.Status)
	default:
		return false, errRefused{fmt.Errorf("the server says %s; the file may have moved: look at the publisher's page and place it by hand", response.Status)}
	}
	limit := 2 * f.Size
	if limit > 0 && total > limit {
		return false, errRefused{fmt.Errorf("the server announces %s, the file has %s: it is another file", Bytes(total), Bytes(f.Size))}
	}
	if err := writeNote(part, note{f.URL, validator(response.Header)}); err != nil {
		return false, errRefused{err}
	}
	return have > 0, receive(ctx, f, part, response.Body, have, total, limit, o, watch)
}

// receive appends a body to part from byte have on.
func receive(ctx context.Context, f File, part string, body io.Reader, have, total, limit int64, o Options, watch *time.Timer) (err error) {
	flags := os.O_CREATE | os.O_WRONLY
	if have == 0 {
		flags |= os.O_TRUNC
	}
	out, err := os.OpenFile(part, flags, 0o644)
	if err != nil {
		return errRefused{err}
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := out.Seek(have, io.SeekStart); err != nil {
		return errRefused{err}
	}
	started, first, done := time.Now(), have, have
	buffer := make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		watch.Reset(o.Silence)
		if n > 0 {
			if _, err := out.Write(buffer[:n]); err != nil {
				return errRefused{fmt.Errorf("%w; %s of the file are here, make room and fetch again to go on", err, Bytes(done))}
			}
			done += int64(n)
			if limit > 0 && done > limit {
				return errRefused{fmt.Errorf("the server has sent %s and goes on, the file has %s: it is another file", Bytes(done), Bytes(f.Size))}
			}
			o.Progress(progress(f, "fetching", done, total, first, started))
		}
		switch {
		case err == io.EOF && total > 0 && done < total:
			return fmt.Errorf("the connection ended after %s of %s", Bytes(done), Bytes(total))
		case err == io.EOF:
			return nil
		case err != nil:
			return because(ctx, err)
		}
	}
}

func progress(f File, step string, done, total, first int64, started time.Time) Progress {
	p := Progress{File: f, Step: step, Done: done, Total: max(total, 0)}
	if seconds := time.Since(started).Seconds(); seconds > 0 {
		p.Rate = float64(done-first) / seconds
	}
	if p.Total > 0 && p.Rate > 0 {
		p.Remaining = time.Duration(float64(p.Total-done) / p.Rate * float64(time.Second))
	}
	return p
}

// because prefers the reason for which a request was ended to the one that it saw.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		return cause
	}
	return err
}

// client follows redirects to the hosts that a file names alone, and never from an encrypted address to a plain one.
func client(f File, o Options) *http.Client {
	c := http.Client{}
	if o.Client != nil {
		c = *o.Client
	}
	c.CheckRedirect = func(to *http.Request, via []*http.Request) error {
		if len(via) > 5 {
			return errRefused{errors.New("more than five redirects")}
		}
		from := via[len(via)-1].URL
		if to.URL.Scheme != "https" && (to.URL.Scheme != "http" || from.Scheme == "https") {
			return errRefused{fmt.Errorf("it redirects from %s to %s, which is not encrypted: refused", from.Scheme, to.URL.Redacted())}
		}
		if !f.allows(to.URL) {
			return errRefused{fmt.Errorf("it redirects to another host, %s: refused", to.URL.Host)}
		}
		return nil
	}
	return &c
}

// allows tells whether an address is at the file's own host or one that it may redirect to.
func (f File) allows(to *url.URL) bool {
	own, err := url.Parse(f.URL)
	if err == nil && own.Host == to.Host {
		return true
	}
	return slices.ContainsFunc(f.Hosts, func(host string) bool {
		return to.Host == host || strings.HasPrefix(host, ".") && strings.HasSuffix(to.Host, host)
	})
}

// contentRange reads "bytes FROM-TO/WHOLE".
func contentRange(text string) (from, whole int64, err error) {
	var to int64
	if _, err := fmt.Sscanf(text, "bytes %d-%d/%d", &from, &to, &whole); err != nil {
		return 0, 0, fmt.Errorf("Content-Range %s", strconv.Quote(text))
	}
	return from, whole, nil
}

// validator is what the server knows the file's present content by. A weak ETag does not vouch for single bytes.
func validator(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return h.Get("Last-Modified")
}

func readNote(part string, n *note) error {
	text, err := os.ReadFile(part + noteSuffix)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, n)
}

func writeNote(part string, n note) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return os.WriteFile(part+noteSuffix, text, 0o644)
}

// check reads a file and compares its checksum; found is the one that it has.
func check(ctx context.Context, f File, path string, o Options) (ok bool, found string, err error) {
	in, err := os.Open(path)
	if err != nil {
		return false, "", err
	}
	defer in.Close()
	var sum hash.Hash = sha256.New()
	if f.SHA256 == "" {
		sum = md5.New()
	}
	total, done, started := sizeOf(path), int64(0), time.Now()
	buffer := make([]byte, 1<<20)
	for {
		if ctx.Err() != nil {
			return false, "", fmt.Errorf("stopped while %s was checked; fetch again to go on", path)
		}
		n, err := in.Read(buffer)
		sum.Write(buffer[:n])
		done += int64(n)
		o.Progress(progress(f, "checking", done, total, 0, started))
		if err == io.EOF {
			break
		}
		if err != nil {
			return false, "", err
		}
	}
	digits := hex.EncodeToString(sum.Sum(nil))
	if f.SHA256 == "" {
		return digits == strings.ToLower(f.MD5), "MD5 " + digits, nil
	}
	return strings.HasPrefix(digits, strings.ToLower(f.SHA256)), "SHA-256 " + digits, nil
}
