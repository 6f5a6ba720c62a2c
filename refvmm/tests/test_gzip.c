/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking what gzip packed, at each of its levels; and nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "boot.h"
#include "core/err.h"
#include "core/gzip.h"
#include "tests/boot_samples.h"
#include "tests/unit.h"

#define CONTENT 300000U
#define KERNEL	((1U << 20) + 1000) /* enough for file_forget() to do something */

/* Some of it repeats near and far, some does not, so that all kinds of blocks and codes come up. */
static uint8_t *content(void)
{
	uint8_t *p = malloc(CONTENT);
	uint32_t x = 1;

	for (unsigned i = 0; p && i < CONTENT; i++) {
		x = x * 1664525 + 1013904223;
		if (i < 60000)
			p[i] = (uint8_t)(x >> 24);
		else if (i < 200000)
			p[i] = x >> 30 ? p[i - 30000 - i % 7] : (uint8_t)(x >> 20);
		else
			p[i] = (uint8_t)(i / 1000);
	}
	return p;
}

/* The file gzip makes of it, with the options given. */
static uint8_t *gzipped(const void *data, size_t len, const char *options, size_t *out_len)
{
	char path[] = "/tmp/refvmm-gzip-XXXXXX", command[80];
	uint8_t *out = malloc(len + 4096);
	int fd = mkstemp(path);
	FILE *p;

	if (!out || fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd))
		abort();
	snprintf(command, sizeof(command), "gzip -c %s %s", options, path);
	p = popen(command, "r"); /* NOLINT(cert-env33-c): the reference */
	if (!p)
		abort();
	*out_len = fread(out, 1, len + 4096, p);
	if (pclose(p) || unlink(path))
		abort();
	return out;
}

/* Each copy has its exact size, so that ASan sees one byte too far. */
static const char *unpack_copy(const uint8_t *file, size_t len, size_t out_len)
{
	uint8_t *copy = malloc(len ? len : 1), *out = malloc(out_len);
	const char *why;

	memcpy(copy, file, len);
	if (len < 18)
		EXPECT_EQ(gzip_size(copy, len), 0);
	why = gzip_unpack(copy, len, out, out_len);
	free(copy);
	free(out);
	return why;
}

TEST(gzip, what_gzip_packed_is_unpacked)
{
	static const char *const options[] = {"-1", "-6 -n", "-9"};
	uint8_t *data = content(), *out = malloc(CONTENT);

	for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		size_t len;
		uint8_t *file = gzipped(data, CONTENT, options[i], &len);

		EXPECT(gzip_detect(file, len));
		EXPECT_EQ(gzip_size(file, len), CONTENT);
		memset(out, 0, CONTENT);
		EXPECT(!gzip_unpack(file, len, out, CONTENT));
		EXPECT(!memcmp(out, data, CONTENT));
		EXPECT(gzip_unpack(file, len, out, CONTENT - 1));
		EXPECT(unpack_copy(file, len, CONTENT + 1));
		free(file);
	}
	free(data);
	free(out);
}

/* RFC 1951, 3.2.6: "ab" repeated; and 3.2.4. */
TEST(gzip, fixed_codes_and_stored_blocks)
{
	static const uint8_t stored[] = {0x1f, 0x8b, 8,	   0, 0,    0,	  0,   0,   0,
					 3,    1,    2,	   0, 0xfd, 0xff, 'h', 'i', 0xac,
					 0x2a, 0x93, 0xd8, 2, 0,    0,	  0};
	uint8_t out[64], ab[40];
	size_t len;
	uint8_t *file;

	memset(ab, 'a', sizeof(ab));
	file = gzipped(ab, sizeof(ab), "-9", &len);
	EXPECT(!gzip_unpack(file, len, out, sizeof(ab)));
	EXPECT(!memcmp(out, ab, sizeof(ab)));
	free(file);
	EXPECT(!gzip_unpack(stored, sizeof(stored), out, 2));
	EXPECT(!memcmp(out, "hi", 2));
}

