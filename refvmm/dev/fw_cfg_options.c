/* SPDX-License-Identifier: Apache-2.0 */
/* --fw-cfg name=NAME,string=TEXT or name=NAME,file=FILE; the text and the path go to the end. */
#include <string.h>

#include "core/err.h"
#include "dev/fw_cfg.h"

static const char *behind(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return !strncmp(s, prefix, n) ? s + n : NULL;
}

static int opt_fw_cfg(void *conf, const char *arg)
{
	struct fw_cfg_conf *c = conf;
	const char *name = behind(arg, "name="), *rest;
	struct fw_cfg_user *u = &c->user[c->nr];
	size_t len;

	if (c->nr == FW_CFG_USER_MAX)
		return err_usage("--fw-cfg %.64s: at most %u of them", arg, FW_CFG_USER_MAX);
	if (!name)
		name = arg; /* QEMU takes the name alone, too */
	len = strcspn(name, ",");
	if (!len || len >= FW_CFG_NAME_MAX || !name[len])
		return err_usage(
			"--fw-cfg %.64s: want name=NAME,string=TEXT or name=NAME,file=FILE, "
			"the name of at most %u characters",
			arg, FW_CFG_NAME_MAX - 1);
	rest = name + len + 1;
	u->string = behind(rest, "string=");
	u->file = behind(rest, "file=");
	if (!u->string && !(u->file && *u->file))
		return err_usage("--fw-cfg %.64s: want string=TEXT or file=FILE behind the name",
				 arg);
	memcpy(u->name, name, len);
	u->name[len] = '\0';
	c->nr++;
	return 0;
}

const struct dev_option fw_cfg_options[] = {
	{"--fw-cfg", "name=NAME,string=TEXT|file=FILE",
	 "an item of fw_cfg, by convention below opt/; may be repeated", opt_fw_cfg},
	{0},
};
