// Package shard cuts work on many images into shards that separate processes complete, on one machine or on many that
// share a folder. It decides which shard an image belongs to, names and publishes the files, and checks that all of
// them are there before they are merged. What a shard contains is left to its callers: features, captions or scores.
//
// A shard folder holds:
//
//	plan.json                      what is cut, with which settings, into how many shards
//	plan-0123456789ab.ids          the ids of all images in order, a JSON string a line
//	shard-00003-of-00012.EXT       the result of one shard
//	shard-00003-of-00012.json      its Record, which is written last: the shard is published
//
// Processes never wait for each other. Every file appears whole, by rename, and two processes that complete the same
// shard write the same bytes.
package shard

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MaxCount is the largest number of shards: their names have five digits.
const MaxCount = 99999

// Part is one of Count shards.
type Part struct {
	Index int // from 0
	Count int
}

// String writes a part as Parse reads it: "3/12".
func (p Part) String() string { return fmt.Sprintf("%d/%d", p.Index, p.Count) }

// Holds reports whether the image belongs to the part.
func (p Part) Holds(id string) bool { return Of(id, p.Count) == p.Index }

// Of returns the shard, from 0, to which an image belongs if there are count: the first eight bytes of the SHA-256 of
// its id, as a big-endian number, modulo count. It depends on no other image.
func Of(id string, count int) int {
	sum := sha256.Sum256([]byte(id))
	return int(binary.BigEndian.Uint64(sum[:8]) % uint64(count))
}

// name is the name of the part's files without their ending.
func (p Part) name() string { return fmt.Sprintf("shard-%05d-of-%05d", p.Index, p.Count) }

// Environment of array tasks. Slurm sets the first four, Kubernetes the fifth for Indexed Jobs. Kubernetes does not
// tell a task the number of tasks, so that a manifest has to set the last one.
const (
	slurmID    = "SLURM_ARRAY_TASK_ID"
	slurmMin   = "SLURM_ARRAY_TASK_MIN"
	slurmMax   = "SLURM_ARRAY_TASK_MAX"
	slurmCount = "SLURM_ARRAY_TASK_COUNT"
	kubernetes = "JOB_COMPLETION_INDEX"
	CountEnv   = "CAPTIONLAB_SHARDS"
)

// Parse reads "I/N", with I from 0 to N-1, or takes the part from the environment, which getenv returns.
//
// "auto" is the task of a Slurm array, numbered from its smallest index, or the pod of a Kubernetes Indexed Job, whose
// number of completions CAPTIONLAB_SHARDS repeats. "auto/N" names the number of shards, and takes the index unchanged:
// that is right for an array that repeats only some tasks. Parse fails if the environment is that of no array, or does
// not tell the number of shards.
func Parse(text string, getenv func(string) string) (Part, error) {
	if text == "auto" {
		return automatic(getenv)
	}
	index, count, ok := strings.Cut(text, "/")
	n, err := strconv.Atoi(count)
	if !ok || err != nil {
		return Part{}, fmt.Errorf("%q is not a shard: use I/N with I from 0 to N-1, auto or auto/N", text)
	}
	if index == "auto" {
		variable, value := arrayIndex(getenv)
		if variable == "" {
			return Part{}, errNoArray
		}
		i, err := strconv.Atoi(value)
		if err != nil {
			return Part{}, fmt.Errorf("%s is %q, not a number", variable, value)
		}
		return Part{i, n}.check(text + ", where " + variable + " is " + value)
	}
	i, err := strconv.Atoi(index)
	if err != nil {
		return Part{}, fmt.Errorf("%q is not a shard: use I/N with I from 0 to N-1, auto or auto/N", text)
	}
	return Part{i, n}.check(text)
}

var errNoArray = errors.New("auto: this process is no task of an array, since neither " + slurmID + " (Slurm) nor " +
	kubernetes + " (Kubernetes) is set: name the shard as I/N")

// arrayIndex returns the variable that holds the task's index, and its value; both are empty outside an array.
func arrayIndex(getenv func(string) string) (variable, value string) {
	for _, variable := range []string{slurmID, kubernetes} {
		if value := getenv(variable); value != "" {
			return variable, value
		}
	}
	return "", ""
}

// automatic takes index and count from the environment.
func automatic(getenv func(string) string) (Part, error) {
	variable, _ := arrayIndex(getenv)
	number := func(name string) (int, error) {
		n, err := strconv.Atoi(getenv(name))
		if err != nil {
			return 0, fmt.Errorf("auto: %s is %q, not a number: name the number of shards, as in auto/12", name,
				getenv(name))
		}
		return n, nil
	}
	switch variable {
	case "":
		return Part{}, errNoArray
	case kubernetes:
		index, err := number(kubernetes)
		if err != nil {
			return Part{}, err
		}
		count, err := number(CountEnv)
		if err != nil {
			return Part{}, err
		}
		return Part{index, count}.check("auto")
	}
	var values [4]int
	for i, name := range []string{slurmID, slurmMin, slurmMax, slurmCount} {
		var err error
		if values[i], err = number(name); err != nil {
			return Part{}, err
		}
	}
	id, least, most, count := values[0], values[1], values[2], values[3]
	if most-least+1 != count {
		return Part{}, fmt.Errorf("auto: the array's %d tasks are not all of %d to %d: name the number of shards, "+
			"as in auto/%d", count, least, most, most+1)
	}
	return Part{id - least, count}.check("auto")
}

func (p Part) check(text string) (Part, error) {
	if p.Count < 1 || p.Count > MaxCount || p.Index < 0 || p.Index >= p.Count {
		return Part{}, fmt.Errorf("%s: there is no shard %d of %d: use 1 to %d shards, numbered from 0", text, p.Index,
			p.Count, MaxCount)
	}
	return p, nil
}
