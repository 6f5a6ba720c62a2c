/* SPDX-License-Identifier: Apache-2.0 */
/* The test port against abi/assay/port.h. */
#include <assay/board.h>
#include <assay/port.h>
#include <errno.h>
#include <stdio.h>

#include "dev/test_port.h"
#include "tests/fake_env.h"
#include "tests/unit.h"

#define PORT 0x0c000000ULL
#define ACT  (FAKE_RAM_BASE + 0x1000)
#define TEXT (FAKE_RAM_BASE + 0x2000)

struct seen {
	char line[ASSAY_PORT_LINE_MAX + 1];
	size_t len;
	unsigned lines, exits, status;
	uint64_t paused, pinned;
	char stat[80];
};

static struct seen *seen(struct env *e)
{
	return ((struct fake_env *)e)->user;
}

static void on_line(struct env *e, const char *text, size_t len)
{
	memcpy(seen(e)->line, text, len);
	seen(e)->line[len] = '\0';
	seen(e)->len = len;
	seen(e)->lines++;
}

static void on_exit_status(struct env *e, unsigned status)
{
	seen(e)->status = status;
	seen(e)->exits++;
}

static int on_stat(struct env *e, const char *name, uint64_t *value)
{
	snprintf(seen(e)->stat, sizeof(seen(e)->stat), "%s", name);
	*value += 42;
	return strcmp(name, "exits") ? -ENOENT : 0;
}

static void on_pause(struct env *e, uint64_t ms)
{
	seen(e)->paused += ms;
}

static int on_pin(struct env *e, uint64_t cpu, uint64_t *online)
{
	seen(e)->pinned = cpu;
	*online = 2;
	return cpu < 2 ? 0 : -EINVAL;
}

static void on_clocks(struct env *e, uint64_t *mono, uint64_t *raw)
{
	(void)e;
	*mono = 111;
	*raw = 222;
}

static void on_memory_facts(struct env *e, uint64_t fact[4])
{
	(void)e;
	for (unsigned i = 0; i < 4; i++)
		fact[i] = 1000 + i;
}

static int on_memory_thp(struct env *e, uint64_t *bytes)
{
	(void)e;
	*bytes = 333;
	return 0;
}

static const struct test_port_host host = {on_line, on_exit_status, on_stat,	     on_pause,
					   on_pin,  on_clocks,	    on_memory_facts, on_memory_thp};

static struct fake_env *new_port(struct seen *s)
{
	struct fake_env *fe = fake_env_new();

	memset(s, 0, sizeof(*s));
	fe->user = s;
	fe->env.port = &host;
	fake_dev(fe, &test_port_ops, PORT, 0x1000, ASSAY_SPI_TEST_PORT, ASSAY_SPI_TEST_PORT_COUNT,
		 NULL);
	return fe;
}

static struct assay_action act(struct fake_env *fe, uint32_t op, uint64_t arg0, uint64_t arg1,
			       uint64_t arg2)
{
	struct assay_action a = {.op = op, .status = 77, .arg = {arg0, arg1, arg2}, .ret = {9, 9}};

	gmem_write(&fe->mem, ACT, &a, sizeof(a));
	fake_write(fe, PORT + 0x18, 8, ACT);
	gmem_read(&fe->mem, ACT, &a, sizeof(a));
	return a;
}

TEST(test_port, identifies_itself_and_pings)
{
	struct seen s;
	struct fake_env *fe = new_port(&s);

	EXPECT_EQ(fake_read(fe, PORT, 4), 0x59535341);
	EXPECT_EQ(fake_read(fe, PORT + 4, 4), 1);
	fake_write(fe, PORT + 0x20, 4, 0xdeadbeef);
	EXPECT_EQ(fake_read(fe, PORT + 0x20, 4), 0xdeadbeef);
	EXPECT_EQ(fe->guest_errors, 0);
	fake_env_free(fe);
}

