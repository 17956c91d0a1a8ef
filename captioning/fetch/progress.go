package fetch

import "captionlab/captioning/internal/pace"

// meter derives a file's Progress from the number of bytes done.
type meter struct {
	file         File
	step         string
	first, total int64 // where this pass started, and the file's size, 0 if unknown
	pace         pace.Pace
}

func newMeter(f File, step string, first, total int64) meter {
	return meter{f, step, first, max(total, 0), pace.New()}
}

func (m meter) at(done int64) Progress {
	p := Progress{File: m.file, Step: m.step, Done: done, Total: m.total}
	p.Rate, p.Remaining = m.pace.At(float64(done-m.first), float64(m.total-done))
	return p
}
