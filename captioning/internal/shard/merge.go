package shard

import (
	"fmt"
	"iter"
)

// Entry is an image of the merged result.
type Entry struct {
	ID    string
	Shard int // that the image belongs to
	// Row is the place of the image's result among those of its shard, from 0, or -1 if it has none.
	Row    int
	Reason string // why the image has no result
}

// Merged yields all images in the order of the plan. A shard's results have the same order, so no index of ids is kept
// in memory. records are those that Records returned.
func (f *Folder) Merged(records []Record) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		rows, bad := make([]int, len(records)), make([]int, len(records))
		for id, err := range f.IDs() {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			s := Of(id, len(records))
			e := Entry{ID: id, Shard: s}
			if list := records[s].Bad; bad[s] < len(list) && list[bad[s]].ID == id {
				e.Row, e.Reason = -1, list[bad[s]].Reason
				bad[s]++
			} else {
				e.Row = rows[s]
				rows[s]++
			}
			if !yield(e, nil) {
				return
			}
		}
		for s, r := range records {
			if rows[s] != r.Images || bad[s] != len(r.Bad) {
				yield(Entry{}, fmt.Errorf("shard %s: the record has results of %d images and problems with %d, the "+
					"file of ids %d and %d: remove the record, and run the shard again", r.Shard, r.Images, len(r.Bad),
					rows[s], bad[s]))
				return
			}
		}
	}
}
