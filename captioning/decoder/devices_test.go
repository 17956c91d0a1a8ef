package decoder

import (
	"math"
	"slices"
	"strings"
	"testing"

	"captionlab/captioning/xla/xlatest"
)

// variedBatch is the golden batch with other words in each step.
func variedBatch(step int) *Batch {
	b := goldenBatch()
	b.Inputs, b.Targets = formulaIDs(len(b.Inputs), uint32(100+step)), formulaIDs(len(b.Targets), uint32(500+step))
	return b
}

func stateOf(t *testing.T, trainer *Trainer) State {
	t.Helper()
	state := make(State)
	for _, name := range trainer.StateNames() {
		err := trainer.ReadState(name, func(data []float32) error {
			state[name] = slices.Clone(data)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return state
}

// deviceCase is a way to train on several devices.
type deviceCase struct {
	cell      Cell
	options   TrainOptions
	tolerance float64 // of losses, relative
}

// losses trains for some steps, an equal share of them on each number of devices.
func (c deviceCase) losses(t *testing.T, steps int, counts ...int) (losses []float64) {
	t.Helper()
	m, values := goldenModel(c.cell, false)
	state := State(nil)
	for _, n := range counts {
		c.options.Devices = n
		trainer, err := NewTrainer(xlatest.OpenForTest(t), m, values, state, c.options)
		if err != nil {
			t.Fatal(err)
		}
		for range steps / len(counts) {
			loss, err := trainer.Step(variedBatch(len(losses)))
			if err != nil {
				t.Fatalf("%d devices: %v", n, err)
			}
			losses = append(losses, loss)
		}
		if values, err = trainer.Values(); err != nil {
			t.Fatal(err)
		}
		state = stateOf(t, trainer)
		trainer.Finalize()
	}
	return losses
}

// compare compares the losses on several numbers of devices with those on one.
func (c deviceCase) compare(t *testing.T, steps int, all ...[]int) {
	t.Helper()
	want := c.losses(t, steps, 1)
	for _, counts := range all {
		for i, loss := range c.losses(t, steps, counts...) {
			if math.Abs(loss-want[i]) > c.tolerance*want[i] {
				t.Errorf("%v devices: loss %g before step %d, on one device %g", counts, loss, i+1, want[i])
				break
			}
		}
	}
}

// Two devices have the losses of one, and a run may go on with one.
func TestSeveralDevices(t *testing.T) {
	if !xlatest.OnHostDevices(t) {
		return
	}
	c := deviceCase{LSTM{}, TrainOptions{LearningRate: 1e-2, ClipNorm: 1}, 1e-5}
	c.compare(t, 20, []int{2, 1})
	m, values := goldenModel(LSTM{}, false)
	_, err := NewTrainer(xlatest.OpenForTest(t), m, values, nil, TrainOptions{LearningRate: 1, Devices: 5})
	if err == nil || !strings.Contains(err.Error(), "has 4") {
		t.Errorf("five devices: %v", err)
	}
}
