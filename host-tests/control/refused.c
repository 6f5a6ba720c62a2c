/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands that refvmm refuses: a structured answer with reason and alternative, and nothing has changed: registers,
 * vGIC, descriptors, what the machine says of itself; and the guest goes on.
 */
#include "client.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STATE_MAX (3UL * ANSWER_MAX)

/* Everything that can be asked of a machine that stands still. */
static void capture(int fd, char *state)
{
	static const char *const lines[] = {
		"{\"command\":\"status\"}",
		"{\"command\":\"dump-regs\",\"vcpu\":0}",
		"{\"command\":\"dump-regs\",\"vcpu\":1}",
		"{\"command\":\"dump-vgic\"}",
	};
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *a = request(fd, lines[i]);
		char *counter;

		EXPECT_TRUE(strstr(a, "\"ok\": true"));
		snprintf(state + at, STATE_MAX - at, "%s\n", a);
		/* the counter runs by itself */
		counter = strstr(state + at, "\"cntvct_el0\": \"0x");
		if (counter) {
			char *end = strchr(counter + 16, '"');

			memmove(counter, end, strlen(end) + 1);
		}
		at += strlen(state + at);
	}
}

TEST(control, refused_commands_change_nothing, RULE("VMM-CONTROL-6"),
     VARIANTS(
	     "device-add: command=device-add | device-remove: command=device-remove | "
	     "device-del: command=device-del | cpu-add: command=cpu-add | "
	     "cpu-remove: command=cpu-remove | nmi: command=nmi | inject-nmi: command=inject-nmi | "
	     "save: command=save | restore: command=restore | migrate: command=migrate | "
	     "snapshot: command=snapshot | memory-add: command=memory-add | "
	     "balloon: command=balloon | screendump: command=screendump"))
{
	static char before[STATE_MAX], after[STATE_MAX];
	const char *command = test_param("command"), *a;
	char line[256], name[64];
	struct machine m;
	unsigned int fds;
	int fd;

	ASSERT_TRUE(command);
	machine_start(&m, "--smp 2");
	expect_counting(&m);
	fd = machine_connect(&m);
	EXPECT_TRUE(strstr(request(fd, "{\"command\":\"pause\"}"), "\"ok\": true"));
	capture(fd, before);
	fds = machine_fds(&m);
	snprintf(line, sizeof(line),
		 "{\"command\":\"%s\",\"id\":\"r\",\"arguments\":{\"file\":\"/tmp/assay-x\","
		 "\"driver\":\"virtio-net-pci\",\"cpu\":2}}",
		 command);
	snprintf(name, sizeof(name), "\"name\": \"%s\"", command);
	a = request(fd, line);
	if (!EXPECT_TRUE(strstr(a, "\"ok\": false")) || !EXPECT_TRUE(strstr(a, "\"id\": \"r\"")) ||
	    !EXPECT_TRUE(strstr(a, "\"kind\": \"refused\"")) || !EXPECT_TRUE(strstr(a, name)) ||
	    !EXPECT_TRUE(strstr(a, "\"reason\": \"")) || !EXPECT_TRUE(strstr(a, "\"instead\": \"")))
		NOTE("answer: %.300s", a);
	EXPECT_EQ(machine_fds(&m), fds);
	capture(fd, after);
	if (!EXPECT_TRUE(!strcmp(before, after)))
		for (size_t i = 0; before[i]; i++)
			if (before[i] != after[i]) {
				NOTE("differs: %.60s", after + (i > 30 ? i - 30 : 0));
				break;
			}
	EXPECT_TRUE(access("/tmp/assay-x", F_OK) != 0);
	EXPECT_TRUE(strstr(ask(&m, "{\"command\":\"resume\"}"), "\"ok\": true"));
	expect_counting(&m);
}
