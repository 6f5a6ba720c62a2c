/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket with commands of its own: answers, and clients that mean harm. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/control.h"
#include "tests/unit.h"

struct world {
	struct control *c;
	char folder[64], path[100];
	unsigned pings;
};

static void ping(void *host, const struct json_object *q, struct reply *r)
{
	struct world *w = host;

	(void)q;
	reply_u64(r, "pings", ++w->pings);
}

static void number(void *host, const struct json_object *q, struct reply *r)
{
	uint64_t n;

	(void)host;
	if (control_number(q, "n", 7, &n, r))
		reply_hex(r, "n", n);
}

static void flood(void *host, const struct json_object *q, struct reply *r)
{
	(void)host;
	(void)q;
	for (unsigned i = 0; i < 100000; i++)
		reply_u64(r, "n", i);
}

/* As long as an answer may be. */
static void big(void *host, const struct json_object *q, struct reply *r)
{
	(void)host;
	(void)q;
	for (unsigned i = 0; i < 7000; i++)
		reply_u64(r, "n", 1);
}

static const struct control_command commands[] = {
	{"ping", "", ping}, {"number", "n", number}, {"flood", "", flood},
	{"big", "", big},   {NULL, NULL, NULL},
};

static void world_open(struct world *w)
{
	*w = (struct world){0};
	snprintf(w->folder, sizeof(w->folder), "/tmp/refvmm-control-XXXXXX");
	if (!mkdtemp(w->folder))
		abort();
	snprintf(w->path, sizeof(w->path), "%s/s", w->folder);
	if (control_open(&w->c, w->path, commands, w))
		abort();
}

static void world_close(struct world *w)
{
	control_close(w->c);
	EXPECT(rmdir(w->folder) == 0); /* the socket is gone, too */
}

static int client(const struct world *w)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", w->path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		abort();
	return fd;
}

/* As the machine's main thread does it, until nothing is left to do. */
static void serve(struct world *w)
{
	bool more = false;

	for (unsigned idle = 0; idle < 2; idle++) {
		struct pollfd fd[CONTROL_POLLFDS];
		unsigned nr = control_pollfds(w->c, fd);

		EXPECT_EQ(nr, CONTROL_POLLFDS);
		if (poll(fd, nr, 0) > 0 || more)
			idle = 0;
		more = control_serve(w->c, fd, nr);
	}
}

static size_t hear(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	return len;
}

static void ask(struct world *w, int fd, const char *text, const char *want)
{
	char got[1024];

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	serve(w);
	hear(fd, got, sizeof(got));
	if (strcmp(got, want) != 0)
		unit_fail_str(__FILE__, __LINE__, text, got, want);
}

static void ask_for(struct world *w, int fd, const char *text, const char *part)
{
	char got[1024];

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		abort();
	serve(w);
	hear(fd, got, sizeof(got));
	if (!strstr(got, part) || !strchr(got, '\n') || strchr(got, '\n')[1])
		unit_fail_str(__FILE__, __LINE__, text, got, part);
}

TEST(control, requests_are_answered)
{
	struct world w;
	int fd;

	world_open(&w);
	fd = client(&w);
	ask(&w, fd, "{\"command\":\"ping\"}\n", "{\"ok\": true, \"result\": {\"pings\": 1}}\n");
	ask(&w, fd, "{\"command\":\"ping\",\"id\":7}\n",
	    "{\"ok\": true, \"id\": 7, \"result\": {\"pings\": 2}}\n");
	ask(&w, fd, "{\"command\":\"number\",\"n\":5,\"id\":\"a\\\"\\u0001\"}\n",
	    "{\"ok\": true, \"id\": \"a\\\"\\u0001\", \"result\": {\"n\": \"0x5\"}}\n");
	ask(&w, fd, "\n{\"command\":\"ping\"}\n{\"command\":\"ping\"}\n{\"comm",
	    "{\"ok\": true, \"result\": {\"pings\": 3}}\n"
	    "{\"ok\": true, \"result\": {\"pings\": 4}}\n");
	ask(&w, fd, "and\":\"ping\"}\n", "{\"ok\": true, \"result\": {\"pings\": 5}}\n");
	close(fd);
	world_close(&w);
}