TEST(gzip, damaged_files_are_refused)
{
	uint8_t *data = content();
	size_t len;
	uint8_t *file = gzipped(data + 150000, 60000, "-6 -n", &len), *out = malloc(60000);
	unsigned changed = 0, refused = 0;

	EXPECT(!unpack_copy(file, len, 60000));
	for (size_t cut = 0; cut < len; cut += cut < 64 ? 1 : 331)
		EXPECT(unpack_copy(file, cut, 60000));
	for (size_t at = 10; at < len; at += at < 200 ? 1 : 173) {
		uint8_t was = file[at];

		file[at] ^= (uint8_t)(1U << at % 8);
		/* what describes a code that is never used may change */
		EXPECT(gzip_unpack(file, len, out, 60000) || !memcmp(out, data + 150000, 60000));
		refused += unpack_copy(file, len, 60000) != NULL;
		changed++;
		file[at] = was;
	}
	EXPECT(refused > changed * 9 / 10);
	for (size_t at = len - 8; at < len; at++) { /* RFC 1952, 2.3.1: CRC32 and ISIZE */
		file[at] ^= 0x40;
		EXPECT(unpack_copy(file, len, 60000));
		file[at] ^= 0x40;
	}
	memset(file + len, 0, 4); /* something behind it, whose end says the right size */
	memcpy(file + len + 4, file + len - 4, 4);
	EXPECT_EQ(gzip_size(file, len + 8), 60000);
	EXPECT(unpack_copy(file, len + 8, 60000));
	free(out);
	free(file);
	free(data);
}

TEST(gzip, a_damaged_kernel_stays_what_it_is)
{
	uint8_t *data = content();
	size_t len;
	uint8_t *packed = gzipped(data, CONTENT, "-6 -n", &len);
	struct file f = {packed, len};

	packed[len / 2] ^= 0x10; /* its checksum is wrong, if nothing else */
	EXPECT_EQ(boot_unpack(&f, "k"), (uint64_t)-ERR_USAGE);
	EXPECT(f.data == packed && f.len == len);
	free(packed);
	free(data);
}

/* A kernel in gzip, and in the EFI container with gzip. */
TEST(gzip, a_packed_kernel_becomes_what_is_in_it)
{
	static uint8_t kernel[KERNEL];
	struct sample_image i = sample_image();
	uint8_t zboot[64 + 4096] = {'M', 'Z', 0, 0, 'z', 'i', 'm', 'g', 64};
	char path[] = "/tmp/refvmm-packed-XXXXXX";
	size_t len;
	uint8_t *file;

	memcpy(kernel, &i, sizeof(i));
	file = gzipped(kernel, KERNEL, "-9", &len);
	if (len > sizeof(zboot) - 64)
		abort();
	memcpy(zboot + 12, &(uint32_t){(uint32_t)len}, 4);
	memcpy(zboot + 24, "gzip", 4);
	memcpy(zboot + 64, file, len);
	for (unsigned n = 0; n < 3; n++) {
		const void *data = n ? (const void *)zboot : file;
		int fd = mkostemp(path, 0);
		struct file f;

		if (n == 2) /* its content is said to lie outside */
			zboot[12] = zboot[13] = 0xff;
		if (fd < 0 || write(fd, data, n ? sizeof(zboot) : len) < 0 || close(fd))
			abort();
		ASSERT_EQ(file_open(&f, "--kernel", path), 0);
		EXPECT(boot_packed(f.data, f.len));
		EXPECT_EQ(boot_unpack(&f, path) < 0, n == 2);
		if (n < 2) {
			EXPECT_EQ(f.len, KERNEL);
			file_forget(&f); /* it must still be there */
			EXPECT(!memcmp(f.data, kernel, KERNEL));
		}
		file_close(&f);
		unlink(path);
		memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	}
	free(file);
}
