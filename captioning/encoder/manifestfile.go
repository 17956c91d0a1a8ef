package encoder

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"path/filepath"

	"captionlab/captioning/internal/atomicfile"
)

// write writes the manifest into a feature folder.
func (m *Manifest) write(folder string) error {
	return m.writeWith(folder, func(m *Manifest) iter.Seq2[Shard, error] {
		return func(yield func(Shard, error) bool) {
			for _, s := range m.Shards {
				if !yield(s, nil) {
					return
				}
			}
		}
	})
}

// writeWith writes the manifest with the shards that list yields instead of m.Shards. They are written one by one, so
// that the ids of all images need not be in memory, and before the skipped images, which list may therefore add to m.
func (m *Manifest) writeWith(folder string, list func(*Manifest) iter.Seq2[Shard, error]) error {
	return atomicfile.Write(filepath.Join(folder, manifestFile), func(w io.Writer) error {
		head, _, err := m.around()
		if err != nil {
			return err
		}
		if _, err := w.Write(head); err != nil {
			return err
		}
		before, after := "[\n  ", "null"
		for s, err := range list(m) {
			if err != nil {
				return err
			}
			text, err := json.MarshalIndent(s, "  ", " ")
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(w, "%s%s", before, text); err != nil {
				return err
			}
			before, after = ",\n  ", "\n ]"
		}
		_, tail, err := m.around()
		if err != nil {
			return err
		}
		_, err = w.Write(append([]byte(after), tail...))
		return err
	})
}

// around returns the text of the manifest before and after its list of shards.
func (m *Manifest) around() (head, tail []byte, err error) {
	empty := *m
	empty.Shards = nil
	text, err := json.MarshalIndent(empty, "", " ")
	if err != nil {
		return nil, nil, err
	}
	const mark = "\n \"shards\": " // a line break within a value would be written as an escape
	head, tail, ok := bytes.Cut(append(text, '\n'), []byte(mark+"null"))
	if !ok {
		return nil, nil, fmt.Errorf("features: the manifest has no list of shards")
	}
	return append(head, mark...), tail, nil
}
