/* The other end of a D-Bus connection, in a thread: systemd as setup/bus*.c sees it, or one that fails at a
 * point. Messages are put together by hand, so that they can be as wrong as one likes (the D-Bus
 * specification, "Message Protocol", "Authentication Protocol"). */
#ifndef T_UNIT_PEER_H
#define T_UNIT_PEER_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "setup/base/text.h"

#define PEER_SYSTEMD ":1.1"
#define PEER_JOB "/org/freedesktop/systemd1/job/7"

enum { PEER_RETURN = 2, PEER_ERROR = 3, PEER_SIGNAL = 4 };

/* A call that came in. name: the method's, for properties the property's; path: what it is called on. What is in
 * it is the peer's body until the next one. */
struct peer_call {
	uint32_t serial;
	char name[64];
	char path[192];	/* of the object */
	char first[128];	/* the first argument, when it is a string */
};

struct peer {
	int listener, fd, stop;
	pthread_t thread;
	uint32_t serial;
	/* Answers a call; false ends the connection. */
	bool (*answer)(struct peer *peer, const struct peer_call *call);
	bool mute;		/* not even authentication is answered */
	bool deaf;		/* nothing more is read */
	bool named;		/* this connection is one to a bus, with names: Hello was called */
	const char *as;		/* who sends, NULL for systemd itself: PEER_SYSTEMD on a bus, else no name */
	uint32_t job;		/* what "Job" of a unit answers: 0 for none */
	unsigned late;		/* milliseconds that a job takes */
	char buffer[4096];	/* what was received and not yet taken: from at to end */
	size_t at, end;
	unsigned calls;
	struct text heard;	/* the body of the last StartTransientUnit */
	const void *plan;	/* answer's own */
	struct text body;	/* of the last call */
};

static inline void peer_align(struct text *t, size_t n)
{
	while (t->len % n)
		text_add_bytes(t, "", 1);
}

static inline void peer_u32(struct text *t, uint32_t v)
{
	peer_align(t, 4);
	text_add_bytes(t, &v, sizeof(v));
}

static inline void peer_u64(struct text *t, uint64_t v)
{
	peer_align(t, 8);
	text_add_bytes(t, &v, sizeof(v));
}

static inline void peer_string(struct text *t, const char *s)
{
	peer_u32(t, (uint32_t)strlen(s));
	text_add_bytes(t, s, strlen(s) + 1);
}

static inline void peer_signature(struct text *t, const char *s)
{
	unsigned char n = (unsigned char)strlen(s);

	text_add_bytes(t, &n, 1);
	text_add_bytes(t, s, n + 1u);
}

/* A header field: a byte, and a variant. */
static inline void peer_field(struct text *t, char code, const char *type, const char *string, uint32_t number)
{
	peer_align(t, 8);
	text_add_bytes(t, &code, 1);
	peer_signature(t, type);
	if (*type == 'u')
		peer_u32(t, number);
	else if (*type == 'g')
		peer_signature(t, string);
	else
		peer_string(t, string);
}

/* A whole message; name: of an error or a signal. */
static inline void peer_message(struct peer *peer, struct text *out, char type, uint32_t reply_to, const char *name,
				const char *signature, const struct text *body)
{
	const char head[4] = { 'l', type, 1, 1 };
	_cleanup_text_ struct text fields = { 0 };

	/* Fields are aligned as in the message, where 16 bytes stand before them. */
	if (type == PEER_SIGNAL) {
		peer_field(&fields, 1, "o", "/org/freedesktop/systemd1", 0);
		peer_field(&fields, 2, "s", "org.freedesktop.systemd1.Manager", 0);
		peer_field(&fields, 3, "s", name, 0);
	} else {
		peer_field(&fields, 5, "u", NULL, reply_to);
	}
	if (type == PEER_ERROR)
		peer_field(&fields, 4, "s", name, 0);
	if (*signature)
		peer_field(&fields, 8, "g", signature, 0);
	if (peer->as || peer->named)
		peer_field(&fields, 7, "s", peer->as ? peer->as : PEER_SYSTEMD, 0);
	text_add_bytes(out, head, sizeof(head));
	peer_u32(out, body ? (uint32_t)body->len : 0);
	peer_u32(out, ++peer->serial);
	peer_u32(out, (uint32_t)fields.len);
	text_add_bytes(out, fields.s, fields.len);
	peer_align(out, 8);
	if (body && body->len)
		text_add_bytes(out, body->s, body->len);
}

