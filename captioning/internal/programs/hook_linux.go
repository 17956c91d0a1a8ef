//go:build linux && cgo

package programs

/*
#cgo LDFLAGS: -ldl
#include "hook_linux.h"
*/
import "C"

import "unsafe"

// hook makes the plugin's library call find and keep. It reports whether it can.
func hook(plugin string) bool {
	name := C.CString(plugin)
	defer C.free(unsafe.Pointer(name))
	return C.captionlab_hook(name) == 1
}

// captionlabFindProgram returns a stored program, which the caller frees, and its size, or NULL. It sets source.key.
//
//export captionlabFindProgram
func captionlabFindProgram(source *C.captionlab_source, size *C.size_t) *C.char {
	k := keyOf(bytesAt(source.code, source.code_size), bytesAt(source.options, source.options_size))
	copy(bytesAt(&source.key[0], C.CAPTIONLAB_KEY_SIZE), k[:])
	data := find(k)
	if data == nil {
		return nil
	}
	*size = C.size_t(len(data))
	return (*C.char)(C.CBytes(data))
}

//export captionlabKeepProgram
func captionlabKeepProgram(key, data *C.char, size C.size_t) {
	keep(programKey(bytesAt(key, C.CAPTIONLAB_KEY_SIZE)), bytesAt(data, size))
}

func bytesAt(p *C.char, n C.size_t) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(p)), int(n)) }