TEST(test_port, emits_lines_of_every_permitted_length)
{
	static const unsigned len[] = {1, 7, ASSAY_PORT_LINE_MAX};
	char text[ASSAY_PORT_LINE_MAX];
	struct seen s;
	struct fake_env *fe = new_port(&s);

	memset(text, 'x', sizeof(text));
	gmem_write(&fe->mem, TEXT, text, sizeof(text));
	fake_write(fe, PORT + 8, 8, TEXT);
	for (unsigned i = 0; i < 3; i++) {
		fake_write(fe, PORT + 0x10, 4, len[i]);
		EXPECT_EQ(s.lines, i + 1);
		EXPECT_EQ(s.len, len[i]);
	}
	fake_write(fe, PORT + 0x10, 4, ASSAY_PORT_LINE_MAX + 1);
	EXPECT_EQ(s.lines, 3);
	EXPECT_EQ(fe->guest_errors, 1);
	fake_env_free(fe);
}

TEST(test_port, a_line_outside_ram_is_a_guest_error)
{
	static const uint64_t addr[] = {0, FAKE_RAM_BASE - 1, FAKE_RAM_BASE + FAKE_RAM_SIZE - 3,
					UINT64_MAX};
	struct seen s;
	struct fake_env *fe = new_port(&s);

	for (unsigned i = 0; i < 4; i++) {
		fake_write(fe, PORT + 8, 8, addr[i]);
		fake_write(fe, PORT + 0x10, 4, 4);
	}
	EXPECT_EQ(s.lines, 0);
	EXPECT_EQ(fe->guest_errors, 4);
	fake_env_free(fe);
}

TEST(test_port, exit_carries_the_status)
{
	struct seen s;
	struct fake_env *fe = new_port(&s);

	fake_write(fe, PORT + 0x14, 4, 1);
	EXPECT_EQ(s.exits, 1);
	EXPECT_EQ(s.status, 1);
	fake_env_free(fe);
}

TEST(test_port, other_widths_and_offsets_do_nothing)
{
	struct seen s;
	struct fake_env *fe = new_port(&s);
	unsigned errors = 0;

	for (uint64_t off = 0; off < 0x40; off++) {
		for (unsigned len = 1; len <= 8; len *= 2) {
			bool eight = off == 0x08 || off == 0x18;
			bool four = off == 0x00 || off == 0x04 || off == 0x10 || off == 0x14 ||
				    off == 0x20;

			if ((eight && len == 8) || (four && len == 4))
				continue;
			EXPECT_EQ(fake_read(fe, PORT + off, len), 0);
			fake_write(fe, PORT + off, len, 1);
			errors += 2;
		}
	}
	EXPECT_EQ(fe->guest_errors, errors);
	EXPECT_EQ(s.lines + s.exits, 0);
	fake_env_free(fe);
}

TEST(test_port, drives_spis)
{
	struct seen s;
	struct fake_env *fe = new_port(&s);
	unsigned spi = ASSAY_SPI_TEST_PORT;

	EXPECT_EQ(act(fe, ASSAY_ACT_SPI_LEVEL, spi, 1, 0).status, 0);
	EXPECT(fe->level[spi]);
	EXPECT_EQ(act(fe, ASSAY_ACT_SPI_LEVEL, spi, 0, 0).status, 0);
	EXPECT(!fe->level[spi]);
	EXPECT_EQ(act(fe, ASSAY_ACT_SPI_PULSE, spi + 1, 0, 0).status, 0);
	EXPECT_EQ(fe->rises[spi + 1], 1);
	EXPECT(!fe->level[spi + 1]);
	EXPECT_EQ(act(fe, ASSAY_ACT_SPI_PULSE, 100000, 0, 0).status, -EINVAL);
	EXPECT_EQ(act(fe, ASSAY_ACT_SPI_LEVEL, spi, 2, 0).status, -EINVAL);
	fake_env_free(fe);
}

