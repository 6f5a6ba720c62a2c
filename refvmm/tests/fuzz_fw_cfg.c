/* SPDX-License-Identifier: Apache-2.0 */
/* A hostile guest on fw_cfg: any register in any width, and DMA descriptors made of anything. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "dev/fw_cfg.h"
#include "tests/fake_env.h"

#define BASE 0x09020000ULL

struct step {
	uint8_t what, reg;
	uint16_t key;
	uint32_t len;
	uint64_t addr;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(struct fake_env *fe, struct dev *d, const struct step *s)
{
	unsigned len = 1U << (s->reg & 3), off = (s->reg >> 2 & 31) & ~(len - 1);
	struct {
		uint32_t control, len;
		uint64_t to;
	} desc = {htobe32((uint32_t)s->key << 16 | (s->reg & 0x1f)),
		  htobe32(s->what & 0x10 ? s->len : s->len & 0xfff),
		  htobe64(fake_steer(s->what >> 5, s->addr))};
	uint64_t at = s->what & 8 ? fake_steer(s->what >> 5, s->addr) : FAKE_RAM_BASE + 0x800;

	switch (s->what & 7) {
	case 0:
		fake_write(fe, BASE + off, len, s->addr);
		break;
	case 1:
		fake_read(fe, BASE + off, len);
		break;
	case 2:
		fake_write(fe, BASE + 8, 2, htobe16(s->key));
		break;
	case 7:
		d->ops->reset(d);
		break;
	default:
		gmem_write(&fe->mem, at, &desc, sizeof(desc));
		fake_write(fe, BASE + 16, 8, htobe64(at));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fake_env *fe = fake_env_new();
	struct dev *d = fake_dev(fe, &fw_cfg_ops, BASE, 0x18, 0, 0, NULL);

	fw_cfg_add_file(d, "etc/some", data, size);
	fw_cfg_add_file(d, "opt/none", NULL, 0);
	for (size_t left = size; left >= sizeof(struct step); left -= sizeof(struct step)) {
		struct step s;

		memcpy(&s, data + size - left, sizeof(s));
		take(fe, d, &s);
	}
	d->ops->reset(d);
	if (fake_read(fe, BASE, 4) != 0x554d4551)
		abort();
	fake_env_free(fe);
	return 0;
}
