/* SPDX-License-Identifier: Apache-2.0 */
/* fw_cfg's "bootorder", in the words in which QEMU 10.0 writes it for its virt board. */
#include "bootorder.h"
#include "core/err.h"
#include "options.h"
#include "tests/fake_env.h"
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>

/* What stands in the file, with '|' for its NUL; NULL: a usage error. */
static const char *order(char *const *words)
{
	static char text[1024];
	struct fake_env *fe = fake_env_new();
	struct machine_conf c = {0};
	struct board b = {0};
	struct buf out = {0};
	int argc = 0, ret;

	if (board_conf_init(&c))
		abort();
	while (words[argc])
		argc++;
	ret = options_parse(&c, argc, (char **)(uintptr_t)words);
	text[0] = '\0';
	if (!ret) {
		if (board_build(&b, &c, &fe->env) || bootorder_build(&out, &c, &b))
			abort();
		for (size_t i = 0; i < out.len; i++)
			text[i] = out.data[i] ? (char)out.data[i] : '|';
		text[out.len] = '\0';
		board_free(&b);
	}
	buf_free(&out);
	board_conf_free(&c);
	fake_env_free(fe);
	return ret == -ERR_USAGE ? NULL : text;
}

#define ORDER(...) \
	order((char *const[]){(char *)"refvmm", (char *)"--kernel", (char *)"x", __VA_ARGS__, NULL})
#define W(word) ((char *)(word))

TEST(bootorder, is_written_as_qemu_writes_it)
{
	EXPECT_STR(ORDER(W("--drive"), W("file=x")), "");
	EXPECT_STR(ORDER(W("--drive"), W("file=x,bootindex=7")),
		   "/pci@ffffffffffffffff/scsi@1/disk@0,0|");
	EXPECT_STR(ORDER(W("--root-ports"), W("1"), W("--drive"), W("file=x,port=0,bootindex=0")),
		   "/pci@ffffffffffffffff/pci-bridge@1/scsi@0/disk@0,0|");
	EXPECT_STR(ORDER(W("--root-ports"), W("3"), W("--drive"), W("file=x,port=2,bootindex=2"),
			 W("--drive"), W("file=y,port=none,bootindex=1"), W("--drive"),
			 W("file=z,if=virtio-mmio,bootindex=3"), W("--rng"), W("virtio-mmio"),
			 W("--net"), W("tap,port=none,bootindex=0"), W("--net"),
			 W("tap,if=virtio-mmio,bootindex=2147483647")),
		   "/pci@ffffffffffffffff/ethernet@5/ethernet-phy@0\n"
		   "/pci@ffffffffffffffff/scsi@4/disk@0,0\n"
		   "/pci@ffffffffffffffff/pci-bridge@3/scsi@0/disk@0,0\n"
		   "/virtio-mmio@000000000a003e00/disk@0,0\n"
		   "/virtio-mmio@000000000a003a00/ethernet-phy@0|");
}

TEST(bootorder, an_index_is_a_device_s_own)
{
	EXPECT(!ORDER(W("--drive"), W("file=x,bootindex=1"), W("--drive"),
		      W("file=y,bootindex=1")));
	EXPECT(!ORDER(W("--drive"), W("file=x,bootindex=2147483648")));
	EXPECT(!ORDER(W("--drive"), W("file=x,bootindex=-1")));
	EXPECT(!ORDER(W("--net"), W("tap,bootindex=0"), W("--drive"), W("file=y,bootindex=0")));
	EXPECT(ORDER(W("--drive"), W("file=x,bootindex=1"), W("--drive"), W("file=y,bootindex=2")));
}