TEST(control, wrong_requests_are_answered_with_what_is_wrong)
{
	struct world w;
	int fd;

	world_open(&w);
	fd = client(&w);
	ask_for(&w, fd, "nonsense\n", "\"kind\": \"line\"");
	ask_for(&w, fd, "{\"command\":\"pong\"}\n", "\"kind\": \"unknown\"");
	ask_for(&w, fd, "{\"command\":7}\n", "\"kind\": \"usage\"");
	ask_for(&w, fd, "{\"id\":1.5,\"command\":\"ping\"}\n", "\"kind\": \"usage\"");
	ask_for(&w, fd, "{\"command\":\"ping\",\"n\":1}\n", "ping takes no");
	ask_for(&w, fd, "{\"command\":\"number\"}\n", "n: want a whole number from 0 to 7");
	ask_for(&w, fd, "{\"command\":\"number\",\"n\":8}\n", "from 0 to 7");
	ask_for(&w, fd, "{\"command\":\"number\",\"n\":-1}\n", "from 0 to 7");
	ask_for(&w, fd, "{\"command\":\"number\",\"n\":\"1\"}\n", "from 0 to 7");
	ask_for(&w, fd, "{\"command\":\"flood\",\"id\":3}\n", "longer than");
	EXPECT_EQ(w.pings, 0);
	close(fd);
	world_close(&w);
}

TEST(control, every_refused_command_says_why_and_what_instead)
{
	struct world w;
	int fd;

	world_open(&w);
	fd = client(&w);
	for (size_t i = 0; i < refuse_count; i++) {
		char line[128], part[256];

		if (refuse_table[i].kind != REFUSE_COMMAND)
			continue;
		snprintf(line, sizeof(line), "{\"command\":\"%s\",\"arguments\":{\"x\":[1]}}\n",
			 refuse_table[i].name);
		snprintf(part, sizeof(part), "\"kind\": \"refused\", \"name\": \"%s\"",
			 refuse_table[i].name);
		ask_for(&w, fd, line, part);
		snprintf(part, sizeof(part), "\"instead\": \"%s\"}}", refuse_table[i].instead);
		ask_for(&w, fd, line, part);
	}
	close(fd);
	world_close(&w);
}

TEST(control, a_long_line_costs_only_itself)
{
	static const char ping_line[] = "{\"command\":\"ping\"}";
	static char mib[1 << 20];
	struct world w;
	char got[4096];
	size_t sent = 0;
	int fd;

	world_open(&w);
	fd = client(&w);
	memset(mib, 'x', sizeof(mib));
	while (sent < sizeof(mib)) {
		ssize_t n = write(fd, mib + sent, sizeof(mib) - sent);

		if (n > 0)
			sent += (size_t)n;
		serve(&w);
	}
	EXPECT(hear(fd, got, sizeof(got)) < 200 && strstr(got, "more than 4096 bytes"));
	ask(&w, fd, "\n{\"command\":\"ping\"}\n", "{\"ok\": true, \"result\": {\"pings\": 1}}\n");
	/* the longest that is none: the newline is byte 4096 */
	memset(got, ' ', CONTROL_LINE_MAX);
	for (unsigned i = 0; ping_line[i]; i++)
		got[i] = ping_line[i];
	got[CONTROL_LINE_MAX - 1] = '\n';
	EXPECT_EQ(write(fd, got, CONTROL_LINE_MAX), CONTROL_LINE_MAX);
	serve(&w);
	EXPECT(hear(fd, got, sizeof(got)) && strstr(got, "\"pings\": 2"));
	close(fd);
	world_close(&w);
}

