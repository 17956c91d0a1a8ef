package captioning

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"

	"github.com/gofrs/flock"

	"captionlab/captioning/internal/lease"
)

// takeFolder makes this process the only one that works in the run folder. It returns ErrInUse if another one does.
func (r *trainRun) takeFolder() error {
	r.lock = flock.New(filepath.Join(r.Dir, ".lock"))
	locked, err := r.lock.TryLock()
	unknown := noLocks(err)
	switch {
	case err != nil && !unknown:
		return fmt.Errorf("run folder %s cannot be locked: %w", r.Dir, err)
	case !locked && !unknown:
		return fmt.Errorf("run folder %s is %w: wait for it, or choose another folder", r.Dir, ErrInUse)
	}
	r.lease, err = lease.Take(r.Dir, lease.Options{Stale: r.Lease, Alone: locked})
	if err != nil {
		r.lock.Unlock()
	}
	if errors.Is(err, lease.ErrHeld) {
		return fmt.Errorf("run folder %s is %w (%w): wait for it, or choose another folder", r.Dir, ErrInUse, err)
	}
	if err != nil {
		return fmt.Errorf("run folder %s: %w", r.Dir, err)
	}
	return nil
}

// noLocks reports whether a file system has no file locks. Only leases exclude other processes there.
func noLocks(err error) bool {
	return errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.ENOLCK) || errors.Is(err, syscall.EOPNOTSUPP)
}

// leaveFolder lets other processes work in the run folder. A lease that is not released is taken over when it is stale.
func (r *trainRun) leaveFolder() {
	_ = r.lease.Release()
	r.lock.Unlock()
}

// whileLeased returns a context that ends when the lease is lost.
func (r *trainRun) whileLeased(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-r.lease.Lost():
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// stillLeased returns an error if another process has taken over the run folder, which then must not be written to.
func (r *trainRun) stillLeased() error {
	if err := r.lease.Check(); err != nil {
		return fmt.Errorf("run folder %s is %w now: %w, because this one gave no sign of life for too long", r.Dir,
			ErrInUse, err)
	}
	return nil
}
