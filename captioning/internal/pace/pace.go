// Package pace estimates how fast long work proceeds and how long the rest of it takes.
package pace

import "time"

// Pace measures the rate of work from the moment it was created.
type Pace struct{ start time.Time }

// New starts measuring.
func New() Pace { return Pace{time.Now()} }

// Elapsed is the time since New.
func (p Pace) Elapsed() time.Duration { return time.Since(p.start) }

// At returns the mean rate in units a second after done units, and the time that the remaining units take at that rate.
// Both are 0 while nothing is done.
func (p Pace) At(done, remaining float64) (rate float64, left time.Duration) {
	return at(p.Elapsed(), done, remaining)
}

func at(elapsed time.Duration, done, remaining float64) (rate float64, left time.Duration) {
	if done <= 0 || elapsed <= 0 {
		return 0, 0
	}
	rate = done / elapsed.Seconds()
	return rate, time.Duration(max(remaining, 0) / rate * float64(time.Second))
}
