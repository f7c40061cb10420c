#include "setup/runtime/identity.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "setup/base/sha256.h"
#include "setup/runtime/json.h"

/* A program is started with an environment and arguments of 6 MiB at most (bprm_stack_limits() in fs/exec.c), in a configuration six
 * bytes for each: who has a Pod made has no say in whether its names are read. */
enum { CONFIG_MOST = 64 << 20, EXCEPT_MOST = 1 << 20, DIGITS = 7 };

/* A file's bytes: on the stack, and of more than most have, in memory of their own, which takes its time at each start. */
struct content {
	char *more;
	const char *text;
	size_t n;
	char room[32 * 1024];
};

static void content_done(struct content *content)
{
	free(content->more);
}

uint32_t identity_auid(enum class class, const char *id)
{
	char digest[65];
	uint32_t bits = 0;

	if (strlen(id) < DIGITS || id[strspn(id, "0123456789abcdefABCDEF")] != '\0') {
		sha256_of(id, strlen(id), digest);
		id = digest;
	}
	for (int i = 0; i < DIGITS; i++)
		bits = bits << 4 | (uint32_t)(isdigit((unsigned char)id[i]) ? id[i] - '0' : (id[i] | 0x20) - 'a' + 10);
	return (uint32_t)class << 28 | bits;
}

/* A regular file, whole. What is none is not even opened: a pipe is the runtime's to read. ret is the caller's to end either way. */
static int read_file(const char *path, size_t most, struct content *ret)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	char *bytes;
	ssize_t got;

	ret->more = NULL;
	ret->n = 0;
	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	/* Not open(2), in which musl sets O_CLOEXEC twice. */
	fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (st.st_size < 0 || (size_t)st.st_size > most)
		return -EFBIG;
	if ((size_t)st.st_size > sizeof(ret->room))
		ret->more = malloc((size_t)st.st_size);
	bytes = (size_t)st.st_size > sizeof(ret->room) ? ret->more : ret->room;
	if (!bytes)
		return -ENOMEM;
	while (ret->n < (size_t)st.st_size && (got = read(fd, bytes + ret->n, (size_t)st.st_size - ret->n)) != 0) {
		if (got < 0)
			return -errno;
		ret->n += (size_t)got;
	}
	ret->text = bytes;
	return 0;
}

#define CONTAINERD "io.kubernetes.cri."

/* What is looked for: what containerd writes itself, over whatever of a Pod's own annotations it is told to pass on. container:
 * of a Pod's sandbox it writes none, so that there it would be the Pod's. */
static const struct {
	int name;
	const char *annotation;
	bool container;
} sources[] = {
	{ NAME_POD, CONTAINERD "sandbox-name", false },
	{ NAME_NAMESPACE, CONTAINERD "sandbox-namespace", false },
	{ NAME_POD_UID, CONTAINERD "sandbox-uid", false },
	{ NAME_CONTAINER, CONTAINERD "container-name", true },
	{ NAME_IMAGE, CONTAINERD "image-name", true },
};

int identity_read(struct identity *ret, const char *config)
{
	struct json_want wants[2 + ARRAY_SIZE(sources)] = {
		{ "process", "terminal" }, { "annotations", CONTAINERD "container-type" },
	};
	_cleanup_(content_done) struct content content;
	struct json_value values[ARRAY_SIZE(wants)];
	char type[16];
	bool container;
	int r;

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
		wants[2 + i] = (struct json_want){ "annotations", sources[i].annotation };
	r = read_file(config, CONFIG_MOST, &content);
	if (r == 0)
		r = json_find(content.text, content.n, wants, ARRAY_SIZE(wants), values);
	if (r < 0)
		return r;
	ret->terminal = json_is(&values[0], "true");
	container = values[1].string && json_decode(&values[1], type, sizeof(type)) == (long)strlen("container") &&
		memcmp(type, "container", strlen("container")) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		struct name *name = &ret->names[sources[i].name];
		bool wanted = values[2 + i].string && (container || !sources[i].container);
		long length = wanted ? json_decode(&values[2 + i], name->s, sizeof(name->s)) : -1;

		name->known = length >= 0;
		name->n = length >= 0 ? (size_t)length : 0;
	}
	return 0;
}

int identity_read_process(const char *file, bool *ret_terminal)
{
	static const struct json_want want = { NULL, "terminal" };
	_cleanup_(content_done) struct content content;
	struct json_value value;
	int r = read_file(file, CONFIG_MOST, &content);

	if (r == 0)
		r = json_find(content.text, content.n, &want, 1, &value);
	if (r == 0)
		*ret_terminal = json_is(&value, "true");
	return r;
}

static bool is_name(const struct name *name, const char *s, size_t n)
{
	return name->known && name->n == n && memcmp(name->s, s, n) == 0;
}

static bool is_in(const struct identity *identity, const struct content *content)
{
	const char *end, *text_end = content->text + content->n;

	for (const char *line = content->text; line < text_end; line = end + 1) {
		const char *slash;
		size_t n;

		end = memchr(line, '\n', (size_t)(text_end - line));
		end = end ? end : text_end;
		n = (size_t)(end - line);
		slash = memchr(line, '/', n);
		if (is_name(&identity->names[NAME_NAMESPACE], line, slash ? (size_t)(slash - line) : n) &&
		    (!slash || is_name(&identity->names[NAME_CONTAINER], slash + 1, (size_t)(end - slash - 1))))
			return true;
	}
	return false;
}

bool identity_is_excepted(const struct identity *identity, const char *file)
{
	_cleanup_(content_done) struct content content;

	content.more = NULL;
	/* Without a namespace none can be meant: nothing to read. */
	return identity->names[NAME_NAMESPACE].known && read_file(file, EXCEPT_MOST, &content) == 0 && is_in(identity, &content);
}
