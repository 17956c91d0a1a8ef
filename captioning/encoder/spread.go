package encoder

import (
	"context"
	"fmt"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
)

// Spread makes EncodeImages, and what uses it, encode on the first so many of the backend's devices: each device holds
// the weights, and takes the next batch when it is done with one. The features are those of one device. Spread fails if
// the backend has fewer devices.
func (e *Encoder) Spread(backend compute.Backend, devices int) error {
	if have := int(backend.NumDevices()); devices < 1 || devices > have {
		return fmt.Errorf("encoder %s on %d devices: the backend %s has %d", e.spec.Name, devices, backend.Name(), have)
	}
	for d := 1 + len(e.others); d < devices; d++ {
		other := &Encoder{spec: e.spec, identity: e.identity, exec: e.exec, device: compute.DeviceNum(d)}
		for _, w := range e.arrays {
			own, err := w.(*tensors.Tensor).LocalClone()
			if err != nil {
				return fmt.Errorf("encoder %s on device %d: %w", e.spec.Name, d, err)
			}
			other.arrays = append(other.arrays, own)
		}
		e.others = append(e.others, other)
	}
	return nil
}

// encoding is a batch on its way through one of the devices.
type encoding struct {
	images []*Pixels
	size   int   // the number of images that the network takes
	places []int // of the images
	// unreadable counts the images since the batch before that could not be read.
	unreadable int
}

// encodings runs batches on all devices of an encoder.
type encodings struct {
	queue   chan encoding
	failed  context.Context // done after the first error
	stop    context.CancelCauseFunc
	running sync.WaitGroup
}

// begin starts a goroutine for each device. Take is called with the features of each batch, by one goroutine at a time.
func (e *Encoder) begin(ctx context.Context, take func(b encoding, features []float32)) *encodings {
	r := &encodings{queue: make(chan encoding)}
	r.failed, r.stop = context.WithCancelCause(ctx)
	var lock sync.Mutex
	for _, one := range append([]*Encoder{e}, e.others...) {
		r.running.Go(func() {
			for b := range r.queue {
				if r.failed.Err() != nil {
					continue
				}
				var out []float32
				if len(b.images) > 0 {
					var err error
					if out, err = one.encodeBatch(b.images, b.size); err != nil {
						r.stop(err)
						continue
					}
				}
				lock.Lock()
				take(b, out)
				lock.Unlock()
			}
		})
	}
	return r
}

// end waits for all batches and returns the first error, or that of the context.
func (r *encodings) end() error {
	close(r.queue)
	r.running.Wait()
	err := context.Cause(r.failed)
	r.stop(nil)
	return err
}
