package lease

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// brief makes a silent lease stale within the time of a test.
const brief = 240 * time.Millisecond

func take(t *testing.T, dir string, o Options) *Lease {
	t.Helper()
	l, err := Take(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// silent takes a lease that is never renewed, as if its holder had died.
func silent(t *testing.T, dir string, o Options) *Lease {
	t.Helper()
	l := take(t, dir, o)
	close(l.end)
	l.done.Wait()
	l.end = make(chan struct{})
	return l
}

func TestALeaseIsHeldUntilItIsReleased(t *testing.T) {
	dir := t.TempDir()
	first := take(t, dir, Options{Stale: brief, Host: "a"})
	for range 4 { // longer than it takes to become stale: it is renewed
		time.Sleep(brief / 3)
		_, err := Take(dir, Options{Stale: brief, Host: "b"})
		if !errors.Is(err, ErrHeld) || !strings.Contains(err.Error(), "on a") {
			t.Fatalf("a second one got %v, want ErrHeld", err)
		}
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	second := take(t, dir, Options{Stale: brief, Host: "b"})
	if err := second.Release(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("the folder holds %v, want the newest lease", left)
	}
}

func TestASilentLeaseIsTakenOver(t *testing.T) {
	dir := t.TempDir()
	dead := silent(t, dir, Options{Stale: brief, Host: "a"})
	if _, err := Take(dir, Options{Stale: brief, Host: "b"}); !errors.Is(err, ErrHeld) {
		t.Fatalf("before it is stale: %v, want ErrHeld", err)
	}
	time.Sleep(brief + 20*time.Millisecond)
	heir := take(t, dir, Options{Stale: brief, Host: "b"})
	defer heir.Release()
	if err := dead.Check(); !errors.Is(err, ErrLost) {
		t.Errorf("the former holder got %v, want ErrLost", err)
	}
	select {
	case <-dead.Lost():
	default:
		t.Error("the former holder was not told")
	}
	if err := dead.Release(); !errors.Is(err, ErrLost) {
		t.Errorf("releasing a lost lease: %v, want ErrLost", err)
	}
	if err := heir.Check(); err != nil {
		t.Errorf("the heir: %v", err)
	}
}

func TestALeaseOfThisHostIsTakenOverAtOnceIfTheCallerIsAlone(t *testing.T) {
	dir := t.TempDir()
	silent(t, dir, Options{Host: "a"})
	if _, err := Take(dir, Options{Host: "b", Alone: true}); !errors.Is(err, ErrHeld) {
		t.Errorf("from another host: %v, want ErrHeld", err)
	}
	if _, err := Take(dir, Options{Host: "a"}); !errors.Is(err, ErrHeld) {
		t.Errorf("not alone: %v, want ErrHeld", err)
	}
	take(t, dir, Options{Host: "a", Alone: true}).Release()
}

// Of many that take over a stale lease at the same moment, one succeeds.
func TestOneOfManyTakesOver(t *testing.T) {
	dir := t.TempDir()
	silent(t, dir, Options{Stale: brief, Host: "a"})
	time.Sleep(brief + 20*time.Millisecond)
	var taken, refused atomic.Int32
	done := make(chan *Lease)
	for range 8 {
		go func() {
			l, err := Take(dir, Options{Stale: brief, Host: "b"})
			switch {
			case err == nil:
				taken.Add(1)
			case errors.Is(err, ErrHeld):
				refused.Add(1)
			default:
				t.Error(err)
			}
			done <- l
		}()
	}
	var winner *Lease
	for range 8 {
		if l := <-done; l != nil {
			winner = l
		}
	}
	if taken.Load() != 1 || refused.Load() != 7 {
		t.Fatalf("%d took the lease, %d were refused, want 1 and 7", taken.Load(), refused.Load())
	}
	winner.Release()
}

func TestADamagedLeaseIsNamed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, ".lease-00000001.json")
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Take(dir, Options{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v, want an error that names %s", err, path)
	}
	if _, err := Take(filepath.Join(dir, "nosuch"), Options{}); err == nil {
		t.Error("a folder that does not exist was leased")
	}
}