TEST(test_port, sends_messages_and_returns_what_the_host_said)
{
	struct seen s;
	struct fake_env *fe = new_port(&s);
	struct assay_action a;

	fe->msi_result = 1;
	a = act(fe, ASSAY_ACT_MSI, 0x08090040, 5, 8);
	EXPECT_EQ(a.status, 0);
	EXPECT_EQ(a.ret[0], 1);
	ASSERT_EQ(fe->nr_msi, 1);
	EXPECT_EQ(fe->msi[0].addr, 0x08090040);
	EXPECT_EQ(fe->msi[0].data, 5);
	EXPECT_EQ(fe->msi[0].devid, 8);
	fe->msi_result = -EINVAL;
	EXPECT_EQ((int64_t)act(fe, ASSAY_ACT_MSI, 0, 0, 0).ret[0], -EINVAL);
	EXPECT_EQ(act(fe, ASSAY_ACT_MSI, 0, 1ULL << 32, 0).status, -EINVAL);
	fake_env_free(fe);
}

TEST(test_port, reads_statistics_by_name)
{
	struct seen s;
	struct fake_env *fe = new_port(&s);
	struct assay_action a;

	gmem_write(&fe->mem, TEXT, "exitsandmore", 12);
	a = act(fe, ASSAY_ACT_STAT, TEXT, 5, 0);
	EXPECT_EQ(a.status, 0);
	EXPECT_EQ(a.ret[0], 42);
	EXPECT_STR(s.stat, "exits");
	EXPECT_EQ(act(fe, ASSAY_ACT_STAT, TEXT, 6, 0).status, -ENOENT);
	EXPECT_EQ(act(fe, ASSAY_ACT_STAT, TEXT, 0, 0).status, -EINVAL);
	EXPECT_EQ(act(fe, ASSAY_ACT_STAT, TEXT, 65, 0).status, -EINVAL);
	EXPECT_EQ(act(fe, ASSAY_ACT_STAT, 0, 5, 0).status, -EFAULT);
	fake_env_free(fe);
}

TEST(test_port, asks_the_host)
{
	struct seen s;
	struct fake_env *fe = new_port(&s);
	struct assay_action a;

	a = act(fe, ASSAY_ACT_HOST_CLOCK, 0, 0, 0);
	EXPECT_EQ(a.ret[0], 111);
	EXPECT_EQ(a.ret[1], 222);
	EXPECT_EQ(act(fe, ASSAY_ACT_PAUSE, 25, 0, 0).status, 0);
	EXPECT_EQ(s.paused, 25);
	EXPECT_EQ(act(fe, ASSAY_ACT_PAUSE, 60001, 0, 0).status, -EINVAL);
	EXPECT_EQ(s.paused, 25);
	a = act(fe, ASSAY_ACT_PIN, 1, 0, 0);
	EXPECT_EQ(a.status, 0);
	EXPECT_EQ(a.ret[0], 2);
	EXPECT_EQ(act(fe, ASSAY_ACT_PIN, 7, 0, 0).status, -EINVAL);
	a = act(fe, ASSAY_ACT_MEMORY_FACTS, 0, 0, 0);
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQ(a.ret[i], 1000 + i);
	EXPECT_EQ(act(fe, ASSAY_ACT_MEMORY_THP, 0, 0, 0).ret[0], 333);
	EXPECT_EQ(act(fe, ASSAY_ACT_NOP, 0, 0, 0).status, 0);
	EXPECT_EQ(act(fe, 9999, 0, 0, 0).status, -ENOSYS);
	fake_env_free(fe);
}

TEST(test_port, an_action_outside_ram_is_a_guest_error)
{
	struct seen s;
	struct fake_env *fe = new_port(&s);

	fake_write(fe, PORT + 0x18, 8, 0);
	fake_write(fe, PORT + 0x18, 8,
		   FAKE_RAM_BASE + FAKE_RAM_SIZE - sizeof(struct assay_action) + 1);
	fake_write(fe, PORT + 0x18, 8, UINT64_MAX);
	EXPECT_EQ(fe->guest_errors, 3);
	fake_env_free(fe);
}
