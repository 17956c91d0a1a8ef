package decoder

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"captionlab/captioning/vocab"
)

// Data-parallel training: each device holds all weights and takes an equal part of every batch's captions. The sums of
// losses and gradients over the devices are those of the whole batch, up to rounding, so that the number of devices may
// change when a run resumes. Dropout draws from other random numbers on each device.

// onDevices prepares the training step for several devices of the backend.
func (t *Trainer) onDevices() error {
	n := t.options.Devices
	if have := t.backend.NumDevices(); n > have {
		return fmt.Errorf("decoder: training on %d devices: the backend %s has %d", n, t.backend.Name(), have)
	}
	mesh, err := distributed.NewDeviceMesh([]int{n}, []string{"batch"})
	if err != nil {
		return fmt.Errorf("decoder: training on %d devices: %w", n, err)
	}
	t.step.SPMD(mesh)
	return nil
}

// overDevices adds up nodes over the devices; with one device, they stay as they are.
func (t *Trainer) overDevices(nodes ...*Node) []*Node {
	if t.options.Devices < 2 {
		return nodes
	}
	return nodes[0].Graph().Distributed().AllReduce(nodes, compute.ReduceOpSum)
}

// parts cuts a batch into n parts of equally many captions, in order. What is missing in the last ones are fillers
// whose positions have no weight.
func (b *Batch) parts(m Model, n int) []*Batch {
	size := (b.Size + n - 1) / n
	out := make([]*Batch, n)
	for i := range out {
		p := &Batch{Size: size, Steps: b.Steps, Images: b.Images,
			Inputs: make([]int32, b.Steps*size), Targets: make([]int32, b.Steps*size),
			Weights: make([]float32, b.Steps*size)}
		if b.Images != nil {
			p.Rows = make([]int32, size)
		} else {
			p.Features = make([]float32, size*m.Features)
		}
		if m.Looks() {
			p.GridRows = make([]int32, size)
		}
		for row := range size {
			p.Inputs[row] = vocab.Start
		}
		for row := 0; row < size && i*size+row < b.Size; row++ {
			b.copyCaption(m, i*size+row, p, row)
		}
		if m.Looks() && len(p.Grids) == 0 {
			p.Grids = b.Grids[:1]
		}
		out[i] = p
	}
	return out
}

// copyCaption copies a caption to a row of the part p.
func (b *Batch) copyCaption(m Model, from int, p *Batch, row int) {
	if b.Images != nil {
		p.Rows[row] = b.Rows[from]
	} else {
		copy(p.Features[row*m.Features:], b.Features[from*m.Features:(from+1)*m.Features])
	}
	if m.Looks() {
		p.GridRows[row] = int32(len(p.Grids))
		p.Grids = append(p.Grids, b.Grids[b.GridRows[from]])
	}
	for t := range b.Steps {
		at, to := t*b.Size+from, t*p.Size+row
		p.Inputs[to], p.Targets[to], p.Weights[to] = b.Inputs[at], b.Targets[at], b.Weights[at]
	}
}

// sameShapes pads the arrays of the parts of a batch to the same sizes, since all devices run one program. It fails if
// no part has a position with a weight.
func sameShapes(parts []*Batch) error {
	var least padding
	for _, p := range parts {
		words, _ := p.words()
		least.words = max(least.words, words.Size())
		if rows, err := p.rows(); err == nil {
			least.rows = max(least.rows, rows.Size())
		}
		least.grids = max(least.grids, p.gridRoom())
	}
	if least.rows == 0 {
		_, err := parts[0].rows()
		return err
	}
	for _, p := range parts {
		p.least = least
	}
	return nil
}

// stepInputs returns the inputs of lossGraph for the batches of a step, device after device, and their shapes.
func (t *Trainer) stepInputs(batches []*Batch) (inputs []any, shape string, err error) {
	n := max(t.options.Devices, 1)
	devices := make([][]*Batch, n) // by device and batch
	for _, b := range batches {
		parts := []*Batch{b}
		if n > 1 {
			parts = b.parts(t.Model, n)
			if err := sameShapes(parts); err != nil {
				return nil, "", err
			}
		}
		for d, p := range parts {
			devices[d] = append(devices[d], p)
		}
	}
	for d, own := range devices {
		for k, b := range own {
			in, err := t.inputs(b, d*len(batches)+k)
			if err != nil {
				return nil, "", err
			}
			inputs = append(inputs, in...)
			shape += fmt.Sprint(b.Size, b.Steps, in[2].(*tensors.Tensor).Size(), in[6].(*tensors.Tensor).Size(), ";")
		}
	}
	return inputs, shape, nil
}

// finalizeAll frees the results of all devices and returns the first one's scalar.
func finalizeAll(results []*tensors.Tensor) (float64, error) {
	loss := float64(tensors.ToScalar[float32](results[0]))
	for _, r := range results {
		if err := r.FinalizeAll(); err != nil {
			return loss, err
		}
	}
	return loss, nil
}
