// Package serve captions images for browsers and programs over HTTP: a page to which images can be dragged, and a JSON
// interface.
//
//	POST /api/caption   captions of images: a multipart form, or the bytes of one image as the body
//	GET  /api/model     what captions, and the limits
//	GET  /healthz       200 while the server runs
//	GET  /readyz        200 once the model has captioned its first image
//	GET  /metrics       figures in Prometheus's text format
//	GET  /              the page
//
// The options of a caption are fields of the form or parameters of the query: beam (1 to 10), candidates (1 to 10),
// temperature, top_p, seed and attention (1: also where the model looked, if it can say so). Files come in the fields
// called image; a field called key names an image that was sent before, by the key in the earlier answer, so that it
// need not be sent again:
//
//	curl -F image=@a.jpg -F image=@b.jpg -F beam=5 -F candidates=5 localhost:8080/api/caption
//	curl --data-binary @a.jpg 'localhost:8080/api/caption?beam=3'
//
// Images that arrive together are captioned in one batch. Nothing is written to disk: the features of the last images
// stay in memory, the images do not. By default the server is for this machine alone; see Options.
package serve
