package coco

import (
	"errors"
	"fmt"

	"captionlab/datasets/internal/annotations"
	"captionlab/datasets/jsonfile"
)

// FileError reports a defective file and the position of the defect.
type FileError struct {
	File   string // path, or ARCHIVE.zip:MEMBER
	Offset int64  // in bytes; 0 for the file as a whole
	Err    error
	advice string // empty if Err has some
}

// Error returns "coco: FILE: at byte N: WHAT; what to do".
func (e *FileError) Error() string {
	return "coco: " + (&annotations.Error{File: e.File, Offset: e.Offset, Err: e.Err, Advice: e.advice}).Error()
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }

// fileError makes a FileError of the error of an annotation file.
func fileError(err error) error {
	var defect *annotations.Error
	if errors.As(err, &defect) {
		return &FileError{defect.File, defect.Offset, defect.Err, defect.Advice}
	}
	return err
}

// image and caption are the used fields of an annotation file's entries.
type image struct {
	ID       *imageID `json:"id"`
	FileName string   `json:"file_name"`
}

type caption struct {
	ImageID *imageID `json:"image_id"`
	Text    *string  `json:"caption"`
}

// imageID is a whole number, which may be written as 42.0.
type imageID int64

// UnmarshalJSON reads a number.
func (id *imageID) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return fmt.Errorf("the image id %.40s is a string: write it as a number, without quotes", data)
	}
	n, err := jsonfile.WholeNumber(data)
	if err != nil {
		return fmt.Errorf("image id %w", err)
	}
	*id = imageID(n)
	return nil
}
