package custom

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"captionlab/datasets/internal/annotations"
	"captionlab/datasets/jsonfile"
)

// anyID is the id of an image: a string, or a whole number, which may be written as 42.0.
type anyID string

// UnmarshalJSON reads a string or a number.
func (id *anyID) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
		*id = anyID(text)
		return nil
	}
	n, err := jsonfile.WholeNumber(data)
	if err != nil {
		return fmt.Errorf("image id %w and no string", err)
	}
	*id = anyID(strconv.FormatInt(n, 10))
	return nil
}

// origin is a file of captions, and what all its rows have in common.
type origin struct {
	file annotations.File
	row  row // file, dir and split
}

// entry decodes an entry of a JSON file. It reports one that does not decode as a bad row.
func (c *content) entry(o *origin, text json.RawMessage, to any) (row, bool) {
	r := o.row
	r.offset = o.file.Offset()
	if err := jsonfile.Decode("", text, to); err != nil {
		c.problem(r.problem(BadRow, "%s; %s", message(err), annotations.Correct))
		return r, false
	}
	return r, true
}

// message is an error of package jsonfile about a value without a file.
func message(err error) string { return strings.TrimLeft(err.Error(), ":0123456789 ") }

// readCOCO reads a file in COCO's format.
func (c *content) readCOCO(o *origin) error {
	rows := make(map[anyID]*row)
	var order []anyID
	captions := make(map[anyID][]row)
	onImage := func(_ int, text json.RawMessage) error {
		var image struct {
			ID       *anyID `json:"id"`
			FileName string `json:"file_name"`
		}
		r, ok := c.entry(o, text, &image)
		if !ok {
			return nil
		}
		if r.image = image.FileName; image.ID == nil {
			c.problem(r.problem(BadRow, "it has no id; %s", annotations.Correct))
			return nil
		}
		if r.id = string(*image.ID); rows[*image.ID] != nil {
			c.problem(r.problem(BadRow, "id %s is that of image %q already: give each image its own", r.id,
				rows[*image.ID].image))
			return nil
		}
		rows[*image.ID], order = &r, append(order, *image.ID)
		return nil
	}
	onCaption := func(_ int, text json.RawMessage) error {
		var caption struct {
			ImageID *anyID  `json:"image_id"`
			Text    *string `json:"caption"`
		}
		r, ok := c.entry(o, text, &caption)
		switch {
		case !ok:
		case caption.ImageID == nil || caption.Text == nil:
			c.problem(r.problem(BadRow, "it has no image_id or no caption; %s", annotations.Correct))
		default:
			r.captions = []string{*caption.Text}
			captions[*caption.ImageID] = append(captions[*caption.ImageID], r)
		}
		return nil
	}
	o.file.Uncaptioned = true
	err := o.file.Captions(onImage, onCaption)
	for _, id := range order {
		r := *rows[id]
		for _, caption := range captions[id] {
			r.captions = append(r.captions, caption.captions...)
		}
		delete(captions, id)
		c.add(r)
	}
	c.orphans(captions)
	return err
}

// orphans reports the captions of images that are not listed, in the order of the file.
func (c *content) orphans(captions map[anyID][]row) {
	var lost []Problem
	for id, rows := range captions {
		for _, r := range rows {
			lost = append(lost, r.problem(NoImage, "image_id %.40q is not among the images; %s", id,
				annotations.Correct))
		}
	}
	sortByOffset(lost)
	c.problems = append(c.problems, lost...)
}

// readKarpathy reads a file in Karpathy's format. Captions are the raw sentences or, without them, their tokens.
func (c *content) readKarpathy(o *origin) error {
	c.splitFrom = "those in the file"
	return o.file.Karpathy(func(_ int, text json.RawMessage) error {
		var image struct {
			FileName  string `json:"filename"`
			Folder    string `json:"filepath"`
			Split     string `json:"split"`
			Sentences []struct {
				Raw    string   `json:"raw"`
				Tokens []string `json:"tokens"`
			} `json:"sentences"`
		}
		r, ok := c.entry(o, text, &image)
		if !ok {
			return nil
		}
		r.image = image.FileName
		if r.image != "" && image.Folder != "" {
			r.image = path.Join(image.Folder, image.FileName)
		}
		if image.Split != "" {
			if r.split, ok = splitNamed(image.Split); !ok {
				c.problem(r.problem(UnknownSplit, "its split is %.40q: use train, restval, val or test", image.Split))
				return nil
			}
		}
		for _, s := range image.Sentences {
			if s.Raw == "" {
				s.Raw = strings.Join(s.Tokens, " ")
			}
			r.captions = append(r.captions, s.Raw)
		}
		c.add(r)
		return nil
	})
}

// readList reads a JSON list of rows.
func (c *content) readList(o *origin) error {
	return o.file.List(func(_ int, text json.RawMessage) error {
		r := o.row
		r.offset = o.file.Offset()
		c.addJSON(r, text)
		return nil
	})
}

// readLines reads a row of JSON from each line.
func (c *content) readLines(o *origin, in io.Reader) error {
	text, err := readText(o.file.Name, in)
	if err != nil {
		return err
	}
	r := o.row
	for line := range strings.Lines(text) {
		if r.line++; strings.TrimSpace(line) != "" {
			c.addJSON(r, json.RawMessage(line))
		}
	}
	return nil
}

// addJSON adds a row that is a JSON object with the columns of a table. A caption may be a list.
func (c *content) addJSON(r row, text json.RawMessage) {
	var members map[string]json.RawMessage
	if err := jsonfile.Decode("", text, &members); err != nil {
		c.problem(r.problem(BadRow, "%s; %s", message(err), annotations.Correct))
		return
	}
	image, captions, split := member(members, imageColumns), member(members, captionColumns),
		member(members, splitColumns)
	if image == nil || captions == nil {
		c.problem(r.problem(BadRow, "it has no image or no caption: give it the members file_name and text"))
		return
	}
	if err := jsonfile.Decode("", image, &r.image); err != nil {
		c.problem(r.problem(BadRow, "its image is no string: write the name of its file"))
		return
	}
	var one string
	if err := jsonfile.Decode("", captions, &one); err == nil {
		r.captions = []string{one}
	} else if err := jsonfile.Decode("", captions, &r.captions); err != nil {
		c.problem(r.problem(BadRow, "its caption is neither a string nor a list of strings; %s", annotations.Correct))
		return
	}
	if split != nil {
		var name string
		if err := jsonfile.Decode("", split, &name); err != nil {
			name = string(split)
		}
		if !c.setSplit(&r, name) {
			return
		}
	}
	c.add(r)
}

// isRow reports whether a JSON text is a row with an image and a caption.
func isRow(text []byte) bool {
	var members map[string]json.RawMessage
	return jsonfile.Decode("", text, &members) == nil && member(members, imageColumns) != nil &&
		member(members, captionColumns) != nil
}

// member returns the first member of the given names that is not null.
func member(members map[string]json.RawMessage, names []string) json.RawMessage {
	for _, name := range names {
		if value := members[name]; value != nil && string(value) != "null" {
			return value
		}
	}
	return nil
}

// setSplit sets the split of a row from a column. It reports an unknown one. An empty one is that of the file.
func (c *content) setSplit(r *row, name string) bool {
	if strings.TrimSpace(name) == "" {
		return true
	}
	split, ok := splitNamed(name)
	if !ok {
		c.problem(r.problem(UnknownSplit, "its split is %.40q: use train, val or test", name))
		return false
	}
	r.split, c.splitFrom = split, "the column for the split"
	return true
}
