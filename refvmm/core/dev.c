/* SPDX-License-Identifier: Apache-2.0 */
#include "core/dev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/err.h"

int dev_new(struct dev **out, const struct dev_ops *ops, struct env *env,
	    const struct dev_place *place)
{
	struct dev *d = calloc(1, ops->size);
	int ret;

	if (!d)
		return err_host(ENOMEM, "%s: %zu bytes", ops->name, ops->size);
	d->ops = ops;
	d->env = env;
	d->conf = place->conf;
	memcpy(d->range, place->range, sizeof(d->range));
	d->spi = place->spi;
	d->nr_spi = place->nr_spi;
	ret = ops->init ? ops->init(d) : 0;
	if (ret) {
		free(d);
		return ret;
	}
	if (ops->reset)
		ops->reset(d);
	*out = d;
	return 0;
}

void dev_free(struct dev *d)
{
	if (!d)
		return;
	if (d->ops->fini)
		d->ops->fini(d);
	free(d);
}

void dev_irq(struct dev *d, unsigned n, bool level)
{
	if (n >= d->nr_spi)
		abort(); /* ours: the board's table gives the device fewer lines than it drives */
	d->env->ops->irq(d->env, d->spi + n, level);
}

void dev_guest_error(struct dev *d, const char *what, uint64_t value)
{
	d->env->ops->guest_error(d->env, d, what, value);
}