static inline bool peer_send(struct peer *peer, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size > 0) {
		ssize_t n = send(peer->fd, at, size, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += n;
		size -= (size_t)n;
	}
	return true;
}

static inline bool peer_reply(struct peer *peer, const struct peer_call *call, const char *signature,
			      const struct text *body)
{
	_cleanup_text_ struct text m = { 0 };

	peer_message(peer, &m, PEER_RETURN, call->serial, NULL, signature, body);
	return peer_send(peer, m.s, m.len);
}

static inline bool peer_error(struct peer *peer, const struct peer_call *call, const char *name, const char *message)
{
	_cleanup_text_ struct text m = { 0 }, body = { 0 };

	peer_string(&body, message);
	peer_message(peer, &m, PEER_ERROR, call->serial, name, "s", &body);
	return peer_send(peer, m.s, m.len);
}

static inline bool peer_job_removed(struct peer *peer, const char *job, const char *result)
{
	_cleanup_text_ struct text m = { 0 }, body = { 0 };

	peer_u32(&body, 7);
	peer_string(&body, job);
	peer_string(&body, "x.service");
	peer_string(&body, result);
	peer_message(peer, &m, PEER_SIGNAL, 0, "JobRemoved", "uoss", &body);
	return peer_send(peer, m.s, m.len);
}

/* Waits for bytes, or to be stopped. */
static inline bool peer_wait(struct peer *peer, int fd)
{
	struct pollfd fds[] = { { .fd = peer->stop, .events = POLLIN }, { .fd = fd, .events = POLLIN } };

	while (poll(fds, fd < 0 ? 1 : 2, -1) < 0) { }
	return fds[0].revents == 0;
}

static inline bool peer_receive(struct peer *peer, void *to, size_t size)
{
	char *out = to;

	while (size > 0) {
		size_t n = peer->end - peer->at;

		if (n == 0 || peer->deaf) {
			ssize_t r = peer_wait(peer, peer->deaf ? -1 : peer->fd) ?
				recv(peer->fd, peer->buffer, sizeof(peer->buffer), 0) : 0;

			if (r <= 0)
				return false;
			peer->at = 0;
			peer->end = n = (size_t)r;
		}
		if (n > size)
			n = size;
		memcpy(out, peer->buffer + peer->at, n);
		peer->at += n;
		out += n;
		size -= n;
	}
	return true;
}

static inline const char *peer_sasl(const char *line)
{
	if (strcmp(line, "AUTH EXTERNAL\r\n") == 0)
		return "DATA\r\n";
	return strstr(line, "UNIX_FD") ? "AGREE_UNIX_FD\r\n" : "OK 0123456789abcdef0123456789abcdef\r\n";
}

/* SASL: whoever it is, OK. */
static inline bool peer_authenticate(struct peer *peer)
{
	char line[256];
	size_t n = 0;

	for (;;) {
		if (n == sizeof(line) - 1 || !peer_receive(peer, line + n, 1))
			return false;
		/* The NUL in front of AUTH. */
		if (line[n] == '\0')
			continue;
		if (line[n++] != '\n')
			continue;
		line[n] = '\0';
		n = 0;
		if (strcmp(line, "BEGIN\r\n") == 0)
			break;
		if (!peer->mute && !peer_send(peer, peer_sasl(line), strlen(peer_sasl(line))))
			return false;
	}
	if (peer->mute)
		peer_wait(peer, -1);
	return !peer->mute;
}

static inline uint32_t peer_number(const char *at)
{
	uint32_t v;

	memcpy(&v, at, sizeof(v));
	return v;
}

/* The second string of a body "ss". */
static inline void peer_second(const char *body, size_t size, char *out, size_t room)
{
	size_t at = size < 4 ? size : (4 + peer_number(body) + 1 + 3) & ~3u;

	snprintf(out, room, "%s", at + 4 < size ? body + at + 4 : "");
}

