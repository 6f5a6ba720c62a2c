/* SPDX-License-Identifier: Apache-2.0 */
/* A virt machine has no display device unless one is asked for. */
#include "pci.h"
#include "test.h"

#define CLASS_DISPLAY 0x03U /* PCI Code and ID Assignment Specification, 1.4 */

TEST(board, there_is_no_display_device, RULE("BOARD-DISPLAY-1"),
     .vmm = "--root-ports 2 --device pci-test --device pci-test")
{
	static struct pci_host host;
	unsigned nodes = 0, displays = 0;

	for (int node = dt_next(DT_NONE); node != DT_NONE; node = dt_next(node)) {
		const char *type = dt_str(node, "device_type");

		nodes++;
		displays += type && type[0] == 'd' && type[1] == 'i'; /* "display" */
	}
	EXPECT_GT(nodes, 5);
	EXPECT_EQ(displays, 0);
	EXPECT_EQ(dt_find("simple-framebuffer", 0), DT_NONE);
	if (!pci_host_find(&host, 0))
		SKIP("no PCIe host bridge in the device tree");
	pci_enumerate(&host);
	EXPECT_GT(host.count, 0);
	for (unsigned i = 0; i < host.count; i++)
		EXPECT_NE(pci_rd32(&host, host.function[i].bdf, PCI_CLASS_REVISION) >> 24,
			  CLASS_DISPLAY);
}
