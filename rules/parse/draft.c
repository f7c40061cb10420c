#include "rules/parse/draft.h"
#include "rules/parse/warnings.h"

#include <stdarg.h>
#include <string.h>

#include "rules/rule/names.h"
#include "rules/rule/value.h"

bool draft_fail(struct draft *draft, const char *format, ...)
{
	enum { HEAD = 160, TAIL = 200 };
	_cleanup_free_ char *message = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&message, format, args);
	va_end(args);
	if (n < 0)
		log_at(draft->env->log, LEVEL_ERROR, draft->file, draft->line, "out of memory");
	else if (n <= HEAD + TAIL)
		log_at(draft->env->log, LEVEL_ERROR, draft->file, draft->line, "%s", message);
	else	/* What is expected stands at the end, behind a word of up to six thousand bytes. */
		log_at(draft->env->log, LEVEL_ERROR, draft->file, draft->line, "%.*s...%s", HEAD, message,
		       message + n - TAIL);
	return false;
}

void draft_warn(const struct draft *draft, const char *lint, const char *format, ...)
{
	_cleanup_free_ char *message = NULL;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&message, format, args);
	va_end(args);
	warnings_add(draft->env->warnings, draft->env->log, lint, draft->file, draft->line, "%s", n < 0 ? "out of memory" :
		     message);
}

const char *draft_list_name(const struct draft *draft)
{
	static const char *const names[] = {
		[AUDIT_FILTER_USER] = "user", [AUDIT_FILTER_TASK] = "task",
		[AUDIT_FILTER_EXIT] = "exit", [AUDIT_FILTER_EXCLUDE] = "exclude",
		[AUDIT_FILTER_FS] = "filesystem",
	};

	return draft->list < ARRAY_SIZE(names) && names[draft->list] ? names[draft->list] : "?";
}

bool draft_add(struct draft *draft, uint32_t field, uint32_t operator, uint32_t value)
{
	if (draft->n_fields == DRAFT_FIELDS_MAX)
		return draft_fail(draft, "a rule has at most %d fields", DRAFT_FIELDS_MAX);
	draft->fields[draft->n_fields] = field;
	draft->operators[draft->n_fields] = operator;
	draft->values[draft->n_fields] = value;
	draft->n_fields++;
	return true;
}

bool draft_add_string(struct draft *draft, uint32_t field, uint32_t operator, const char *s)
{
	text_add(&draft->strings, s);
	return draft_add(draft, field, operator, (uint32_t)strlen(s));
}

bool draft_permissions(struct draft *draft, const char *letters, uint32_t *ret)
{
	static const struct {
		char letter;
		uint32_t bit;
	} bits[] = {
		{ 'r', AUDIT_PERM_READ }, { 'w', AUDIT_PERM_WRITE },
		{ 'x', AUDIT_PERM_EXEC }, { 'a', AUDIT_PERM_ATTR },
		{ 'R', AUDIT_PERM_READ }, { 'W', AUDIT_PERM_WRITE },
		{ 'X', AUDIT_PERM_EXEC }, { 'A', AUDIT_PERM_ATTR },
	};
	size_t row;

	*ret = 0;
	for (const char *p = letters; *p; p++) {
		for (row = 0; row < ARRAY_SIZE(bits) && bits[row].letter != *p; row++)
			;
		if (row == ARRAY_SIZE(bits))
			return draft_fail(draft, "permissions \"%s\": expected letters of r, w, x and a",
					  letters);
		*ret |= bits[row].bit;
	}
	if (strlen(letters) > 4)
		return draft_fail(draft, "permissions \"%s\": expected at most four letters", letters);
	return true;
}

static void set_all(struct draft *draft)
{
	memset(draft->mask, 0xff, sizeof(draft->mask));
}

/* A name that another machine has: the rule then asks for nothing that could happen here. */
static bool absent_here(const struct draft *draft, const char *name)
{
	uint32_t reference = names_machine("x86_64");

	if (!draft->arch_generic || draft->machine == reference)
		return false;
	if (!(draft->arch & __AUDIT_ARCH_64BIT))
		reference = names_arch32(reference);
	return names_syscall(name, reference) >= 0;
}

static const char *arch_name(const struct draft *draft)
{
	const char *name = names_of_arch(draft->arch);

	return name ? name : "the machine";
}

/* The machine's other architecture, where it has this call; 0: it has none. */
static uint32_t other_arch_with(const struct draft *draft, const char *name)
{
	uint32_t other = draft->arch == draft->machine ? names_arch32(draft->machine) : draft->machine;

	return other && other != draft->arch && names_syscall(name, other) >= 0 ? other : 0;
}