/* Reads one call: the method's name is header field 3. */
static inline bool peer_take_call(struct peer *peer, struct peer_call *call)
{
	char head[16];
	size_t size, fields, length;
	_cleanup_free_ char *rest = NULL;

	if (!peer_receive(peer, head, sizeof(head)))
		return false;
	length = peer_number(head + 4);
	fields = (peer_number(head + 12) + 7) & ~7u;
	size = fields + length;
	rest = calloc(1, size + 1);
	if (!rest || !peer_receive(peer, rest, size))
		return false;
	*call = (struct peer_call){ .serial = peer_number(head + 8) };
	for (size_t at = 0; at + 8 <= fields; at = (at + 7) & ~(size_t)7) {
		bool signature = rest[at + 2] == 'g';
		size_t n = signature ? (unsigned char)rest[at + 4] : peer_number(rest + at + 4);

		if (rest[at] == 1)
			snprintf(call->path, sizeof(call->path), "%s", rest + at + 8);
		if (rest[at] == 3)
			snprintf(call->name, sizeof(call->name), "%s", rest + at + 8);
		if (rest[at] == 8 && length > 4 && (rest[at + 5] == 's'))
			snprintf(call->first, sizeof(call->first), "%s", rest + fields + 4);
		at += signature ? 4 + 1 + n + 1 : rest[at + 2] == 'u' ? 8 : 8 + n + 1;
	}
	text_done(&peer->body);
	text_add_bytes(&peer->body, rest + fields, length);
	if (strcmp(call->name, "Get") == 0)
		peer_second(rest + fields, length, call->name, sizeof(call->name));
	if (strcmp(call->name, "Hello") == 0)
		peer->named = true;
	if (strcmp(call->name, "StartTransientUnit") == 0) {
		text_done(&peer->heard);
		text_add_bytes(&peer->heard, rest + fields, length);
	}
	return true;
}

/* --- a systemd that works: every unit is there and active, every job is done --- */

/* "Job": "(uo)". */
static inline bool peer_reply_job_property(struct peer *peer, const struct peer_call *call)
{
	_cleanup_text_ struct text body = {0};

	peer_signature(&body, "(uo)");
	peer_align(&body, 8);
	peer_u32(&body, peer->job);
	peer_string(&body, peer->job ? PEER_JOB : "/");
	return peer_reply(peer, call, "v", &body);
}

static inline bool peer_reply_variant(struct peer *peer, const struct peer_call *call, const char *type,
				      const char *string, uint64_t number)
{
	_cleanup_text_ struct text body = {0};

	peer_signature(&body, type);
	if (*type == 's')
		peer_string(&body, string);
	else if (*type == 't')
		peer_u64(&body, number);
	else
		peer_u32(&body, (uint32_t)number);
	return peer_reply(peer, call, "v", &body);
}

static inline bool peer_reply_bytes(struct peer *peer, const struct peer_call *call)
{
	_cleanup_text_ struct text body = {0};

	peer_signature(&body, "ay");
	peer_u32(&body, 3);
	text_add(&body, "-D\n");
	return peer_reply(peer, call, "v", &body);
}

/* An array of strings: the words of a line. */
static inline bool peer_reply_words(struct peer *peer, const struct peer_call *call, const char *line)
{
	_cleanup_text_ struct text body = {0};
	uint32_t n;
	size_t start;

	peer_signature(&body, "as");
	peer_u32(&body, 0);
	start = body.len;
	while (*line) {
		char word[256];
		size_t length = strcspn(line, " ");

		snprintf(word, sizeof(word), "%.*s", (int)length, line);
		peer_string(&body, word);
		line += length + (line[length] == ' ');
	}
	n = (uint32_t)(body.len - start);
	memcpy(body.s + start - 4, &n, sizeof(n));
	return peer_reply(peer, call, "v", &body);
}

static inline bool peer_reply_path(struct peer *peer, const struct peer_call *call, const char *path)
{
	_cleanup_text_ struct text body = {0};

	peer_string(&body, path);
	return peer_reply(peer, call, "o", &body);
}

static inline bool peer_reply_job(struct peer *peer, const struct peer_call *call)
{
	if (!peer_reply_path(peer, call, PEER_JOB))
		return false;
	usleep(peer->late * 1000);
	return peer_job_removed(peer, PEER_JOB, "done");
}

