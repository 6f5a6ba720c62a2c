/* SPDX-License-Identifier: Apache-2.0 */
/* MIDR_EL1: implementer 31:24, variant 23:20, part 15:4, revision 3:0 (DDI 0487 D24.2.122); parts from the vendors' TRMs. */
#include "midr.h"
#include <stdio.h>

static const struct {
	unsigned int implementer;
	const char *name;
} makers[] = {
	{0x00, "software model"}, {0x41, "Arm"},       {0x43, "Cavium"},  {0x46, "Fujitsu"},
	{0x48, "HiSilicon"},	  {0x4e, "NVIDIA"},    {0x50, "APM"},	  {0x51, "Qualcomm"},
	{0x61, "Apple"},	  {0x6d, "Microsoft"}, {0x70, "Phytium"}, {0xc0, "Ampere"},
};

static const struct {
	unsigned int implementer, part;
	const char *name;
} parts[] = {
	{0x00, 0x051, "(QEMU max)"},
	{0x41, 0xd02, "Cortex-A34"},
	{0x41, 0xd03, "Cortex-A53"},
	{0x41, 0xd04, "Cortex-A35"},
	{0x41, 0xd05, "Cortex-A55"},
	{0x41, 0xd07, "Cortex-A57"},
	{0x41, 0xd08, "Cortex-A72"},
	{0x41, 0xd09, "Cortex-A73"},
	{0x41, 0xd0a, "Cortex-A75"},
	{0x41, 0xd0b, "Cortex-A76"},
	{0x41, 0xd0c, "Neoverse-N1"},
	{0x41, 0xd0d, "Cortex-A77"},
	{0x41, 0xd40, "Neoverse-V1"},
	{0x41, 0xd41, "Cortex-A78"},
	{0x41, 0xd44, "Cortex-X1"},
	{0x41, 0xd46, "Cortex-A510"},
	{0x41, 0xd47, "Cortex-A710"},
	{0x41, 0xd48, "Cortex-X2"},
	{0x41, 0xd49, "Neoverse-N2"},
	{0x41, 0xd4d, "Cortex-A715"},
	{0x41, 0xd4e, "Cortex-X3"},
	{0x41, 0xd4f, "Neoverse-V2"},
	{0x41, 0xd80, "Cortex-A520"},
	{0x41, 0xd81, "Cortex-A720"},
	{0x41, 0xd82, "Cortex-X4"},
	{0x41, 0xd84, "Neoverse-V3"},
	{0x41, 0xd8e, "Neoverse-N3"},
	{0x43, 0x0a1, "ThunderX"},
	{0x43, 0x0af, "ThunderX2"},
	{0x46, 0x001, "A64FX"},
	{0x48, 0xd01, "TSV110 (Kunpeng 920)"},
	{0x48, 0xd02, "TSV200"},
	{0x4e, 0x004, "Carmel"},
	{0x50, 0x000, "X-Gene"},
	{0x51, 0xc00, "Falkor"},
	{0x61, 0x022, "M1 Icestorm"},
	{0x61, 0x023, "M1 Firestorm"},
	{0x61, 0x032, "M2 Blizzard"},
	{0x61, 0x033, "M2 Avalanche"},
	{0x6d, 0xd49, "Azure Cobalt 100"},
	{0x70, 0x662, "FTC662"},
	{0x70, 0x663, "FTC663"},
	{0xc0, 0xac3, "Ampere-1"},
	{0xc0, 0xac4, "Ampere-1A"},
};

const char *midr_name(uint64_t midr, char *buf, size_t size)
{
	unsigned int implementer = midr >> 24 & 0xff, part = midr >> 4 & 0xfff;
	const char *maker = "unknown implementer", *name = "unknown part";

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		if (makers[i].implementer == implementer)
			maker = makers[i].name;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].implementer == implementer && parts[i].part == part)
			name = parts[i].name;
	snprintf(buf, size, "%s %s r%up%u (%#llx)", maker, name, (unsigned int)(midr >> 20 & 0xf),
		 (unsigned int)(midr & 0xf), (unsigned long long)midr);
	return buf;
}
