/* SPDX-License-Identifier: Apache-2.0 */
/* --drive, --net, --rng and the virtio kind of --console. */
#include "virtio/conf.h"

#include <stdio.h>
#include <string.h>

#include "core/err.h"
#include "core/parse.h"

#define WORD_MAX 4200U /* a path, and what stands before it */
#define PORTS	 31U
#define PORT_ANY (-1)
#define PORT_NO	 (-2)

/* One word; `at` is where its value stands in the command line, which stays there. */
struct word {
	const char *option, *key, *value, *at;
};

static int bad(const struct word *w, const char *want)
{
	return err_usage("%s %.64s%s%.64s: want %s", w->option, w->key, w->value ? "=" : "",
			 w->value ? w->value : "", want);
}

static int set_path(struct virtio_conf_dev *d, const struct word *w)
{
	if (!w->value || !*w->value)
		return bad(w, strcmp(w->key, "ifname") ? "the path of a file"
						       : "the name of a tap device");
	d->path = w->at;
	d->path_len = (int)strlen(w->value);
	return 0;
}

/* What all of them understand; 1: not this word. */
static int common_word(struct virtio_conf_dev *d, const struct word *w)
{
	const char *key = w->key, *value = w->value;
	uint64_t n;

	if (!value && (!strcmp(key, "virtio") || !strcmp(key, "virtio-mmio"))) {
		value = key;
		key = "if";
	}
	if (!strcmp(key, "if") && value) {
		d->mmio = !strcmp(value, "virtio-mmio");
		if (d->mmio || !strcmp(value, "virtio"))
			return 0;
		if (!strcmp(value, "pflash"))
			return bad(w, "virtio or virtio-mmio; flash banks are --firmware and "
				      "--vars");
		return bad(w, "virtio (PCI) or virtio-mmio");
	}
	if (!strcmp(key, "port") && value) {
		d->port = PORT_NO;
		if (!strcmp(value, "none"))
			return 0;
		if (parse_u64(value, &n) || n >= PORTS)
			return bad(w, "none or the number of a root port, from 0");
		d->port = (int)n;
		return 0;
	}
	if (!strcmp(key, "id") && value)
		return 0; /* a name for QEMU's other options; nothing here needs it */
	return 1;
}

/* For disks and network cards; QEMU takes these values, too. */
static int boot_word(struct virtio_conf_dev *d, const struct word *w)
{
	uint64_t n;

	if (!w->value || parse_u64(w->value, &n) || n > INT32_MAX)
		return bad(w, "a number from 0 to 2147483647: the lowest is started from first");
	d->boots = true;
	d->bootindex = (uint32_t)n;
	return 0;
}

/* Two devices cannot both be the next one. */
static int check_bootindex(const struct virtio_conf *c, const struct virtio_conf_dev *d)
{
	for (unsigned i = 0; d->boots && i < c->nr; i++) {
		if (c->dev[i].boots && c->dev[i].bootindex == d->bootindex)
			return err_usage("bootindex=%u: two devices have it; give each its own",
					 d->bootindex);
	}
	return 0;
}

