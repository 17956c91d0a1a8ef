package nbkit

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"html/template"
	"io"
	"runtime"
	"strings"
	"sync"

	"captionlab/datasets"
)

// SplitTable shows the sizes of the splits and checks that they are disjoint: it fails if an id is in two splits, and
// says so if two splits hold images of the same bytes. It reads every image once.
func (l *Lab) SplitTable() (template.HTML, error) {
	sums, err := l.imageSums()
	if err != nil {
		return "", err
	}
	inSplit, bytesIn := make(map[string]datasets.Split), make(map[[32]byte]string)
	var rows [][]string
	var shared []string
	for _, split := range datasets.Splits {
		images, captions, equal := 0, 0, 0
		for _, ex := range l.Dataset.Examples(split) {
			images, captions = images+1, captions+len(ex.Captions)
			if other, double := inSplit[ex.ID]; double {
				return "", fmt.Errorf("image %s is in split %s and in %s: scores on it would measure memory",
					ex.ID, other, split)
			}
			inSplit[ex.ID] = split
			sum := sums[ex.ID]
			if other, double := bytesIn[sum]; double {
				equal++
				if inSplit[other] != split {
					shared = append(shared, fmt.Sprintf("%s of %s is %s of %s", ex.ID, split, other, inSplit[other]))
				}
			} else {
				bytesIn[sum] = ex.ID
			}
		}
		rows = append(rows, []string{string(split), fmt.Sprint(images), fmt.Sprint(captions),
			fmt.Sprintf("%.2f", float64(captions)/float64(max(1, images))), fmt.Sprint(equal)})
	}
	result := Text("No id is in two splits, and of %d images none has the same bytes as one in another split.",
		len(inSplit))
	if len(shared) > 0 {
		result = Text("No id is in two splits. Images that are in two splits under two names: %s.",
			strings.Join(shared, "; "))
	}
	head := []string{"split", "images", "captions", "captions per image", "images with the bytes of an earlier one"}
	return Table(head, rows) + result, nil
}

// imageSums returns the SHA-256 of every image by id. It reads the images on all cores.
func (l *Lab) imageSums() (map[string][32]byte, error) {
	ids := make(chan string)
	go func() {
		defer close(ids)
		for _, split := range datasets.Splits {
			for _, ex := range l.Dataset.Examples(split) {
				ids <- ex.ID
			}
		}
	}()
	sums, problem := make(map[string][32]byte), error(nil)
	var mu sync.Mutex
	var readers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		readers.Go(func() {
			for id := range ids {
				if l.Context.Err() != nil {
					continue // nobody waits for the rest
				}
				sum, err := l.imageSum(id)
				mu.Lock()
				sums[id], problem = sum, cmp.Or(problem, err)
				mu.Unlock()
			}
		})
	}
	readers.Wait()
	return sums, cmp.Or(l.Context.Err(), problem)
}

func (l *Lab) imageSum(id string) (sum [32]byte, err error) {
	f, err := l.Dataset.OpenImage(id)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, fmt.Errorf("image %s: %w", id, err)
	}
	return [32]byte(h.Sum(nil)), nil
}
