/* SPDX-License-Identifier: Apache-2.0 */
/* PL011 against its manual, DDI 0183: offsets and values are typed from there, not shared. */
#include "dev/pl011.h"
#include "tests/fake_env.h"
#include "tests/unit.h"

#define UART 0x09000000ULL
#define SPI  1U

static struct fake_env *new_uart(struct dev **d)
{
	struct fake_env *fe = fake_env_new();

	*d = fake_dev(fe, &pl011_ops, UART, 0x1000, SPI, 1, NULL);
	return fe;
}

static uint64_t rd(struct fake_env *fe, unsigned off)
{
	return fake_read(fe, UART + off, 4);
}

static void wr(struct fake_env *fe, unsigned off, uint32_t val)
{
	fake_write(fe, UART + off, 4, val);
}

/* UARTEN, TXE, RXE; FIFOs on. */
static void enable(struct fake_env *fe)
{
	wr(fe, 0x2c, 0x70);
	wr(fe, 0x30, 0x301);
}

static size_t type(struct dev *d, const char *text)
{
	return d->ops->input(d, (const uint8_t *)text, strlen(text));
}

TEST(pl011, reset_values)
{
	struct dev *d;
	struct fake_env *fe = new_uart(&d);

	for (int round = 0; round < 2; round++) {
		EXPECT_EQ(rd(fe, 0x04), 0);
		EXPECT_EQ(rd(fe, 0x18) & 0xf8, 0x90); /* TXFE, RXFE; modem inputs are the peer's */
		EXPECT_EQ(rd(fe, 0x24), 0);
		EXPECT_EQ(rd(fe, 0x28), 0);
		EXPECT_EQ(rd(fe, 0x2c), 0);
		EXPECT_EQ(rd(fe, 0x30), 0x300);
		EXPECT_EQ(rd(fe, 0x34), 0x12);
		EXPECT_EQ(rd(fe, 0x38), 0);
		EXPECT_EQ(rd(fe, 0x3c) & 0x7f0, 0);
		EXPECT_EQ(rd(fe, 0x48), 0);
		/* Change everything, then reset must undo it. */
		enable(fe);
		wr(fe, 0x24, 0xffff);
		wr(fe, 0x28, 0xffff);
		wr(fe, 0x34, 0);
		wr(fe, 0x38, 0x7ff);
		wr(fe, 0x48, 7);
		type(d, "xyz");
		wr(fe, 0x00, 'a');
		EXPECT(fe->level[SPI]);
		d->ops->reset(d);
		EXPECT(!fe->level[SPI]);
	}
	fake_env_free(fe);
}

TEST(pl011, identifies_itself)
{
	static const uint8_t want[8] = {0x11, 0x10, 0x24, 0x00, 0x0d, 0xf0, 0x05, 0xb1};
	struct dev *d;
	struct fake_env *fe = new_uart(&d);

	for (unsigned i = 0; i < 8; i++)
		EXPECT_EQ(rd(fe, 0xfe0 + 4 * i), want[i]);
	fake_env_free(fe);
}

TEST(pl011, writable_bits_are_the_manuals)
{
	static const struct {
		unsigned off;
		uint32_t bits;
	} reg[] = {{0x20, 0xff},   {0x24, 0xffff}, {0x28, 0x3f},  {0x2c, 0xff},
		   {0x30, 0xff87}, {0x34, 0x3f},   {0x38, 0x7ff}, {0x48, 0x7}};
	struct dev *d;
	struct fake_env *fe = new_uart(&d);

	for (unsigned i = 0; i < sizeof(reg) / sizeof(reg[0]); i++) {
		wr(fe, reg[i].off, UINT32_MAX);
		EXPECT_EQ(rd(fe, reg[i].off), reg[i].bits);
		wr(fe, reg[i].off, 0);
		EXPECT_EQ(rd(fe, reg[i].off), 0);
	}
	wr(fe, 0x18, UINT32_MAX); /* FR, RIS, MIS are read-only */
	wr(fe, 0x3c, UINT32_MAX);
	wr(fe, 0x40, UINT32_MAX);
	EXPECT_EQ(rd(fe, 0x3c) & 0x7f0, 0);
	EXPECT_EQ(fe->guest_errors, 3);
	fake_env_free(fe);
}

TEST(pl011, sends_and_raises_the_transmit_interrupt)
{
	struct dev *d;
	struct fake_env *fe = new_uart(&d);

	enable(fe);
	wr(fe, 0x38, 0x20);
	EXPECT(!fe->level[SPI]);
	fake_write(fe, UART, 1, 'h');
	wr(fe, 0x00, 'i');
	EXPECT_STR(fe->console, "hi");
	EXPECT_EQ(rd(fe, 0x3c), 0x20);
	EXPECT_EQ(rd(fe, 0x40), 0x20);
	EXPECT(fe->level[SPI]);
	wr(fe, 0x44, 0x20);
	EXPECT(!fe->level[SPI]);
	EXPECT_EQ(rd(fe, 0x3c), 0);
	EXPECT_EQ(rd(fe, 0x18) & 0xa0, 0x80); /* TXFE, not TXFF: always room */
	fake_env_free(fe);
}

TEST(pl011, disabled_sending_is_counted)
{
	struct dev *d;
	struct fake_env *fe = new_uart(&d);

	wr(fe, 0x00, 'e');
	EXPECT_STR(fe->console, "e");
	EXPECT_EQ(fe->guest_errors, 1);
	fake_env_free(fe);
}

