package captioning

import (
	"context"
	"fmt"
	"slices"

	"github.com/gomlx/compute"

	"captionlab/captioning/experiment"
)

// start returns the job that a run of e starts from: that of the experiment e.From with the same seed. It is not Done
// while its checkpoint is not on this machine.
func (r Reproduction) start(e experiment.Experiment, seed int64, known []experiment.Experiment) (*Job, error) {
	i := slices.IndexFunc(known, func(k experiment.Experiment) bool { return k.Name == e.From })
	if i < 0 {
		return nil, fmt.Errorf("experiment %s starts from %q, which is not declared", e.Name, e.From)
	}
	var others []experiment.Experiment // without e, so that a circle ends in an error
	for _, k := range known {
		if k.Name != e.Name {
			others = append(others, k)
		}
	}
	r.Again = false
	j, err := r.job(known[i], seed, others)
	return &j, err
}

// ready returns the folder of the trained run that the job starts from, or nothing if it needs none. It trains that
// run if its checkpoint is not on this machine. The error names the run.
func (r Reproduction) ready(ctx context.Context, backend compute.Backend, j Job, o RunOptions) (string, error) {
	if j.Start == nil || holdsLast(j.Work) { // a begun run resumes without its start
		return "", nil
	}
	start := *j.Start
	if start.trained() {
		return start.Work, nil
	}
	if o.Warn != nil {
		o.Warn(fmt.Sprintf("%s starts from %s, which is not trained on this machine: training it first", j.Name(),
			start.Name()))
	}
	from, err := r.ready(ctx, backend, start, o)
	if err != nil {
		return "", err
	}
	model, err := Train(ctx, backend, r.Data, TrainConfig{Dir: start.Work, Settings: start.Settings, From: from,
		Resume: true, Progress: o.Progress, Warn: o.Warn, Lease: o.Lease})
	if err != nil {
		return "", fmt.Errorf("training %s, which %s starts from: %w", start.Name(), j.Name(), err)
	}
	model.Close()
	return start.Work, nil
}
