package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// errRefused is an error that another attempt cannot change.
type errRefused struct{ error }

// errRestarted means that the partial file was unusable and has been deleted.
type errRestarted struct{ error }

// errSilent means that a connection delivered nothing for too long.
var errSilent = errors.New("the server sends nothing")

// download fetches the file into part, resuming if part has usable data. It reports whether it resumed.
func download(ctx context.Context, f File, part string, o Options) (resumed bool, err error) {
	failures, restarts, pause := 0, 0, o.Pause
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
			return false, fmt.Errorf("stopped after %s: fetch again to resume", Bytes(sizeOf(part)))
		}
		var restarted errRestarted
		if errors.As(err, &restarted) {
			if restarts++; restarts >= o.Attempts {
				return false, fmt.Errorf("%w; it was tried %d times: fetch again later, or download the file by hand",
					err, restarts)
			}
		}
		if sizeOf(part) > before {
			failures, pause = 0, o.Pause
		}
		if failures++; failures >= o.Attempts {
			return false, fmt.Errorf("%w; %d attempts in a row delivered nothing; %s are on disk: "+
				"fetch again to resume", err, failures, Bytes(sizeOf(part)))
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// attempt makes one request for the missing bytes and appends the response to part.
func attempt(ctx context.Context, f File, part string, o Options) (resumed bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL, nil)
	if err != nil {
		return false, errRefused{err}
	}
	request.Header.Set("Accept-Encoding", "identity") // a compressed body could not be resumed
	have := resumable(f, part, request)
	watch := time.AfterFunc(o.Silence, func() { cancel(errSilent) })
	defer watch.Stop()
	response, err := client(f, o).Do(request)
	if err != nil {
		return false, because(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusRequestedRangeNotSatisfiable &&
		response.Header.Get("Content-Range") == fmt.Sprintf("bytes */%d", have) {
		return true, nil // part is complete
	}
	t := transfer{file: f, part: part, watch: watch, options: o}
	if t.have, t.total, err = offered(response, have, part); err != nil {
		return false, err
	}
	if t.total > t.limit() && t.limit() > 0 {
		return false, errRefused{fmt.Errorf("the server announces %s instead of %s: this is another file",
			Bytes(t.total), Bytes(f.Size))}
	}
	if err := writeNote(part, note{f.URL, validator(response.Header)}); err != nil {
		return false, errRefused{err}
	}
	return t.have > 0, t.receive(ctx, response.Body)
}

// resumable returns how many bytes of part can be kept, and adds the headers that ask for the rest.
func resumable(f File, part string, request *http.Request) int64 {
	var known note
	have := sizeOf(part)
	if have == 0 || readNote(part, &known) != nil || known.URL != f.URL || known.Validator == "" {
		return 0
	}
	request.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	request.Header.Set("If-Range", known.Validator)
	return have
}

// offered returns the offset at which the response's body starts and the size of the whole file, 0 or less if
// unknown. It deletes part and fails if the response does not continue it.
func offered(response *http.Response, have int64, part string) (start, total int64, err error) {
	switch response.StatusCode {
	case http.StatusOK:
		return 0, response.ContentLength, nil
	case http.StatusPartialContent:
		text := response.Header.Get("Content-Range")
		from, whole, err := contentRange(text)
		if err != nil || from != have {
			wrong := fmt.Errorf("the server sends range %q, but the request starts at byte %d; restarted", text, have)
			return 0, 0, errRestarted{errors.Join(wrong, os.Remove(part))}
		}
		return have, whole, nil
	case http.StatusRequestedRangeNotSatisfiable:
		shorter := errors.New("the server's file is shorter than the partial download; restarted")
		return 0, 0, errRestarted{errors.Join(shorter, os.Remove(part))}
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return 0, 0, fmt.Errorf("the server answers %s", response.Status)
	}
	return 0, 0, errRefused{fmt.Errorf("the server answers %s: the file may have moved; look at the publisher's page "+
		"and download it by hand", response.Status)}
}

// transfer is the download of a file's missing bytes over one connection.
type transfer struct {
	file        File
	part        string
	have, total int64       // bytes in part at the start, and of the whole file, 0 or less if unknown
	watch       *time.Timer // cancels the request unless it is reset
	options     Options
}

// limit returns how many bytes the file may have at most; 0 means no limit.
func (t transfer) limit() int64 { return 2 * t.file.Size }

// receive writes body to part from byte t.have on.
func (t transfer) receive(ctx context.Context, body io.Reader) (err error) {
	flags := os.O_CREATE | os.O_WRONLY
	if t.have == 0 {
		flags |= os.O_TRUNC
	}
	out, err := os.OpenFile(t.part, flags, 0o644)
	if err != nil {
		return errRefused{err}
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := out.Seek(t.have, io.SeekStart); err != nil {
		return errRefused{err}
	}
	progress, done := newMeter(t.file, "fetching", t.have, t.total), t.have
	buffer := make([]byte, 256<<10)
	for {
		n, err := body.Read(buffer)
		t.watch.Reset(t.options.Silence)
		if n > 0 {
			if _, err := out.Write(buffer[:n]); err != nil {
				return errRefused{fmt.Errorf("%w; %s are on disk: make room and fetch again to resume",
					err, Bytes(done))}
			}
			done += int64(n)
			if t.limit() > 0 && done > t.limit() {
				return errRefused{fmt.Errorf("the server has sent %s and continues, although the file has %s: "+
					"this is another file", Bytes(done), Bytes(t.file.Size))}
			}
			t.options.Progress(progress.at(done))
		}
		switch {
		case err == io.EOF && t.total > 0 && done < t.total:
			return fmt.Errorf("the connection ended after %s of %s", Bytes(done), Bytes(t.total))
		case err == io.EOF:
			return nil
		case err != nil:
			return because(ctx, err)
		}
	}
}

// because returns the reason for which a request was cancelled, if known, instead of the error that resulted.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errSilent) {
		return cause
	}
	return err
}