TEST(control, a_hundred_silent_clients_do_not_keep_a_new_one_out)
{
	struct world w;
	int fd[100], last;

	world_open(&w);
	for (unsigned i = 0; i < 100; i++) {
		fd[i] = client(&w);
		if (i % 3 == 0)
			EXPECT_EQ(write(fd[i], "{\"comm", 6), 6);
		if (i % 3 == 1)
			EXPECT_EQ(write(fd[i], "\xff\0\x80{}[\n", 7), 7);
		serve(&w);
	}
	last = client(&w);
	ask(&w, last, "{\"command\":\"ping\"}\n", "{\"ok\": true, \"result\": {\"pings\": 1}}\n");
	for (unsigned i = 0; i < 100; i++)
		close(fd[i]);
	serve(&w);
	ask(&w, last, "{\"command\":\"ping\"}\n", "{\"ok\": true, \"result\": {\"pings\": 2}}\n");
	close(last);
	world_close(&w);
}

TEST(control, who_never_reads_keeps_nobody_waiting)
{
	static const char line[] = "{\"command\":\"big\"}\n";
	struct world w;
	unsigned sent = 0;
	int deaf, fd;

	world_open(&w);
	deaf = client(&w);
	while (write(deaf, line, sizeof(line) - 1) > 0 && sent++ < 100000)
		serve(&w);
	EXPECT(sent > 3 && sent < 100000); /* it is not read from any more */
	fd = client(&w);
	ask(&w, fd, "{\"command\":\"ping\"}\n", "{\"ok\": true, \"result\": {\"pings\": 1}}\n");
	close(deaf);
	serve(&w);
	ask(&w, fd, "{\"command\":\"ping\"}\n", "{\"ok\": true, \"result\": {\"pings\": 2}}\n");
	close(fd);
	world_close(&w);
}

TEST(control, half_closed_clients_get_their_answers)
{
	struct world w;
	char got[512];
	int fd;

	world_open(&w);
	fd = client(&w);
	EXPECT(write(fd, "{\"command\":\"ping\"}\n{\"command\":\"ping\"}\n{\"half", 43) > 0);
	shutdown(fd, SHUT_WR);
	serve(&w);
	hear(fd, got, sizeof(got));
	EXPECT(strstr(got, "\"pings\": 1") && strstr(got, "\"pings\": 2"));
	EXPECT_EQ(read(fd, got, 1), 0); /* and then its end */
	close(fd);
	world_close(&w);
}

TEST(control, nothing_that_exists_is_overwritten)
{
	struct control *other;
	struct stat st;
	struct world w;
	char path[200];
	FILE *f;

	world_open(&w);
	EXPECT(!stat(w.path, &st) && (st.st_mode & 07777) == 0600);
	EXPECT(control_open(&other, w.path, commands, &w) < 0); /* somebody listens */
	snprintf(path, sizeof(path), "%s/file", w.folder);
	f = fopen(path, "we");
	ASSERT(f && fputs("mine", f) >= 0 && !fclose(f));
	EXPECT(control_open(&other, path, commands, &w) < 0);
	EXPECT(!stat(path, &st) && st.st_size == 4);
	unlink(path);
	ASSERT(!symlink("/nonexistent/x", path));
	EXPECT(control_open(&other, path, commands, &w) < 0);
	unlink(path);
	snprintf(path, sizeof(path), "%s/no/such/folder", w.folder);
	EXPECT(control_open(&other, path, commands, &w) < 0);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	EXPECT(control_open(&other, path, commands, &w) < 0);
	world_close(&w);
}

TEST(control, the_file_of_another_is_left_alone)
{
	struct world w;
	FILE *f;

	world_open(&w);
	unlink(w.path);
	f = fopen(w.path, "we"); /* it stands where ours was */
	ASSERT(f && !fclose(f));
	control_close(w.c);
	EXPECT(unlink(w.path) == 0);
	EXPECT(rmdir(w.folder) == 0);
}
