/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the smallest Linux guest share. */
#ifndef LINUX_GUEST_GUEST_H
#define LINUX_GUEST_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `linux-guest KEY=VALUE` on the console */
void say(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The first line of a file, or why it could not be read. */
const char *first_line(const char *path, char *buf, size_t size);

/* devices.c */
void load_modules(void);
void say_virtio(void);
/* Turns a byte at the end of the first disk; true: it was as the test made it, and this is the first time. */
bool mark_disk(void);

/* dhcp.c: an address and its mask for a card that is up, in network order; false: nobody gives one. */
bool dhcp(const char *name, const uint8_t mac[6], uint32_t *address, uint32_t *mask);

/* key.c: until somebody presses the power key; nothing where there is none. */
void wait_for_key(void);

#endif
