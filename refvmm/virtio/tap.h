/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REFVMM_VIRTIO_TAP_H
#define REFVMM_VIRTIO_TAP_H

/* A descriptor of the tap device `name` (NULL or "": a new one), frames only; -errno. */
int tap_open(const char *name);

#endif