static bool fail_syscall(struct draft *draft, const char *name)
{
	uint32_t other = other_arch_with(draft, name);
	const char *nearest = other ? NULL : names_nearest_syscall(name, draft->arch);

	if (other)
		return draft_fail(draft, "-S %s: %s has no such system call, only %s has it; write it in a rule with "
				  "-F arch=%s alone", name, arch_name(draft), names_of_arch(other),
				  other & __AUDIT_ARCH_64BIT ? "b64" : "b32");
	return draft_fail(draft, "-S %s: %s has no such system call%s%s%s", name, arch_name(draft),
			  nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static bool read_syscall_number(struct draft *draft, const char *name, uint32_t *ret)
{
	const char *wrong = value_number(name, 0, ret);

	if (wrong && value_is_number(name) && *name != '-')
		return draft_fail(draft, "-S %s: this is %s; auditctl would read it as %u", name,
				  wrong, value_as_auditctl(name, 0));
	return wrong ? fail_syscall(draft, name) : true;
}

static bool add_syscall(struct draft *draft, const char *name)
{
	/* No name begins so, and the optimiser writes hundreds of numbers into a rule. */
	bool is_number = *name >= '0' && *name <= '9';
	uint32_t number;
	int known;

	if (strcmp(name, "all") == 0) {
		set_all(draft);
		return true;
	}
	known = is_number ? -1 : names_syscall(name, draft->arch);
	if (known < 0 && !is_number && absent_here(draft, name)) {
		text_addf(&draft->absent, "%s%s", draft->absent.len ? "," : "", name);
		return true;
	}
	if (known >= 0 && draft->arch_excluded)
		return draft_fail(draft, "-S %s: after -F arch!= a name is another call to every other architecture; "
				  "auditctl would take the number of the one that is left out; write a rule for each "
				  "architecture that is meant", name);
	number = (uint32_t)known;
	if (known < 0 && !read_syscall_number(draft, name, &number))
		return false;
	if (number >= AUDIT_BITMASK_SIZE * 32)
		return draft_fail(draft, "-S %s: system calls end at %d", name, AUDIT_BITMASK_SIZE * 32 - 1);
	draft->mask[AUDIT_WORD(number)] |= AUDIT_BIT(number);
	return true;
}

/* What a machine without the old calls has in their place (include/uapi/asm-generic/unistd.h). */
static const struct {
	const char *old, *new;
} successors[] = {
	{ "open", "openat" }, { "creat", "openat" }, { "unlink", "unlinkat" }, { "rmdir", "unlinkat" },
	{ "rename", "renameat,renameat2" }, { "mkdir", "mkdirat" }, { "mknod", "mknodat" }, { "link", "linkat" },
	{ "symlink", "symlinkat" }, { "readlink", "readlinkat" }, { "chmod", "fchmodat" },
	{ "chown", "fchownat" }, { "lchown", "fchownat" }, { "access", "faccessat" },
	{ "stat", "newfstatat" }, { "lstat", "newfstatat" }, { "utime", "utimensat" },
	{ "utimes", "utimensat" }, { "futimesat", "utimensat" }, { "fork", "clone" }, { "vfork", "clone" },
	{ "pipe", "pipe2" }, { "dup2", "dup3" }, { "poll", "ppoll" }, { "select", "pselect6" },
	{ "epoll_create", "epoll_create1" }, { "epoll_wait", "epoll_pwait" }, { "eventfd", "eventfd2" },
	{ "signalfd", "signalfd4" }, { "inotify_init", "inotify_init1" },
};

static const char *successor_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(successors); i++)
		if (strcmp(successors[i].old, name) == 0)
			return successors[i].new;
	return NULL;
}

static bool is_among(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Appends what to write in place of the absent calls, each once. */
static void add_successors(struct text *out, const char *absent)
{
	_cleanup_free_ char *copy = strdup(absent);
	const char *said[ARRAY_SIZE(successors)];
	char *rest = NULL;
	size_t n = 0;

	for (char *name = copy ? strtok_r(copy, ",", &rest) : NULL; name; name = strtok_r(NULL, ",", &rest)) {
		const char *new = successor_of(name);

		if (!new || is_among(new, said, n))
			continue;
		text_addf(out, "%s%s", n ? "," : "; write -S ", new);
		said[n++] = new;
	}
}

bool draft_say_absent(const struct draft *draft)
{
	_cleanup_text_ struct text instead = { 0 };
	bool nothing_left = true;

	if (!draft->absent.len)
		return false;
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		nothing_left = nothing_left && !draft->mask[i];
	if (!nothing_left) {
		draft_warn(draft, "other-arch", "-S %s: %s has no such system call; left out", draft->absent.s,
			   arch_name(draft));
		return false;
	}
	add_successors(&instead, draft->absent.s);
	draft_warn(draft, "nothing-left", "-S %s: %s has no such system call, and nothing is left of the rule%s",
		   draft->absent.s, arch_name(draft), instead.s ? instead.s : "");
	return true;
}

bool draft_syscalls(struct draft *draft, const char *names)
{
	_cleanup_free_ char *copy = NULL;
	bool any = false, good = true;

	if (draft->list != DRAFT_LIST_UNSET && draft->list != AUDIT_FILTER_EXIT)
		return draft_fail(draft, "-S %s: the list %s has no system calls", names,
				  draft_list_name(draft));
	if (!draft->arch) {
		draft->arch = draft->machine;
		draft->arch_generic = true;
	}
	if (!draft->arch)
		return draft_fail(draft, "-S %s: the machine \"%s\" is unknown", names,
				  draft->env->machine ? draft->env->machine : "");
	copy = strdup(names);
	if (!copy)
		return draft_fail(draft, "out of memory");
	for (char *name = copy, *comma; name; name = comma ? comma + 1 : NULL) {
		comma = strchr(name, ',');
		if (comma)
			*comma = '\0';
		if (!*name)
			continue;
		good = add_syscall(draft, name) && good;
		any = true;
	}
	if (!good)
		return false;
	if (!any)
		return draft_fail(draft, "-S %s: expected a system call; auditctl would load a rule that never "
				  "matches", names);
	draft->syscalls = true;
	return true;
}
