#include "setup/journal/auditd_files.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "setup/base/mem.h"

enum {
	DAY = 86400,
	MIB = 1024 * 1024,
	SPAN_MIN = 10,		/* seconds that a rate is measured over, at least */
	SPAN_GOOD = 600,	/* and better */
	EVENTS_OPEN = 16,	/* events whose records may stand among each other's */
};

bool auditd_conf_line(const char *line, size_t length, char key[AUDITD_WORD], char value[AUDITD_WORD])
{
	char copy[2 * AUDITD_WORD];

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, line, length);
	copy[length] = '\0';
	if (sscanf(copy, " %255[A-Za-z_] = %255[^ \t\r]", key, value) != 2)
		return false;
	for (char *c = key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return true;
}

/* --- auditd.conf ------------------------------------------------------------------------- */

/* What auditd has where its file says nothing (clear_config() in src/auditd-config.c of audit-userspace). */
struct conf {
	char file[AUDITD_WORD];
	uint64_t megabytes, files;
	bool writes, rotates;
};

static void take(struct conf *conf, const char *key, const char *value)
{
	if (strcmp(key, "log_file") == 0)
		snprintf(conf->file, sizeof(conf->file), "%s", value);
	else if (strcmp(key, "max_log_file") == 0)
		conf->megabytes = strtoull(value, NULL, 10);
	else if (strcmp(key, "num_logs") == 0)
		conf->files = strtoull(value, NULL, 10);
	else if (strcmp(key, "write_logs") == 0)
		conf->writes = strcasecmp(value, "yes") == 0;
	else if (strcmp(key, "max_log_file_action") == 0)
		conf->rotates = strcasecmp(value, "rotate") == 0;
}

static struct conf read_conf(const char *line)
{
	struct conf conf = { .file = "/var/log/audit/audit.log", .writes = true };
	char key[AUDITD_WORD], value[AUDITD_WORD];

	while (*line) {
		size_t length = strcspn(line, "\n");

		if (auditd_conf_line(line, length, key, value))
			take(&conf, key, value);
		line += length + (line[length] == '\n');
	}
	return conf;
}

/* --- the files --------------------------------------------------------------------------- */

/* The number there, and what follows it; false: there is none. */
static bool read_number(const char **s, uint64_t *ret)
{
	const char *start = *s;

	for (*ret = 0; **s >= '0' && **s <= '9'; ++*s)
		*ret = *ret * 10 + (uint64_t)(**s - '0');
	return *s > start;
}

/* "type=SYSCALL msg=audit(1700000000.123:4567): ...": seconds and the event's number. Without sscanf(3), for a megabyte of
 * such lines at each run. */
static bool read_stamp(const char *line, uint64_t *ret_seconds, uint64_t *ret_event)
{
	static const char before[] = "msg=audit(";
	const char *at = strstr(line, before);
	uint64_t fraction;

	if (!at)
		return false;
	at += sizeof(before) - 1;
	return read_number(&at, ret_seconds) && *at++ == '.' && read_number(&at, &fraction) && *at++ == ':' &&
	       read_number(&at, ret_event);
}