TEST(pl011, receives_for_a_guest_that_enables_nothing)
{
	struct dev *d;
	struct fake_env *fe = new_uart(&d);

	EXPECT_EQ(type(d, "ab"), 1);
	EXPECT_EQ(rd(fe, 0x18) & 0x10, 0);
	EXPECT_EQ(rd(fe, 0x00), 'a');
	EXPECT_EQ(rd(fe, 0x18) & 0x10, 0x10);
	EXPECT_EQ(type(d, "b"), 1);
	EXPECT_EQ(rd(fe, 0x00), 'b');
	fake_env_free(fe);
}

TEST(pl011, receives_through_the_fifo_with_back_pressure)
{
	struct dev *d;
	struct fake_env *fe = new_uart(&d);

	wr(fe, 0x30, 0x381);
	EXPECT_EQ(type(d, "a"), 0); /* loopback: it stays with the host */
	enable(fe);
	EXPECT_EQ(type(d, "0123456789abcdefXYZ"), 16);
	EXPECT_EQ(rd(fe, 0x18) & 0x50, 0x40); /* RXFF, not RXFE */
	for (unsigned i = 0; i < 16; i++)
		EXPECT_EQ(rd(fe, 0x00), "0123456789abcdef"[i]);
	EXPECT_EQ(rd(fe, 0x18) & 0x50, 0x10);
	EXPECT_EQ(rd(fe, 0x00), 0);
	EXPECT_EQ(rd(fe, 0x3c) & 0x400, 0); /* nothing was lost */
	fake_env_free(fe);
}

TEST(pl011, without_fifo_holds_one_character)
{
	struct dev *d;
	struct fake_env *fe = new_uart(&d);

	wr(fe, 0x30, 0x301);
	wr(fe, 0x38, 0x10);
	EXPECT_EQ(type(d, "ab"), 1);
	EXPECT(fe->level[SPI]);
	EXPECT_EQ(rd(fe, 0x18) & 0x50, 0x40);
	EXPECT_EQ(rd(fe, 0x00), 'a');
	EXPECT(!fe->level[SPI]);
	fake_env_free(fe);
}

TEST(pl011, receive_interrupt_follows_the_trigger_level)
{
	static const uint8_t level[5] = {2, 4, 8, 12, 14};
	struct dev *d;
	struct fake_env *fe = new_uart(&d);

	enable(fe);
	wr(fe, 0x38, 0x10);
	for (unsigned i = 0; i < 5; i++) {
		wr(fe, 0x34, i << 3);
		for (unsigned n = 1; n <= level[i]; n++) {
			type(d, "x");
			EXPECT_EQ(fe->level[SPI], n == level[i]);
		}
		rd(fe, 0x00);
		EXPECT(!fe->level[SPI]);
		while (!(rd(fe, 0x18) & 0x10))
			rd(fe, 0x00);
	}
	fake_env_free(fe);
}

TEST(pl011, receive_timeout_stays_until_empty_or_cleared)
{
	struct dev *d;
	struct fake_env *fe = new_uart(&d);

	enable(fe);
	wr(fe, 0x38, 0x40);
	type(d, "ab");
	EXPECT(fe->level[SPI]);
	rd(fe, 0x00);
	EXPECT(fe->level[SPI]);
	rd(fe, 0x00);
	EXPECT(!fe->level[SPI]);
	type(d, "c");
	wr(fe, 0x44, 0x40);
	EXPECT(!fe->level[SPI]);
	EXPECT_EQ(rd(fe, 0x00), 'c');
	fake_env_free(fe);
}

TEST(pl011, loopback_returns_data_modem_lines_and_overrun)
{
	struct dev *d;
	struct fake_env *fe = new_uart(&d);

	enable(fe);
	wr(fe, 0x30, 0x381);
	EXPECT_EQ(rd(fe, 0x18) & 0x107, 0);
	wr(fe, 0x30, 0x3f81);
	EXPECT_EQ(rd(fe, 0x18) & 0x107, 0x107);
	EXPECT_EQ(rd(fe, 0x3c) & 0xf, 0xf);
	EXPECT_EQ(type(d, "outside"), 0);
	for (unsigned i = 0; i < 17; i++)
		wr(fe, 0x00, 'A' + i);
	EXPECT_EQ(fe->console_len, 0);
	EXPECT_EQ(rd(fe, 0x3c) & 0x400, 0x400);
	EXPECT_EQ(rd(fe, 0x04), 8);
	for (unsigned i = 0; i < 16; i++)
		EXPECT_EQ(rd(fe, 0x00), 'A' + i);
	wr(fe, 0x00, 'Z'); /* the first that fits again says that one was lost */
	EXPECT_EQ(rd(fe, 0x00), 'Z' | 0x800);
	wr(fe, 0x00, 'Y');
	EXPECT_EQ(rd(fe, 0x00), 'Y');
	wr(fe, 0x04, 0);
	EXPECT_EQ(rd(fe, 0x04), 0);
	fake_env_free(fe);
}

TEST(pl011, turning_the_fifos_off_empties_them)
{
	struct dev *d;
	struct fake_env *fe = new_uart(&d);

	enable(fe);
	type(d, "abc");
	wr(fe, 0x2c, 0x60);
	EXPECT_EQ(rd(fe, 0x18) & 0x50, 0x10);
	EXPECT_EQ(rd(fe, 0x3c) & 0x50, 0);
	fake_env_free(fe);
}

TEST(pl011, every_offset_and_width_is_answered)
{
	struct dev *d;
	struct fake_env *fe = new_uart(&d);

	for (uint64_t off = 0; off < 0x1000; off++) {
		for (unsigned len = 1; len <= 8; len *= 2) {
			fake_write(fe, UART + off, len, UINT64_MAX);
			fake_read(fe, UART + off, len);
		}
	}
	EXPECT(fe->guest_errors);
	fake_env_free(fe);
}
