package serve

import (
	"bytes"
	"container/list"
	"image"
	"image/color"
	"image/png"
	"io"
	"sync"
)

// keptBytes bounds the memory of kept features: those with feature maps are 50 times as large as others.
const keptBytes = 64 << 20

// kept holds the features of the images that were used last, by key.
type kept struct {
	mu    sync.Mutex
	limit int // images
	bytes int
	order *list.List // of keptImage, the one used last first
	byKey map[string]*list.Element
}

type keptImage struct {
	key      string
	features []float32
}

func newKept(limit int) *kept {
	return &kept{limit: limit, order: list.New(), byKey: make(map[string]*list.Element)}
}

func (k *kept) get(key string) ([]float32, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.byKey[key]
	if !ok {
		return nil, false
	}
	k.order.MoveToFront(e)
	return e.Value.(keptImage).features, true
}

func (k *kept) put(key string, features []float32) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e, ok := k.byKey[key]; ok {
		k.order.MoveToFront(e)
		return
	}
	k.byKey[key] = k.order.PushFront(keptImage{key, features})
	k.bytes += 4 * len(features)
	for k.order.Len() > k.limit || k.bytes > keptBytes && k.order.Len() > 1 {
		oldest := k.order.Remove(k.order.Back()).(keptImage)
		delete(k.byKey, oldest.key)
		k.bytes -= 4 * len(oldest.features)
	}
}

// blank is the image that warms the model up.
func blank() io.Reader {
	img := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range img.Pix {
		img.Pix[i] = color.Gray{Y: uint8(i)}.Y
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err) // cannot happen: a bytes.Buffer accepts all writes
	}
	return &out
}
