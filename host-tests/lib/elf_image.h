/* SPDX-License-Identifier: Apache-2.0 */
/* A bare-metal program of a few words, as a file that refvmm's --kernel takes. */
#ifndef HOST_ELF_IMAGE_H
#define HOST_ELF_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define ELF_IMAGE_AT 0x40200000UL /* guest physical: where the program is loaded and entered */

/* An anonymous file, inherited over exec (/dev/fd/N): ELF (IHI 0056) with one segment of `size` bytes of code. */
int elf_image(const uint32_t *code, size_t size);

#endif
