#pragma once

#include <stdlib.h>

enum { CAPTIONLAB_KEY_SIZE = 32 };

// A program to compile, with its key, which captionlabFindProgram sets.
typedef struct {
	char *code;
	size_t code_size;
	char *options;
	size_t options_size;
	char key[CAPTIONLAB_KEY_SIZE];
} captionlab_source;

// captionlab_hook makes the plugin's library keep and load compiled programs. It returns 1, or 0 if it cannot.
int captionlab_hook(const char *plugin);
