package coco_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"captionlab/datasets/coco/cocotest"
)

// TestLargeAnnotationsAreStreamed opens a release whose annotation file is far larger than what may stay in memory.
func TestLargeAnnotationsAreStreamed(t *testing.T) {
	dir := write(t, cocotest.Options{Train: 6, Val: 2, Test: 2})
	file := filepath.Join(dir, "annotations", "captions_val2014.json")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	fmt.Fprint(w, `{"segments":[`) // as in the instance files, which contain more than captions
	const entries = 250_000
	outline := strings.Repeat("239.97,260.24,", 20)
	for i := range entries {
		fmt.Fprintf(w, `{"id":%d,"category_id":1,"iscrowd":0,"area":702.1,`, i)
		fmt.Fprintf(w, `"bbox":[1.1,2.2,3.3,4.4],"segmentation":[[%s1.5]]},`, outline)
	}
	fmt.Fprintf(w, `{}],%s`, data[1:])
	if err := errors.Join(w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	opened(t, dir, "")
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > info.Size()/4 {
		t.Errorf("the heap grew by %d MB for a file of %d MB", grown>>20, info.Size()>>20)
	}
}
