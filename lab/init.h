/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ASSAY_INIT_H
#define ASSAY_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One line on the console. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int write_file(const char *path, const char *text);
/* Reads at most size - 1 bytes and ends them with a NUL; 0 or -errno. */
int read_file(const char *path, char *buf, size_t size);

/* ---- init_net.c */

/* Loads the modules that /lib/modules.assay lists, in its order; lo and eth0 up, ADDRESS/24. */
void network_up(const char *address);

#endif
