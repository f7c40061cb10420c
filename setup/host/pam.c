#include "setup/host/pam.h"

#include <errno.h>
#include <string.h>

/* A '-' in front of the type: silent when the module is gone; "optional": its failure decides nothing
 * (pam.d(5)). At the end of the file it cannot hide anything that follows. */
#define BEGIN "# BEGIN cloud-audit-setup: keystrokes of SSH sessions; undo: cloud-audit-setup remove\n"
#define END "# END cloud-audit-setup"

enum { INCLUDE_DEPTH = 8 };

/* Sets *ret_begin to our block, NULL for none, and *ret_end behind its last word. */
static int find_block(const char *content, const char **ret_begin, const char **ret_end)
{
	const char *begin = strstr(content, BEGIN), *end = begin ? strstr(begin, END) : NULL;

	if (begin && (!end || (begin != content && begin[-1] != '\n')))
		return -EBADMSG;
	*ret_begin = begin;
	*ret_end = end ? end + strlen(END) : NULL;
	return 0;
}

int pam_strip(struct text *out, const char *content)
{
	const char *begin, *end;

	if (find_block(content, &begin, &end) < 0)
		return -EBADMSG;
	if (!begin) {
		text_add(out, content);
		return text_error(out);
	}
	/* Without a newline behind it the block took over the missing one of the file. */
	if (*end == '\n')
		end++;
	else if (begin != content)
		begin--;
	text_add_bytes(out, content, (size_t)(begin - content));
	text_add(out, end);
	return text_error(out) < 0 ? -ENOMEM : 1;
}

static void add_block(struct text *out, bool log_passwords)
{
	text_addf(out, BEGIN "-session optional pam_tty_audit.so enable=*%s\n" END,
		  log_passwords ? " log_passwd" : "");
}

int pam_set(struct text *out, const char *content, bool log_passwords)
{
	size_t n = strlen(content);
	bool whole = n == 0 || content[n - 1] == '\n';
	const char *begin, *end;

	if (find_block(content, &begin, &end) < 0)
		return -EBADMSG;
	if (begin) {
		text_add_bytes(out, content, (size_t)(begin - content));
		add_block(out, log_passwords);
		text_add(out, end);
	} else {
		text_addf(out, "%s%s", content, whole ? "" : "\n");
		add_block(out, log_passwords);
		text_add(out, whole ? "\n" : "");
	}
	return text_error(out);
}

/* The next word of a line, which strtok_r(3) would cut in the middle of PAM's [brackets]. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, " \t"), *end;

	if (*word == '\0')
		return NULL;
	end = *word == '[' ? word + strcspn(word, "]") : word + strcspn(word, " \t");
	if (*end == ']')
		end++;
	*line = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

static int has_in_text(const struct host *host, const char *content, int depth);

static int has_in_file(const struct host *host, const char *name, int depth)
{
	_cleanup_text_ struct text content = {0};
	_cleanup_free_ char *path = NULL;

	if (asprintf(&path, "%s%s", *name == '/' ? "" : "/etc/pam.d/", name) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	/* What PAM cannot read either is not there. */
	if (depth == 0 || host_read(host, path, &content) < 0)
		return 0;
	return has_in_text(host, content.s, depth - 1);
}

/* Is there a * in a list of patterns, "root,*"? */
static bool has_all(const char *patterns)
{
	size_t n;

	for (; *patterns; patterns += n + (patterns[n] == ','))
		if ((n = strcspn(patterns, ",")) == 1 && *patterns == '*')
			return true;
	return false;
}

/* Do the module's arguments record every user? The last that matches one counts (pam_tty_audit(8)). */
static bool records_all(char *arguments)
{
	bool all = false;

	for (const char *word; (word = next_word(&arguments));) {
		if (strncmp(word, "enable=", 7) == 0)
			all = all || has_all(word + 7);
		else if (strncmp(word, "disable=", 8) == 0)
			all = false;
	}
	return all;
}

static int has_in_line(const struct host *host, char *line, int depth)
{
	const char *type, *control, *module;

	line[strcspn(line, "#")] = '\0';
	type = next_word(&line);
	if (type && strcmp(type, "@include") == 0) {
		module = next_word(&line);
		return module ? has_in_file(host, module, depth) : 0;
	}
	control = next_word(&line);
	module = next_word(&line);
	if (!type || !module || strcmp(type + (*type == '-'), "session") != 0)
		return 0;
	if (strcmp(control, "include") == 0 || strcmp(control, "substack") == 0)
		return has_in_file(host, module, depth);
	return strstr(module, "pam_tty_audit") && records_all(line);
}

static int has_in_text(const struct host *host, const char *content, int depth)
{
	int r = 0;

	while (r == 0 && *content) {
		size_t length = strcspn(content, "\n");
		_cleanup_free_ char *line = strndup(content, length);

		if (!line)
			return -ENOMEM;
		r = has_in_line(host, line, depth);
		content += length + (content[length] == '\n');
	}
	return r;
}

int pam_has_tty_audit(const struct host *host, const char *content)
{
	return has_in_text(host, content, INCLUDE_DEPTH);
}

bool pam_module_exists(const struct host *host)
{
	static const char *const directories[] = {
		"/lib/security", "/lib64/security", "/usr/lib/security", "/usr/lib64/security",
		"/lib/x86_64-linux-gnu/security", "/usr/lib/x86_64-linux-gnu/security",
		"/lib/aarch64-linux-gnu/security", "/usr/lib/aarch64-linux-gnu/security",
	};
	bool directory;
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		snprintf(path, sizeof(path), "%s/pam_tty_audit.so", directories[i]);
		if (host_path_type(host, path, &directory) == 1 && !directory)
			return true;
	}
	return false;
}