/* Adds the file's size, and sets *began to the time of its first record. False where it has none. */
static bool look_at(const struct host *host, const char *path, uint64_t *size, uint64_t *began)
{
	_cleanup_close_ int fd = host_open(host, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	char head[512];
	struct stat st;
	uint64_t event;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	n = read(fd, head, sizeof(head) - 1);
	if (n <= 0)
		return false;
	head[n] = '\0';
	if (!read_stamp(head, began, &event))
		return false;
	*size += (uint64_t)st.st_size;
	return true;
}

/* The last megabyte. */
static char *read_tail(const struct host *host, const char *path)
{
	_cleanup_close_ int fd = host_open(host, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	_cleanup_free_ char *tail = malloc(MIB + 1);
	struct stat st;
	ssize_t n;

	if (!tail || fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	n = pread(fd, tail, MIB, st.st_size > MIB ? st.st_size - MIB : 0);
	if (n < 0)
		return NULL;
	tail[n] = '\0';
	return TAKE(tail);
}

/* --- whose records they are -------------------------------------------------------------- */

struct tally {
	struct auditd_files *files;
	struct open_event {
		uint64_t number, bytes;
		char key[AUDITD_KEY];
	} open[EVENTS_OPEN];
	size_t next;
	uint64_t total;
};

static struct auditd_group *find_group(struct auditd_files *files, const char *key)
{
	/* The first is that of no key. */
	for (size_t i = 0; i < files->n; i++)
		if (strcmp(files->groups[i].key, key) == 0)
			return &files->groups[i];
	if (files->n == AUDITD_GROUPS)
		return &files->groups[0];
	snprintf(files->groups[files->n].key, AUDITD_KEY, "%s", key);
	return &files->groups[files->n++];
}

static void close_event(struct tally *tally, struct open_event *event)
{
	find_group(tally->files, event->key)->per_day += event->bytes;
	tally->total += event->bytes;
	*event = (struct open_event){ .number = 0 };
}

static struct open_event *find_event(struct tally *tally, uint64_t number)
{
	struct open_event *event;

	for (size_t i = 0; i < EVENTS_OPEN; i++)
		if (tally->open[i].number == number && tally->open[i].bytes > 0)
			return &tally->open[i];
	event = &tally->open[tally->next++ % EVENTS_OPEN];
	close_event(tally, event);
	event->number = number;
	return event;
}

/* Of all records of an event SYSCALL alone has the key, in quotes; one in hexadecimal is several, or odd. With name_format the host's
 * name stands before it (auditd.conf(5)). */
static void read_key(const char *line, char key[AUDITD_KEY])
{
	const char *type = strncmp(line, "node=", 5) == 0 ? line + strcspn(line, " ") : line;
	const char *at;

	type += *type == ' ';
	at = strncmp(type, "type=SYSCALL ", 13) == 0 ? strstr(type, " key=\"") : NULL;

	if (at)
		snprintf(key, AUDITD_KEY, "%.*s", (int)strcspn(at + 6, "\""), at + 6);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = ((const struct auditd_group *)a)->per_day, y = ((const struct auditd_group *)b)->per_day;

	return x < y ? 1 : x > y ? -1 : 0;
}

static void read_groups(struct auditd_files *files, const struct host *host, const char *path)
{
	_cleanup_free_ char *tail = read_tail(host, path);
	struct tally tally = { .files = files };
	uint64_t seconds, number;
	char *rest = NULL;

	files->n = 1;
	for (char *line = tail ? strtok_r(tail, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
		struct open_event *event;

		if (!read_stamp(line, &seconds, &number))
			continue;
		event = find_event(&tally, number);
		event->bytes += strlen(line) + 1;
		read_key(line, event->key);
	}
	for (size_t i = 0; i < EVENTS_OPEN; i++)
		close_event(&tally, &tally.open[i]);
	for (size_t i = 0; i < files->n && tally.total > 0; i++)
		files->groups[i].per_day = (uint64_t)((double)files->groups[i].per_day / (double)tally.total * (double)files->per_day);
	qsort(files->groups, files->n, sizeof(files->groups[0]), by_size);
	while (files->n > 0 && files->groups[files->n - 1].per_day == 0)
		files->n--;
}

/* No more than there is room for in it: of a value beyond that the conversion says nothing (C11, 6.3.1.4). */
static uint64_t find_holds(const struct auditd_files *files)
{
	double holds = files->per_day > 0 ? (double)files->room / (double)files->per_day * DAY * 1e6 : 1e30;

	return files->room == 0 ? 0 : holds < 1e19 ? (uint64_t)holds : UINT64_MAX;
}

void auditd_files_read(struct auditd_files *ret, const struct host *host, const char *text, uint64_t enough)
{
	struct conf conf = read_conf(text);
	uint64_t size = 0, began = 0, earlier = 0;
	char last[AUDITD_WORD + 2];
	struct timespec now;

	*ret = (struct auditd_files){ .seen = false };
	clock_gettime(CLOCK_REALTIME, &now);
	if (!conf.writes || !look_at(host, conf.file, &size, &began))
		return;
	snprintf(last, sizeof(last), "%s.1", conf.file);
	/* One that was begun a moment ago tells too little. */
	if ((size < MIB || (uint64_t)now.tv_sec < began + SPAN_GOOD) && look_at(host, last, &size, &earlier))
		began = earlier;
	if ((uint64_t)now.tv_sec < began + SPAN_MIN)
		return;
	ret->seen = true;
	ret->per_day = size * DAY / ((uint64_t)now.tv_sec - began);
	if (conf.rotates && conf.files > 1)
		ret->room = conf.files * conf.megabytes * MIB;
	ret->holds = find_holds(ret);
	if (enough == AUDITD_ALWAYS || (ret->room > 0 && ret->holds < enough))
		read_groups(ret, host, conf.file);
}
