// Package nbkit is the library for notebooks. Settings is the body of a notebook's first cell and Cell the body of
// every other cell. Cell passes a Lab, which opens the dataset, encoder, features, models and records on demand and
// trains with a live curve. Cell shows errors as sentences that say what to do.
//
// Galleries, tables, charts and n-grams, for cells and for the page of the demo, are HTML without scripts or external
// files.
package nbkit
