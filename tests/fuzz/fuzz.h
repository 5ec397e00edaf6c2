/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * A fuzz target is one source file that defines these two. Configured with --enable-fuzzing (clang) it is linked with libFuzzer:
 *
 *   tests/fuzz/fuzz-objects -max_total_time=600 CORPUS-DIRECTORY
 *
 * otherwise with standalone.c, which runs the seeds and some thousand repeatable mutations of them as a part of `make check`.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Seed files, relative to the top of the source tree; NULL at the end. Each file is one input, and so is each of its lines. */
extern const char *const fuzz_seeds[];