/* ListUnitsByNames: of all that are asked for, auditd runs. */
static inline bool peer_reply_units(struct peer *peer, const struct peer_call *call)
{
	static const char *const words[] = { "auditd.service", "a daemon", "loaded", "active", "running", "" };
	_cleanup_text_ struct text body = {0};
	uint32_t n;

	peer_u32(&body, 0);
	peer_align(&body, 8);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		peer_string(&body, words[i]);
	peer_string(&body, "/o");
	peer_u32(&body, 0);
	peer_string(&body, "");
	peer_string(&body, "/");
	n = (uint32_t)(body.len - 8);
	memcpy(body.s, &n, sizeof(n));
	return peer_reply(peer, call, "a(ssssssouso)", &body);
}

static inline bool peer_reply_plain_string(struct peer *peer, const struct peer_call *call, const char *s)
{
	_cleanup_text_ struct text body = {0};

	peer_string(&body, s);
	return peer_reply(peer, call, "s", &body);
}

static inline bool peer_answer_well(struct peer *peer, const struct peer_call *call)
{
	static const struct {
		const char *name, *type, *string;
		uint64_t number;
	} properties[] = {
		{ "LoadState", "s", "loaded", 0 }, { "ActiveState", "s", "active", 0 },
		{ "FragmentPath", "s", "/f", 0 }, { "NeedDaemonReload", "b", NULL, 1 },
		{ "ExecMainStartTimestamp", "t", NULL, 5 }, { "ExecMainStatus", "i", NULL, 3 },
		{ "Result", "s", "exit-code", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
		if (strcmp(call->name, properties[i].name) == 0)
			return peer_reply_variant(peer, call, properties[i].type, properties[i].string,
					     properties[i].number);
	if (strcmp(call->name, "DropInPaths") == 0)
		return peer_reply_words(peer, call, "/d/a.conf /d/b.conf");
	if (strcmp(call->name, "Environment") == 0)
		return peer_reply_words(peer, call, "LANG=C A=b");
	if (strcmp(call->name, "Job") == 0)
		return peer_reply_job_property(peer, call);
	if (strcmp(call->name, "StandardInputData") == 0)
		return peer_reply_bytes(peer, call);
	if (strcmp(call->name, "GetUnit") == 0)
		return peer_reply_path(peer, call, "/org/freedesktop/systemd1/unit/x");
	if (strcmp(call->name, "GetUnitFileState") == 0)
		return peer_reply_plain_string(peer, call, "enabled");
	if (strcmp(call->name, "ListUnitsByNames") == 0)
		return peer_reply_units(peer, call);
	if (strcmp(call->name, "Hello") == 0)
		return peer_reply_plain_string(peer, call, ":1.9");
	if (strstr(call->name, "Unit") && !strstr(call->name, "Files") && !strstr(call->name, "Reset"))
		return peer_reply_job(peer, call);
	return peer_reply(peer, call, "", NULL);
}

static inline void *peer_run(void *context)
{
	struct peer *peer = context;
	struct peer_call call;

	while (peer_wait(peer, peer->listener)) {
		peer->fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
		if (peer->fd < 0)
			continue;
		peer->at = peer->end = 0;
		peer->named = false;
		if (peer_authenticate(peer))
			while (peer_take_call(peer, &call) && (peer->calls++, peer->answer(peer, &call))) { }
		close(peer->fd);
	}
	return NULL;
}

static inline int peer_listen(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 || listen(fd, 5) < 0)
		abort();
	return fd;
}

/* Starts to answer at the socket path; the other members are set already. */
static inline void peer_start(struct peer *peer, const char *path)
{
	peer->listener = peer_listen(path);
	peer->stop = eventfd(0, EFD_CLOEXEC);
	if (peer->stop < 0 || pthread_create(&peer->thread, NULL, peer_run, peer) != 0)
		abort();
}

static inline void peer_stop(struct peer *peer)
{
	const uint64_t one = 1;

	if (write(peer->stop, &one, sizeof(one)) < 0)
		abort();
	pthread_join(peer->thread, NULL);
	text_done(&peer->body);
	text_done(&peer->heard);
	close(peer->stop);
	close(peer->listener);
}

#endif