static int drive_word(struct virtio_conf_dev *d, const struct word *w)
{
	if (!strcmp(w->key, "file"))
		return set_path(d, w);
	if (!strcmp(w->key, "bootindex"))
		return boot_word(d, w);
	if (!strcmp(w->key, "readonly"))
		return parse_onoff(w->value, &d->readonly) ? bad(w, "on or off") : 0;
	if (!strcmp(w->key, "format"))
		return w->value && !strcmp(w->value, "raw")
			       ? 0
			       : bad(w, "raw; convert others: qemu-img convert -O raw");
	if (!strcmp(w->key, "serial")) {
		if (!w->value || !*w->value || strlen(w->value) > sizeof(d->serial))
			return bad(w, "at most 20 characters");
		memset(d->serial, 0, sizeof(d->serial));
		memcpy(d->serial, w->value, strlen(w->value));
		return 0;
	}
	return bad(w, "file=, if=, readonly=, format=, serial=, port=, bootindex=");
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

static int parse_mac(struct virtio_conf_dev *d, const struct word *w)
{
	static const char form[] = "six bytes such as 52:54:00:12:34:56";
	const char *p = w->value;

	if (!p || strlen(p) != 3 * sizeof(d->mac) - 1)
		return bad(w, form);
	for (unsigned i = 0; i < sizeof(d->mac); i++, p += 3) {
		if (hex_digit(p[0]) < 0 || hex_digit(p[1]) < 0 || (p[2] && p[2] != ':'))
			return bad(w, form);
		d->mac[i] = (uint8_t)(hex_digit(p[0]) << 4 | hex_digit(p[1]));
	}
	return d->mac[0] & 1 ? bad(w, "the address of one card, not of a group") : 0;
}

static int net_word(struct virtio_conf_dev *d, const struct word *w)
{
	uint64_t n;

	if (!strcmp(w->key, "bootindex"))
		return boot_word(d, w);
	if (!strcmp(w->key, "mac"))
		return parse_mac(d, w);
	if (!w->value && !strcmp(w->key, "tap")) {
		d->peer = PEER_TAP;
		return 0;
	}
	if (!w->value && !strcmp(w->key, "stream")) {
		d->peer = PEER_STREAM;
		return 0;
	}
	if (!strcmp(w->key, "fd") && w->value) {
		if (parse_u64(w->value, &n) || n < 3 || n > INT32_MAX)
			return bad(w, "the number of an open descriptor");
		d->fd = (int)n;
		d->by_number = true;
		return 0;
	}
	if (d->peer == PEER_TAP && !strcmp(w->key, "ifname"))
		return set_path(d, w);
	if (d->peer == PEER_TAP && (!strcmp(w->key, "script") || !strcmp(w->key, "downscript")))
		return w->value && !strcmp(w->value, "no")
			       ? 0
			       : bad(w, "no: refvmm runs no scripts; set the device up before");
	if (d->peer == PEER_STREAM && (!strcmp(w->key, "path") || !strcmp(w->key, "addr.path")))
		return set_path(d, w);
	if (d->peer == PEER_STREAM && !strcmp(w->key, "server"))
		return w->value && !strcmp(w->value, "off") ? 0 : bad(w, "off: refvmm connects");
	if (d->peer == PEER_STREAM && !strcmp(w->key, "addr.type"))
		return w->value && !strcmp(w->value, "unix") ? 0 : bad(w, "unix");
	return bad(
		w,
		"tap[,ifname=NAME] or stream,path=SOCKET, and mac=, if=, port=, fd=, bootindex=");
}

static int rng_word(struct virtio_conf_dev *d, const struct word *w)
{
	(void)d;
	return bad(w, "virtio or virtio-mmio, and port=");
}

static int console_word(struct virtio_conf_dev *d, const struct word *w)
{
	if (!strcmp(w->key, "file") || !strcmp(w->key, "socket")) {
		d->peer = w->key[0] == 'f' ? PEER_FILE : PEER_STREAM;
		return set_path(d, w);
	}
	if (!strcmp(w->key, "stdio") && !w->value) {
		d->peer = PEER_STDIO;
		return 0;
	}
	return bad(w, "virtio or virtio-mmio, and file=PATH, socket=PATH or stdio, and port=");
}

static const struct kind {
	const char *option;
	int (*word)(struct virtio_conf_dev *d, const struct word *w);
} kinds[] = {[VIRTIO_BLK] = {"--drive", drive_word},
	     [VIRTIO_NET] = {"--net", net_word},
	     [VIRTIO_RNG] = {"--rng", rng_word},
	     [VIRTIO_CONSOLE] = {"--console", console_word}};

static int complete(const struct virtio_conf_dev *d)
{
	if (d->kind == VIRTIO_BLK && !d->path)
		return err_usage("--drive: want file=PATH");
	if (d->kind == VIRTIO_NET && d->peer == PEER_NONE)
		return err_usage(
			"--net: want tap or stream first, such as stream,path=/tmp/socket");
	if (d->kind == VIRTIO_NET && d->peer == PEER_STREAM && !d->path && d->fd < 0)
		return err_usage("--net stream: want path=SOCKET");
	return 0;
}

static int parse(struct virtio_conf *c, enum virtio_kind kind, const char *arg)
{
	struct virtio_conf_dev *d = &c->dev[c->nr];
	const char *whole = arg;
	char key[WORD_MAX];
	struct word w = {.option = kinds[kind].option, .key = key};
	int more, ret = 0;

	if (c->nr == VIRTIO_DEVS_MAX)
		return err_usage(
			"%s %.64s: one virtio device more than the %u the board has room for",
			w.option, arg, VIRTIO_DEVS_MAX);
	*d = (struct virtio_conf_dev){.kind = kind, .port = PORT_ANY, .fd = -1};
	for (unsigned i = 0; i < c->nr; i++)
		d->index += c->dev[i].kind == kind;
	snprintf(d->serial, sizeof(d->serial), "assay-disk-%u", d->index);
	memcpy(d->mac, (const uint8_t[6]){0x52, 0x54, 0, 0x12, 0x34, (uint8_t)(0x56 + d->index)},
	       sizeof(d->mac));
	for (;;) {
		const char *from = arg;

		more = parse_word(&arg, key, sizeof(key), &w.value);
		if (more <= 0)
			break;
		w.at = w.value ? from + (w.value - key) : NULL;
		ret = common_word(d, &w);
		if (ret > 0)
			ret = kinds[kind].word(d, &w);
		if (ret)
			return ret;
	}
	if (more < 0)
		return err_usage("%s %.64s: an empty or too long word in the list", w.option,
				 whole);
	ret = complete(d);
	if (!ret)
		ret = check_bootindex(c, d);
	if (!ret)
		c->nr++;
	return ret;
}

static int parse_drive(void *conf, const char *arg)
{
	return parse(conf, VIRTIO_BLK, arg);
}

static int parse_net(void *conf, const char *arg)
{
	return parse(conf, VIRTIO_NET, arg);
}

static int parse_rng(void *conf, const char *arg)
{
	return parse(conf, VIRTIO_RNG, arg);
}

int virtio_parse_console(struct virtio_conf *c, const char *arg)
{
	return parse(c, VIRTIO_CONSOLE, arg);
}

const struct dev_option virtio_options[] = {
	{"--drive",
	 "file=PATH[,if=virtio|virtio-mmio][,readonly=on|off][,serial=TEXT][,port=K|none]"
	 "[,bootindex=N]",
	 "a virtio disk on a file or block device, raw; firmware starts from the lowest bootindex "
	 "first",
	 parse_drive},
	{"--net",
	 "tap[,ifname=NAME]|stream,path=SOCKET[,fd=N][,mac=MAC][,if=virtio|virtio-mmio]"
	 "[,port=K|none][,bootindex=N]",
	 "a virtio network card on a tap device, on the stream socket of passt, or on an open "
	 "descriptor",
	 parse_net},
	{"--rng", "[virtio|virtio-mmio][,port=K|none]", "a virtio source of random numbers",
	 parse_rng},
	{NULL, NULL, NULL, NULL},
};

const char *virtio_conf_name(const struct virtio_conf_dev *d, char *buf, size_t size)
{
	static const char *const keys[] = {[VIRTIO_BLK] = " file=",
					   [VIRTIO_NET] = " stream,path=",
					   [VIRTIO_RNG] = "",
					   [VIRTIO_CONSOLE] = " virtio "};
	const char *key = keys[d->kind];

	if (d->kind == VIRTIO_NET && d->peer == PEER_TAP)
		key = d->path ? " tap,ifname=" : " tap";
	if (d->kind == VIRTIO_NET && d->by_number)
		snprintf(buf, size, "--net fd=%d", d->fd);
	else
		snprintf(buf, size, "%s%s%.*s", kinds[d->kind].option, key,
			 d->path ? d->path_len : 0, d->path ? d->path : "");
	return buf;
}
