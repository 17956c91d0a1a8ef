// Package pretrained holds the model that comes with captionlab: a small decoder trained on Flickr8k, with which
// captioning.OpenModel and captioning.OpenCaptioner caption photographs right after `captionlab setup`. README.md in
// this folder is its model card: data and their terms, training, scores, and what it is bad at. The model and its card
// were written by `captionlab pack --card`.
package pretrained

import "embed"

// Photographs holds JPEGs that may be passed on, to show the model on; see their README.md.
//
//go:embed photographs/*.jpg
var Photographs embed.FS

// Source names the model in messages.
const Source = "the model that comes with captionlab"

//go:embed model.safetensors
var model []byte

// Model returns the packed model as a safetensors file (see captioning.Checkpoint.Pack). It is shared: do not modify
// it.
func Model() []byte { return model }
