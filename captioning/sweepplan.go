package captioning

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/datasets/jsonfile"
)

// sweepPlan is the file that fixes which tasks run which jobs.
type sweepPlan struct {
	Format  int        `json:"format"` // 1
	Dataset string     `json:"dataset"`
	Jobs    []sweepJob `json:"jobs"`
}

type sweepJob struct {
	Name     string `json:"name"`
	Identity string `json:"identity"` // see experiment.Identity
}

// FixPlan returns jobs in the order of the plan in the file path. The first process that calls it writes the file, so
// that all processes of a sweep number the jobs in the same way, whenever they start. It fails if the file holds other
// jobs than the given ones, naming one.
func (r Reproduction) FixPlan(path string, jobs []Job) ([]Job, error) {
	plan := sweepPlan{Format: 1, Dataset: r.Data.Name()}
	byJob := make(map[sweepJob]Job, len(jobs))
	for _, j := range jobs {
		key := sweepJob{j.Name(), j.Identity}
		plan.Jobs, byJob[key] = append(plan.Jobs, key), j
	}
	text, err := json.MarshalIndent(plan, "", " ")
	if err != nil {
		return nil, err
	}
	before, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err = atomicfile.WriteNew(path, append(text, '\n')); err == nil {
			before, err = os.ReadFile(path) // perhaps that of another process
		}
	}
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	var fixed sweepPlan
	if err := jsonfile.Decode(path, before, &fixed); err != nil {
		return nil, fmt.Errorf("plan: %w: remove the file to write the plan again", err)
	}
	if fixed.Format != 1 || fixed.Dataset != plan.Dataset {
		return nil, fmt.Errorf("plan: %s has format %d and jobs on %q, want format 1 and %q: name another file", path,
			fixed.Format, fixed.Dataset, plan.Dataset)
	}
	if differences := plan.differences(fixed); differences != "" {
		return nil, fmt.Errorf("plan: %s is of another sweep (%s): use the same flags, or name another file", path,
			differences)
	}
	ordered := make([]Job, 0, len(jobs))
	for _, key := range fixed.Jobs {
		ordered = append(ordered, byJob[key])
	}
	return ordered, nil
}

// differences says which jobs only one of two plans has.
func (p sweepPlan) differences(fixed sweepPlan) string {
	var all []string
	for _, j := range p.Jobs {
		if !slices.Contains(fixed.Jobs, j) {
			all = append(all, j.Name+" is not in the file, or with other settings or data")
		}
	}
	for _, j := range fixed.Jobs {
		if !slices.Contains(p.Jobs, j) {
			all = append(all, j.Name+" is in the file only, or with other settings or data")
		}
	}
	return strings.Join(all, "; ")
}
