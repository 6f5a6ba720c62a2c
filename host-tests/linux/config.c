/* SPDX-License-Identifier: Apache-2.0 */
/* What a guest kernel is made of: the board's devices are on PCIe, and it must have their drivers. */
#include "file.h"
#include "linux.h"
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static char config[1 << 20];

/* Documentation/kbuild/kconfig-language.rst: built in (y), a module (m), or not set. */
static char setting(const char *word)
{
	char line[80], *p;

	snprintf(line, sizeof(line), "\n%s=", word);
	p = strstr(config, line);
	return p ? p[strlen(line)] : 'n';
}

static void need_config(void)
{
	char path[512];
	struct utsname u;

	config[0] = '\n';
	if (file_read(bundle_path("linux/config", path, sizeof(path)), config + 1,
		      sizeof(config) - 1) > 0)
		return;
	uname(&u);
	snprintf(path, sizeof(path), "/boot/config-%.64s", u.release);
	if (file_read(path, config + 1, sizeof(config) - 1) <= 0)
		SKIP("no configuration of the guest's kernel: neither linux/config in the bundle "
		     "nor %s",
		     path);
}

TEST(linux, guest_kernel_has_the_boards_drivers, RULE("VMM-CONFIG-1"))
{
	static const char *const words[] = {"CONFIG_PCI", "CONFIG_VIRTIO_PCI",
					    "CONFIG_PCI_HOST_GENERIC"};

	need_config();
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		NOTE("%s=%c", words[i], setting(words[i]));
		EXPECT_NE(setting(words[i]), 'n');
	}
	/* only a guest with graphics needs it, and the board has none by default */
	FACT("linux.guest.drm_virtio_gpu", "%c", setting("CONFIG_DRM_VIRTIO_GPU"));
}
