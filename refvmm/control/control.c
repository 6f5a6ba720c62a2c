/* SPDX-License-Identifier: Apache-2.0 */
/* The socket and its clients; nothing here blocks. */
#include "control/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_BACKLOG 8

struct client {
	int fd;		  /* -1: free */
	uint64_t last;	  /* turn of its last request or connection */
	size_t len;	  /* of what is in line[] */
	bool skipping;	  /* until the next newline: the line was too long */
	bool closing;	  /* nothing more comes; ends once the answer is out */
	struct reply out; /* being sent; out.len 0: nothing */
	size_t out_at;	  /* sent so far */
	char line[CONTROL_LINE_MAX + 1];
};

struct control {
	const char *path;
	const struct control_command *commands;
	void *host;
	int fd;
	dev_t dev; /* of our own socket, so that no other is taken away */
	ino_t ino;
	uint64_t turn;
	struct client *client[CONTROL_CLIENTS_MAX];
};

/* ---- the socket */

static int say_taken(const char *path)
{
	return err_usage("--control %s: the file exists, and nothing is overwritten; remove it or "
			 "name another",
			 path);
}

/* Mode 0600 from its first moment on: nobody else connects between bind() and chmod(). */
static int bind_private(int fd, const char *path, struct stat *st)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	mode_t before = umask(0177);
	int err = 0;

	memcpy(a.sun_path, path, strlen(path));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)))
		err = errno;
	umask(before);
	if (err == EADDRINUSE)
		return say_taken(path);
	if (err)
		return err_usage("--control %s: %s", path, strerror(err));
	if (stat(path, st) || listen(fd, LISTEN_BACKLOG)) {
		err = errno;
		unlink(path);
		return err_host(err, "--control %s", path);
	}
	return 0;
}

int control_open(struct control **out, const char *path, const struct control_command *commands,
		 void *host)
{
	struct stat st = {0};
	struct control *c;
	int ret;

	if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return err_usage("--control %.40s…: a socket's path has at most %zu bytes", path,
				 sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_host(ENOMEM, "--control %s", path);
	*c = (struct control){.path = path, .commands = commands, .host = host};
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ret = c->fd < 0 ? err_host(errno, "--control %s: socket", path)
			: bind_private(c->fd, path, &st);
	if (ret) {
		if (c->fd >= 0)
			close(c->fd);
		free(c);
		return ret;
	}
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	*out = c;
	return 0;
}

static void client_drop(struct control *c, unsigned i)
{
	struct client *cl = c->client[i];

	if (!cl)
		return;
	close(cl->fd);
	free(cl->out.buf);
	free(cl);
	c->client[i] = NULL;
}

void control_close(struct control *c)
{
	struct stat st;

	if (!c)
		return;
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
		client_drop(c, i);
	if (!stat(c->path, &st) && st.st_dev == c->dev && st.st_ino == c->ino)
		unlink(c->path);
	close(c->fd);
	free(c);
}

/* ---- clients */

/* A free place, or that of the client that was silent for the longest time. */
static unsigned place(struct control *c)
{
	unsigned oldest = 0;

	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		if (!c->client[i])
			return i;
		if (c->client[i]->last < c->client[oldest]->last)
			oldest = i;
	}
	client_drop(c, oldest);
	return oldest;
}

static void accept_one(struct control *c)
{
	int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct client *cl;

	if (fd < 0)
		return; /* it went away again, or there are no descriptors left: it can try again */
	cl = calloc(1, sizeof(*cl));
	if (!cl) {
		close(fd);
		return;
	}
	cl->fd = fd;
	cl->last = ++c->turn;
	c->client[place(c)] = cl;
}

/* False: the client is gone. */
static bool flush(struct client *cl)
{
	while (cl->out_at < cl->out.len) {
		ssize_t n = send(cl->fd, cl->out.buf + cl->out_at, cl->out.len - cl->out_at,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		cl->out_at += (size_t)n;
	}
	free(cl->out.buf);
	cl->out = (struct reply){0};
	cl->out_at = 0;
	return true;
}

static bool busy(const struct client *cl)
{
	return cl->out.len != 0;
}

/* False: it closed its side. */
static bool fill(struct client *cl)
{
	ssize_t n = recv(cl->fd, cl->line + cl->len, CONTROL_LINE_MAX - cl->len, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	cl->len += (size_t)n;
	return n > 0;
}

static void consume(struct client *cl, size_t n)
{
	memmove(cl->line, cl->line + n, cl->len - n);
	cl->len -= n;
}

static void answer_too_long(struct client *cl)
{
	reply_begin(&cl->out, NULL);
	reply_error(&cl->out, "line", "a line of more than %u bytes", CONTROL_LINE_MAX);
	reply_end(&cl->out);
}

static bool has_line(const struct client *cl)
{
	return cl->len == CONTROL_LINE_MAX || memchr(cl->line, '\n', cl->len);
}

/* Handles one line, or drops what is too long to be one. */
static void take_line(struct control *c, struct client *cl)
{
	char *newline = memchr(cl->line, '\n', cl->len);
	size_t n = newline ? (size_t)(newline - cl->line) : cl->len;

	if (!newline || cl->skipping) {
		if (!cl->skipping)
			answer_too_long(cl);
		cl->skipping = !newline;
		consume(cl, newline ? n + 1 : n);
		return;
	}
	*newline = '\0';
	cl->last = ++c->turn;
	if (n)
		control_answer(c->commands, c->host, cl->line, n, &cl->out);
	consume(cl, n + 1);
}

/* True: it has more to do at once. */
static bool serve_client(struct control *c, unsigned i, short events)
{
	struct client *cl = c->client[i];

	if (!busy(cl) && !cl->closing && cl->len < CONTROL_LINE_MAX &&
	    (events & (POLLIN | POLLHUP | POLLERR)) && !fill(cl))
		cl->closing = true;
	if (!busy(cl) && has_line(cl))
		take_line(c, cl);
	if (busy(cl) && !flush(cl)) {
		client_drop(c, i);
		return false;
	}
	if (busy(cl))
		return false; /* poll() says when it reads again */
	if (cl->closing && !has_line(cl)) {
		client_drop(c, i);
		return false;
	}
	return has_line(cl);
}

unsigned control_pollfds(const struct control *c, struct pollfd *fd)
{
	unsigned nr = 0;

	fd[nr++] = (struct pollfd){.fd = c->fd, .events = POLLIN};
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		const struct client *cl = c->client[i];

		/* poll() skips -1, and each client keeps its place */
		fd[nr++] = (struct pollfd){
			.fd = cl ? cl->fd : -1,
			.events = cl && busy(cl) ? POLLOUT : POLLIN,
		};
	}
	return nr;
}

bool control_serve(struct control *c, const struct pollfd *fd, unsigned nr)
{
	bool more = false;

	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX && i + 1 < nr; i++) {
		if (c->client[i] && c->client[i]->fd == fd[i + 1].fd)
			more |= serve_client(c, i, fd[i + 1].revents);
	}
	if (fd[0].revents)
		accept_one(c);
	return more;
}
