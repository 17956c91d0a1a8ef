package score

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/datasets/jsonfile"
)

// ID identifies an image. In files, an ID that is a canonical decimal integer is a JSON number, any other a string.
type ID string

// MarshalJSON writes 42 for "42" and "a.jpg" for "a.jpg".
func (id ID) MarshalJSON() ([]byte, error) {
	if n, err := strconv.ParseInt(string(id), 10, 64); err == nil && strconv.FormatInt(n, 10) == string(id) {
		return []byte(id), nil
	}
	return json.Marshal(string(id))
}

// UnmarshalJSON reads an integer, which may be written as 42.0, or a string.
func (id *ID) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(id))
	}
	n, err := jsonfile.WholeNumber(data)
	if err != nil {
		return fmt.Errorf("image id %.40s is neither an integer nor a string", data)
	}
	*id = ID(strconv.FormatInt(n, 10))
	return nil
}

// Caption is one generated caption.
type Caption struct {
	ID   ID
	Text string
	// LogProb is the natural logarithm of the caption's probability, as the model gave it. Caption files omit it.
	LogProb float64
}

// References are the reference captions of each image.
type References map[ID][]string

// WriteCaptions writes captions in COCO result format, one per line. It replaces the file atomically.
func WriteCaptions(file string, captions []Caption) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	out.WriteString("[\n")
	for i, c := range captions {
		if err := encoder.Encode(struct {
			ImageID ID     `json:"image_id"`
			Caption string `json:"caption"`
		}{c.ID, c.Text}); err != nil {
			return err
		}
		if i < len(captions)-1 {
			out.Truncate(out.Len() - 1)
			out.WriteString(",\n")
		}
	}
	out.WriteString("]\n")
	return atomicfile.WriteFile(file, out.Bytes())
}
