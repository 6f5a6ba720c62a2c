/* SPDX-License-Identifier: Apache-2.0 */
/* A guest payload that runs in the background, with a control socket, and whose words are read as they come. */
#ifndef CONTROL_PAYLOAD_H
#define CONTROL_PAYLOAD_H

#include "client.h"

/* Starts refvmm with one test of guest-tests/virtio.elf ("test=… time=…") and these options, word by word. */
void payload_start(struct machine *m, const char *append, const char *const *options);
/* Reads what it prints until `want` stands there, behind what was found before; false: it ended before. */
bool payload_says(const char *want);

#endif
