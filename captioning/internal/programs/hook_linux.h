#pragma once

#include <stdlib.h>

enum { CAPTIONLAB_KEY_SIZE = 32 };

// captionlab_hook makes the plugin's library keep and load compiled programs. It returns 1, or 0 if it cannot.
int captionlab_hook(const char *plugin);
