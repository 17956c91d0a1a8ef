package score

import (
	"runtime"
	"sync"
)

// inParallel calls do for 0 to n-1 on all cores.
func inParallel(n int, do func(i int)) {
	inParallelWith(n, func() func(int) { return do })
}

// inParallelWith is inParallel with a separate function for each core, which may keep its own state.
func inParallelWith(n int, worker func() func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			do := worker()
			for i := w; i < n; i += workers {
				do(i)
			}
		})
	}
	wg.Wait()
}
