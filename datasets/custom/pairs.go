package custom

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"

	"captionlab/datasets/internal/annotations"
	"captionlab/datasets/internal/images"
	"captionlab/datasets/internal/textfile"
	"captionlab/datasets/jsonfile"
)

// textsOf returns the text files next to images of the same name, by image.
func textsOf(tree *images.Tree) map[string]string {
	byStem := make(map[string]string)
	for _, name := range tree.Others() {
		if stem, ok := strings.CutSuffix(name, path.Ext(name)); ok && strings.EqualFold(path.Ext(name), ".txt") {
			byStem[stem] = name
		}
	}
	texts := make(map[string]string)
	for _, at := range tree.Images() {
		if text, ok := byStem[images.Stem(at)]; ok {
			texts[at] = text
		}
	}
	return texts
}

// readPairs reads the text files next to the images.
func (c *content) readPairs() error {
	c.splitFrom = "folders named after splits"
	texts := textsOf(c.tree)
	for _, at := range c.tree.Images() {
		r := row{image: at, id: at}
		if text, ok := texts[at]; ok {
			r.file = text
			in, err := c.tree.Open(text)
			if err != nil {
				c.problem(r.problem(BadRow, "%v", err))
				continue
			}
			captions, err := captionLines(text, in)
			in.Close()
			if err != nil {
				c.problem(r.problem(BadRow, "%v", err))
			}
			r.captions = captions
		}
		c.addAt(r, place{c.tree, at})
	}
	return nil
}

// captionLines reads captions, one a line, from a text. Blank lines do not count.
func captionLines(name string, in io.Reader) ([]string, error) {
	text, err := textfile.From(name, in, maxLine)
	if err != nil {
		return nil, err
	}
	var captions []string
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			captions = append(captions, line)
		}
	}
	return captions, nil
}

// readImages takes images without captions.
func (c *content) readImages() error {
	for _, at := range c.tree.Images() {
		c.addAt(row{image: at, id: at}, place{c.tree, at})
	}
	return nil
}

// openShards opens the archives.
func (f *found) openShards() error {
	for _, name := range f.files {
		in, err := f.open(name)
		if err != nil {
			return err
		}
		info, err := in.Stat()
		if err != nil {
			in.Close()
			return err
		}
		shard, err := images.OpenShard(in, images.File{Path: in.Name(), Size: info.Size(), Modified: info.ModTime()})
		if err != nil {
			in.Close()
			return err
		}
		f.shards = append(f.shards, shard)
	}
	return nil
}

// readShards reads the captions in the archives.
func (c *content) readShards(names []string, shards []*images.Shard) {
	for i, s := range shards {
		r := row{file: names[i], split: splitIn(names[i])}
		if r.split != "" {
			c.splitFrom = "the archives' names"
		}
		c.readShard(r, s)
	}
}

// sample is what an archive holds under one key: a name up to the first dot after the last slash.
type sample struct{ image, text, json string }

func (c *content) readShard(r row, s *images.Shard) {
	samples := make(map[string]*sample)
	var order []string
	for _, name := range s.Names() {
		dir, base := path.Split(name)
		key, ending, _ := strings.Cut(base, ".")
		key = dir + key
		if samples[key] == nil {
			samples[key], order = new(sample), append(order, key)
		}
		switch ending = strings.ToLower(ending); {
		case images.IsImage(name) && samples[key].image != "":
			r.image = name
			c.problem(r.problem(BadRow, "its sample has another image, %s, which is used: keep one of them",
				samples[key].image))
		case images.IsImage(name):
			samples[key].image = name
		case ending == "txt" || ending == "caption":
			samples[key].text = name
		case ending == "json":
			samples[key].json = name
		}
	}
	for _, key := range order {
		c.addSample(r, s, key, *samples[key])
	}
}

// addSample adds an image and the captions in the text with its key or, without one, in the JSON.
func (c *content) addSample(r row, s *images.Shard, key string, sample sample) {
	r.image, r.id = sample.image, key
	if sample.image == "" {
		if r.image = sample.text; sample.text == "" {
			r.image = sample.json
		}
		if r.image != "" {
			c.problem(r.problem(NoFile, "the archive holds no image of this name: add it, or remove the captions"))
		}
		return
	}
	var err error
	if sample.text != "" {
		r.captions, err = readMember(s, sample.text, captionLines)
	} else if sample.json != "" {
		r.captions, err = readMember(s, sample.json, captionMembers)
	}
	if err != nil {
		c.problem(r.problem(BadRow, "%v", err))
	}
	c.addAt(r, place{s, sample.image})
}

func readMember(s *images.Shard, name string, read func(string, io.Reader) ([]string, error)) ([]string, error) {
	in, err := s.Open(name, maxLine)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return read(name, in)
}

// captionMembers reads the captions of a JSON object.
func captionMembers(name string, in io.Reader) ([]string, error) {
	data, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := jsonfile.Decode(name, data, &members); err != nil {
		return nil, fmt.Errorf("%w; %s", err, annotations.Correct)
	}
	value := member(members, captionColumns)
	if value == nil {
		return nil, nil
	}
	var one string
	if err := jsonfile.Decode(name, value, &one); err == nil {
		return []string{one}, nil
	}
	var several []string
	if err := jsonfile.Decode(name, value, &several); err != nil {
		return nil, fmt.Errorf("%s: its caption is neither a string nor a list of strings; %s", name,
			annotations.Correct)
	}
	return several, nil
}
