#pragma once

#include <stddef.h>
#include <stdint.h>

// In clang's runtime, which comes with no header for it. Linked by -sanitize=fuzzer.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test)(const uint8_t *data, size_t size));
