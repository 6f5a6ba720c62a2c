/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The board's two flash banks: options, windows and memory. What a bank's chips do is flash_chips.c's; what outlives
 * the machine, flash_store.c's.
 *
 * A bank that shows its array is memory to the guest, mapped read-only: reads cost no exits, and
 * code runs there. The first command takes the mapping away, the one that ends it brings it back.
 * Without firmware nobody looks at flash, as a rule: both banks come into being when somebody does.
 */
#include "dev/flash.h"

#include <errno.h>

#include "core/dt.h"
#include "core/err.h"
#include "dev/flash_chips.h"

struct bank {
	struct flash_chips chips;
	bool mapped;
};

struct flash {
	struct dev dev;
	struct bank bank[FLASH_BANKS];
};

static struct flash *flash(const struct dev *d)
{
	return (struct flash *)(uintptr_t)d;
}

static const struct flash_conf *conf(const struct dev *d)
{
	static const struct flash_conf none;

	return d->conf ? d->conf : &none;
}

/* ---- memory or MMIO */

static void update_mapping(struct flash *f, unsigned n)
{
	struct bank *b = &f->bank[n];
	uint8_t *mem = b->chips.store.mem;
	bool wanted = b->chips.shows == FLASH_ARRAY && mem;
	struct env *e = f->dev.env;

	if (wanted != b->mapped && e->ops->rom &&
	    !e->ops->rom(e, &f->dev, n, wanted ? mem : NULL, FLASH_BANK_SIZE))
		b->mapped = wanted;
}

/* From the first access on a bank is memory. False if there is none left for it. */
static bool look(struct flash *f, unsigned n)
{
	int ret = flash_store_open(&f->bank[n].chips.store);

	if (ret)
		err_host(-ret, "flash bank %u", n);
	else
		update_mapping(f, n);
	return !ret;
}

static uint64_t bank_read(struct flash *f, unsigned n, uint64_t off, unsigned len)
{
	struct flash_chips *c = &f->bank[n].chips;

	if (c->shows == FLASH_ARRAY)
		look(f, n); /* without memory they show their status */
	return flash_chips_read(c, off, len);
}

/* The chips are 32 bits wide together. */
static void bank_write(struct flash *f, unsigned n, uint64_t off, unsigned len, uint64_t val)
{
	struct flash_chips *c = &f->bank[n].chips;

	if (!look(f, n))
		return;
	flash_chips_write(c, off, len < 4 ? len : 4, len < 8 ? val : (uint32_t)val);
	if (len == 8)
		flash_chips_write(c, off + 4, 4, val >> 32);
	update_mapping(f, n);
}

static uint64_t read0(struct dev *d, uint64_t off, unsigned len)
{
	return bank_read(flash(d), 0, off, len);
}

static uint64_t read1(struct dev *d, uint64_t off, unsigned len)
{
	return bank_read(flash(d), 1, off, len);
}

static void write0(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	bank_write(flash(d), 0, off, len, val);
}

static void write1(struct dev *d, uint64_t off, unsigned len, uint64_t val)
{
	bank_write(flash(d), 1, off, len, val);
}

/* ---- life */

static int flash_init(struct dev *d)
{
	const struct flash_conf *c = conf(d);
	int ret = c->firmware ? flash_store_check_rom(c->firmware) : 0;

	for (unsigned n = 0; n < FLASH_BANKS; n++)
		flash(d)->bank[n].chips = (struct flash_chips){.dev = d, .store = FLASH_STORE_NONE};
	if (!ret && c->vars_template && !c->vars)
		return err_usage("--vars-template %s: goes with --vars FILE, which is made of it",
				 c->vars_template);
	return ret || !c->vars ? ret : flash_store_check_vars(c->vars, c->vars_template);
}

static int flash_start(struct dev *d)
{
	const struct flash_conf *c = conf(d);
	struct flash *f = flash(d);
	int ret = c->firmware ? flash_store_open_rom(&f->bank[0].chips.store, c->firmware) : 0;

	if (!ret && c->vars)
		ret = flash_store_open_vars(&f->bank[1].chips.store, c->vars, c->vars_template);
	if (ret)
		return ret;
	if (!c->firmware && !c->vars)
		return 0;
	return look(f, 0) && look(f, 1) ? 0 : -ENOMEM;
}

static void flash_reset(struct dev *d)
{
	struct flash *f = flash(d);

	for (unsigned n = 0; n < FLASH_BANKS; n++) {
		flash_chips_reset(&f->bank[n].chips);
		update_mapping(f, n);
	}
}

static void flash_fini(struct dev *d)
{
	struct flash *f = flash(d);

	for (unsigned n = 0; n < FLASH_BANKS; n++)
		flash_chips_free(&f->bank[n].chips);
}

static int flash_describe(const struct dev *d, struct fdt *f)
{
	dt_begin_at(f, "flash", d->range[0].base);
	dt_str(f, "compatible", "cfi-flash");
	dt_cells(f, "reg", DT_U64(d->range[0].base), DT_U64(d->range[0].size),
		 DT_U64(d->range[1].base), DT_U64(d->range[1].size));
	dt_u32(f, "bank-width", 4);
	dt_end(f);
	return 0;
}

static int path(const char *option, const char *arg, const char **out)
{
	if (!*arg)
		return err_usage("%s '': want the path of a file", option);
	*out = arg;
	return 0;
}

static int opt_firmware(void *c, const char *arg)
{
	return path("--firmware", arg, &((struct flash_conf *)c)->firmware);
}

static int opt_vars(void *c, const char *arg)
{
	return path("--vars", arg, &((struct flash_conf *)c)->vars);
}

static int opt_template(void *c, const char *arg)
{
	return path("--vars-template", arg, &((struct flash_conf *)c)->vars_template);
}

static const struct dev_option flash_options[] = {
	{"--firmware", "FILE", "firmware in flash bank 0: the machine starts there", opt_firmware},
	{"--vars", "FILE", "its variables in flash bank 1; made if it does not exist", opt_vars},
	{"--vars-template", "FILE", "what to make it of (an empty store)", opt_template},
	{0},
};

const struct dev_ops flash_ops = {
	.name = "flash",
	.compatible = "cfi-flash",
	.size = sizeof(struct flash),
	.conf_size = sizeof(struct flash_conf),
	.options = flash_options,
	.window = {{"bank 0", 1, 8, read0, write0}, {"bank 1", 1, 8, read1, write1}},
	.init = flash_init,
	.start = flash_start,
	.reset = flash_reset,
	.fini = flash_fini,
	.describe = flash_describe,
};
