#include "rules/judge/lint.h"

#include <errno.h>
#include <string.h>

#include "rules/judge/lint_private.h"
#include "rules/parse/warnings.h"
#include "rules/rule/data.h"
#include "rules/rule/names.h"

static void read_fields(const struct audit_rule_data *data, struct fields *ret)
{
	struct data_field field;
	uint32_t at = 0;
	size_t offset = 0;

	memset(ret, 0, sizeof(*ret));
	while (data_next(data, &at, &offset, &field)) {
		if (field.field == AUDIT_FILTERKEY)
			continue;
		ret->n++;
		if (field.field == AUDIT_ARCH && field.operator == AUDIT_EQUAL) {
			ret->arch = field.value;
			ret->n_arch++;
		} else {
			ret->sum_no_arch += lint_hash_field(&field);
		}
	}
}

static uint64_t twin_key(const struct audit_rule_data *data, const struct fields *fields, uint32_t arch)
{
	uint32_t list = data_list(data);
	uint64_t key = map_hash(fields->sum_no_arch, &data->action, sizeof(data->action));

	return map_hash(map_hash(key, &list, sizeof(list)), &arch, sizeof(arch));
}

static int find_twins(struct lint_context *context)
{
	struct fields fields;
	uint32_t at, n = 0;
	int r = map_init(&context->twins, context->set->n_rules);

	for (size_t i = 0; r == 0 && i < context->set->n_rules; i++) {
		const struct audit_rule_data *data = context->set->rules[i].data;

		read_fields(data, &fields);
		if (fields.n_arch != 1 || fields.arch & __AUDIT_ARCH_64BIT)
			continue;
		if (!map_find(&context->twins, twin_key(data, &fields, fields.arch), &at)) {
			at = n++;
			map_put(&context->twins, twin_key(data, &fields, fields.arch), at);
		}
		for (size_t word = 0; word < AUDIT_BITMASK_SIZE; word++)
			context->twin_masks[at][word] |= data->mask[word];
	}
	return r;
}

static bool check_never_task(const struct subject *s, struct text *message)
{
	if (data_list(s->data) != AUDIT_FILTER_TASK || s->data->action != AUDIT_NEVER)
		return false;
	text_add(message, s->fields.n ? "the processes that this matches are never audited by any rule" :
		 "no process that starts after this is audited by any rule");
	return true;
}

/* Record types whose loss makes the rest of the set, or the journal, worth little. */
static const struct {
	uint32_t type;
	const char *name;
} wanted_types[] = {
	{ 1300, "SYSCALL" }, { 1305, "CONFIG_CHANGE" }, { 1309, "EXECVE" }, { 1006, "LOGIN" },
	{ 1112, "USER_LOGIN" }, { 1100, "USER_AUTH" }, { 1101, "USER_ACCT" }, { 1105, "USER_START" },
	{ 1106, "USER_END" }, { 1319, "TTY" }, { 1400, "AVC" }, { 1306, "SOCKADDR" },
	{ 1805, "INTEGRITY_RULE" },
	{ 2500, "VIRT_CONTROL" },	/* with an identity, and nothing else says whose it is */
};

static bool check_exclude(const struct subject *s, struct text *message)
{
	const char *comma = "";

	for (size_t i = 0; i < ARRAY_SIZE(wanted_types); i++)
		if (data_drops(s->data, wanted_types[i].type) && (wanted_types[i].type != 2500 || s->context->env->identity)) {
			text_addf(message, "%s%s", *comma ? comma : "this drops every record of the type ",
				  wanted_types[i].name);
			comma = ", ";
		}
	/* kernel/auditfilter.c audit_filter() */
	if (*comma && s->data->action == AUDIT_NEVER)
		text_add(message, "; in this list never drops as always does, and what no rule names is kept");
	return *comma;
}

static bool check_no_arch(const struct subject *s, struct text *message)
{
	if (data_list(s->data) != AUDIT_FILTER_EXIT || data_has(s->data, AUDIT_ARCH) ||
	    data_mask_all(s->data) || data_mask_empty(s->data))
		return false;
	text_add(message, "system calls without an architecture: their numbers mean other calls to 32-bit "
		 "programs; add -F arch=b64 and a rule with arch=b32");
	return true;
}

/* Whether 32-bit programs have this call and no rule of theirs (mask; NULL: there is none) has it. */
static bool lacks_call(const char *name, uint32_t arch, const uint32_t *mask)
{
	int number = names_syscall(name, arch), instead;

	if (number < 0 || (mask && mask[AUDIT_WORD(number)] & AUDIT_BIT(number)))
		return false;
	/* The mmap of 32-bit programs is the old one, which C libraries stopped calling long ago. */
	instead = strcmp(name, "mmap") == 0 ? names_syscall("mmap2", arch) : -1;
	return instead < 0 || !mask || !(mask[AUDIT_WORD(instead)] & AUDIT_BIT(instead));
}

/* Appends the rule's system calls that exist for 32-bit programs and are not in the mask of their rules (NULL: there is
 * none). Returns how many. */
static size_t add_missing_calls(const struct subject *s, uint32_t arch, const uint32_t *mask, struct text *names)
{
	enum { NAMED = 8 };
	uint32_t next = 0, number;
	size_t n = 0;

	while (data_next_syscall(s->data, &next, &number)) {
		const char *name = names_show_syscall(number, s->fields.arch);

		if (!name || !lacks_call(name, arch, mask))
			continue;
		if (n++ < NAMED)
			text_addf(names, "%s%s", n == 1 ? "" : ",", name);
	}
	if (n > NAMED)
		text_addf(names, " and %zu more", n - NAMED);
	return n;
}

static bool check_no_b32(const struct subject *s, struct text *message)
{
	uint32_t arch32 = names_arch32(s->fields.arch), at;
	const uint32_t *mask = NULL;
	_cleanup_text_ struct text names = { 0 };

	if (!s->exit_always || s->fields.n_arch != 1 || !(s->fields.arch & __AUDIT_ARCH_64BIT) || !arch32)
		return false;
	if (map_find(&s->context->twins, twin_key(s->data, &s->fields, arch32), &at))
		mask = s->context->twin_masks[at];
	if (!add_missing_calls(s, arch32, mask, &names))
		return false;
	if (mask && !data_mask_all(s->data))
		text_addf(message, "no rule with arch=b32 does the same with %s: 32-bit programs are not seen there", names.s);
	else
		text_add(message, "no rule with arch=b32 does the same: 32-bit programs are not seen");
	return true;
}

/* Calls beside which newer ones do the same, and who makes those: a rule for the old one alone has seen less since. */
static const struct newer_call {
	const char *call, *newer, *who;
} newer_calls[] = {
	{ "mount", "move_mount", "mount(8) of util-linux 2.41 and later" },
};

static bool names_call(const uint32_t *mask, const char *name, uint32_t arch)
{
	int number = names_syscall(name, arch);

	return number >= 0 && mask[AUDIT_WORD(number)] & AUDIT_BIT(number);
}

static void find_named(struct lint_context *context)
{
	for (size_t i = 0; i < context->set->n_rules; i++) {
		const struct audit_rule_data *data = context->set->rules[i].data;

		if (data_list(data) != AUDIT_FILTER_EXIT || data->action != AUDIT_ALWAYS || data_mask_all(data))
			continue;
		for (size_t k = 0; k < context->n_arches; k++) {
			bool meant = lint_meets_arch(data, context->arches[k].arch);

			for (size_t word = 0; meant && word < AUDIT_BITMASK_SIZE; word++)
				context->named[k][word] |= data->mask[word];
		}
	}
}

static bool lacks_newer(const struct subject *s, const struct newer_call *pair)
{
	const struct lint_context *context = s->context;
	/* Without an architecture the numbers are those of the machine's own. */
	size_t n_arches = data_has(s->data, AUDIT_ARCH) ? context->n_arches : context->n_arches > 0;

	for (size_t k = 0; k < n_arches; k++) {
		uint32_t arch = context->arches[k].arch;

		if (lint_meets_arch(s->data, arch) && names_call(s->data->mask, pair->call, arch) &&
		    !names_call(context->named[k], pair->newer, arch))
			return true;
	}
	return false;
}

static bool check_newer_call(const struct subject *s, struct text *message)
{
	if (!s->exit_always || data_mask_all(s->data))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(newer_calls); i++) {
		const struct newer_call *pair = &newer_calls[i];

		if (!lacks_newer(s, pair))
			continue;
		text_addf(message, "%s calls %s instead of %s, and no rule has that: add -S %s", pair->who, pair->newer, pair->call,
			  pair->newer);
		return true;
	}
	return false;
}

/* Calls check for every path of the rule until it has something to say. */
static bool check_paths(const struct subject *s, struct text *message,
			bool (*check)(const struct subject *s, uint32_t field, char *path, struct text *message))
{
	struct data_field field;
	uint32_t at = 0;
	size_t offset = 0;

	while (data_next(s->data, &at, &offset, &field)) {
		_cleanup_free_ char *path = NULL;

		if (field.field != AUDIT_WATCH && field.field != AUDIT_DIR && field.field != AUDIT_EXE)
			continue;
		path = strndup(field.text, field.len);
		if (path && check(s, field.field, path, message))
			return true;
	}
	return false;
}

static bool is_absent(const struct rules_host *host, const char *path)
{
	bool directory;

	return host->path_type(host->context, path, &directory) == 0;
}

static bool say_absent(const struct subject *s, uint32_t field, char *path, struct text *message)
{
	const struct rules_host *host = s->context->env->host;
	char *slash = strrchr(path, '/');

	/* What the kernel refuses is left out, which is told then. */
	if (field == AUDIT_DIR || !is_absent(host, path))
		return false;
	if (slash && slash > path) {
		*slash = '\0';
		if (is_absent(host, path))
			return false;
		*slash = '/';
	}
	text_addf(message, "%s does not exist on the host", path);
	return true;
}

static bool check_absent(const struct subject *s, struct text *message)
{
	return check_paths(s, message, say_absent);
}

static bool say_link(const struct subject *s, uint32_t field, char *path, struct text *message)
{
	const struct rules_host *host = s->context->env->host;
	bool directory;

	if (host->path_type(host->context, path, &directory) != RULES_LINK)
		return false;
	/* kernel/audit_watch.c audit_get_nd(), audit_tree.c audit_add_tree_rule(), audit_fsnotify.c: none follows the
	 * last part. */
	text_addf(message, "%s is a symbolic link, and what it leads to is not watched: ", path);
	text_add(message, field == AUDIT_EXE ? "no program is the link; write the path that it leads to" :
		 "the kernel watches the link itself; write the path that it leads to, in another rule if the link matters");
	return true;
}

static bool check_link(const struct subject *s, struct text *message)
{
	return check_paths(s, message, say_link);
}

/* kernel/audit_watch.c audit_get_nd() looks the parent up, audit_tree.c the directory. */
static bool say_late(const struct subject *s, uint32_t field, char *path, struct text *message)
{
	const struct rules_host *host = s->context->env->host;
	char *slash = field == AUDIT_DIR ? NULL : strrchr(path, '/');
	_cleanup_text_ struct text why = { 0 };

	if (slash)
		slash[slash == path] = '\0';
	if (host->late)
		host->late(host->context, path, &why);
	if (!why.s)
		return false;
	text_addf(message, "%s may be absent, or another, when a boot loads the rules, which goes on without this one: %s", path,
		  why.s);
	return true;
}

static bool check_late(const struct subject *s, struct text *message)
{
	return check_paths(s, message, say_late);
}

static bool say_literal(const struct subject *s, uint32_t field, char *path, struct text *message)
{
	if (!strpbrk(path, "*?[") && !strstr(path, "/../"))
		return false;
	text_addf(message, "%s: the kernel takes the path as it is written, without patterns or relative parts",
		  path);
	return true;
}

static bool check_literal(const struct subject *s, struct text *message)
{
	return check_paths(s, message, say_literal);
}

/* System calls that every program makes all the time. */
static const char *const hot_syscalls[] = {
	"read", "write", "close", "fstat", "lseek", "mmap", "mmap2", "munmap", "mprotect", "brk", "futex",
	"poll", "ppoll", "select", "epoll_wait", "epoll_pwait", "epoll_ctl", "rt_sigaction",
	"rt_sigprocmask", "clock_gettime", "gettimeofday", "nanosleep", "clock_nanosleep", "getpid",
	"sched_yield", "recvfrom", "recvmsg", "sendto", "sendmsg", "ioctl", "fcntl", "openat", "open",
	"stat", "newfstatat", "access", "pread64", "pwrite64", "readv", "writev", "madvise",
};

static bool is_hot(const char *name, uint32_t arch)
{
	/* The mmap of 32-bit programs is the old one, which C libraries stopped calling long ago. */
	if (!(arch & __AUDIT_ARCH_64BIT) && strcmp(name, "mmap") == 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(hot_syscalls); i++)
		if (strcmp(hot_syscalls[i], name) == 0)
			return true;
	return false;
}

/* Does nothing but users narrow the rule? */
static bool any_process(const struct audit_rule_data *data)
{
	static const uint32_t fields[] = {
		AUDIT_ARCH, AUDIT_FILTERKEY, AUDIT_LOGINUID, AUDIT_UID, AUDIT_EUID, AUDIT_SUID, AUDIT_FSUID, AUDIT_GID, AUDIT_EGID,
		AUDIT_SGID, AUDIT_FSGID,
	};

	for (uint32_t i = 0; i < data->field_count; i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_SIZE(fields); k++)
			found = found || fields[k] == data->fields[i];
		/* arch!= leaves programs of other architectures only. */
		if (!found || (data->fields[i] == AUDIT_ARCH && data->fieldflags[i] != AUDIT_EQUAL))
			return false;
	}
	return true;
}

static bool check_hot(const struct subject *s, struct text *message)
{
	uint32_t arch = s->fields.arch ? s->fields.arch : names_machine(s->context->env->machine);
	uint32_t next = 0, n;
	const char *name;

	if (s->exit_always && data_mask_all(s->data) && any_process(s->data)) {
		text_addf(message, "-S all: this logs every system call of every process%s, thousands of records a second of each "
			  "that is busy, which slows it, and fills the backlog, so that other records are lost; name the calls (-S), or "
			  "what they act on (-F path=, dir=, exit=)", s->fields.n != s->fields.n_arch ? " of these users" : "");
		return true;
	}
	if (!s->exit_always || s->fields.n != s->fields.n_arch)
		return false;
	while (data_next_syscall(s->data, &next, &n)) {
		name = names_show_syscall(n, arch);
		if (name && is_hot(name, arch)) {
			text_addf(message, "this logs every %s of every process; narrow it with a field", name);
			return true;
		}
	}
	return false;
}

static bool check_no_key(const struct subject *s, struct text *message)
{
	if (!s->exit_always || data_has(s->data, AUDIT_FILTERKEY))
		return false;
	text_add(message, "a rule without a key (-k): its records cannot be told from others");
	return true;
}

static bool check_label(const struct subject *s, struct text *message)
{
	if (!data_has(s->data, AUDIT_SUBJ_ROLE))
		return false;
	/* security/apparmor/audit.c aa_audit_rule_init(): -ENOENT. */
	text_add(message, "on a host with AppArmor subj_role is a profile, and the kernel refuses the rule "
		 "while that is not loaded");
	return true;
}

static bool check_comparison(const struct subject *s, struct text *message)
{
	uint32_t left, right;

	for (uint32_t i = 0; i < s->data->field_count; i++)
		if (s->data->fields[i] == AUDIT_FIELD_COMPARE &&
		    !names_of_comparison(s->data->values[i], &left, &right)) {
			/* kernel/auditsc.c audit_field_compare(): WARN(). */
			text_addf(message, "the comparison %u does not exist: the rule never matches, and the "
				  "kernel logs a warning for every event", s->data->values[i]);
			return true;
		}
	return false;
}

static const struct {
	struct lint lint;
	bool (*check)(const struct subject *subject, struct text *message);	/* NULL: elsewhere */
	bool by_design;	/* in a shipped rule: nothing its reader could mend */
} lints[] = {
	{ { "double", "a rule is given twice; it is loaded once" }, NULL, false },
	{ { "other-arch", "a system call that this machine lacks and another has is left out" }, NULL, false },
	{ { "nothing-left", "a rule has no system call that this machine has, and is left out" }, NULL, false },
	{ { "exit-sign", "exit= with an error's name and no minus sign, which no failed call returns" }, NULL, false },
	{ { "quotes", "a key in quotes keeps them" }, NULL, false },
	{ { "swallowed", "an option stands where a key is expected, and becomes the key" }, NULL, false },
	{ { "control", "an option that only the configuration sets is left out" }, NULL, false },
	{ { "unreachable", "an earlier rule takes every event of this one" }, check_unreachable, false },
	{ { "late-never", "shipped rules before this one with never record what it leaves out" },
	  check_late_never, false },
	{ { "never-matches", "no event can match this rule" }, check_never_matches, false },
	{ { "never-task", "a rule never,task keeps processes from being audited at all" },
	  check_never_task, false },
	{ { "exclude", "an exclude rule drops records of a type that is wanted" }, check_exclude, true },
	{ { "no-arch", "system calls are named without an architecture" }, check_no_arch, false },
	{ { "no-b32", "a rule for 64-bit programs has no twin for 32-bit ones" }, check_no_b32, false },
	{ { "newer-call", "programs make a newer system call in the place of one that a rule has" }, check_newer_call, false },
	{ { "absent", "a path does not exist on the host" }, check_absent, true },
	{ { "link", "a path is a symbolic link, which the kernel does not follow" }, check_link, true },
	{ { "late", "a path may not be there yet when a boot loads the rules" }, check_late, true },
	{ { "literal", "a path has a pattern or .. in it, which the kernel does not resolve" },
	  check_literal, false },
	{ { "hot", "a system call that is made all the time is logged without another condition" },
	  check_hot, true },
	{ { "no-key", "a rule has no key" }, check_no_key, false },
	{ { "label", "subj_role means an AppArmor profile on hosts with AppArmor" }, check_label, false },
	{ { "comparison", "field_compare with a number that no kernel knows" }, check_comparison, false },
	{ { "forgeable", "a process of a container can choose the login uid that a rule tells people by" }, check_forgeable, false },
	{ { "sees-containers", "with an identity a rule for people sees containers" }, check_sees_containers, false },
	{ { "left-out", "a rule whose path's directory is not on the host is left out" }, NULL, false },
	{ { "silences", "a rule with never stands before shipped groups, and takes events of theirs" }, NULL, false },
	{ { "deletes", "a deletion takes a rule away that comes with the program, or from [filter]" }, NULL, false },
	{ { "accepted", "a comment accepts a warning that does not occur, or that there is none of" }, NULL, false },
};

const struct lint *lint_at(size_t i)
{
	return i < ARRAY_SIZE(lints) ? &lints[i].lint : NULL;
}

static int lint_rule(const struct subject *s)
{
	const struct rules_env *env = s->context->env;

	for (size_t i = 0; i < ARRAY_SIZE(lints); i++) {
		_cleanup_text_ struct text message = { 0 };
		bool meant = s->rule->shipped && lints[i].by_design;

		if (!lints[i].check || !lints[i].check(s, &message))
			continue;
		if (text_error(&message) < 0)
			return -ENOMEM;
		if (meant)
			log_at(env->log, LEVEL_DEBUG, s->rule->file, s->rule->line, "%s [lint: %s]", message.s,
			       lints[i].lint.name);
		else
			warnings_add(env->warnings, env->log, lints[i].lint.name, s->rule->file, s->rule->line, "%s",
				     message.s);
	}
	return 0;
}

/* Which system calls go with which permission on the machine's architectures. */
static void read_arches(struct lint_context *context)
{
	uint32_t machine = names_machine(context->env->machine);
	const uint32_t arches[] = { machine, names_arch32(machine) };

	for (size_t i = 0; i < ARRAY_SIZE(arches); i++) {
		struct lint_arch *arch = &context->arches[context->n_arches];

		if (!arches[i] || (i > 0 && arches[i] == arches[0]))
			continue;
		arch->arch = arches[i];
		arch->known = perm_masks_init(&arch->perms, arches[i]);
		context->n_arches++;
	}
}

static int lint_all(struct lint_context *context)
{
	const struct rule_set *set = context->set;
	struct subject subject = { .context = context };
	int r = shadow_find(context);

	if (r == 0)
		r = find_twins(context);
	if (r == 0)
		find_named(context);
	for (size_t i = 0; r == 0 && i < set->n_rules; i++) {
		subject.rule = &set->rules[i];
		subject.data = set->rules[i].data;
		subject.index = i;
		subject.exit_always = data_list(subject.data) == AUDIT_FILTER_EXIT &&
				      subject.data->action == AUDIT_ALWAYS;
		read_fields(subject.data, &subject.fields);
		ranges_read(&subject.ranges, subject.data);
		r = lint_rule(&subject);
	}
	map_done(&context->twins);
	return r;
}

int lint_takers(const struct rule_set *set, const struct rules_env *env, uint32_t *ret_by)
{
	_cleanup_free_ struct lint_context *context = calloc(1, sizeof(*context));
	_cleanup_free_ struct shadow *shadows = calloc(set->n_rules + 1, sizeof(*shadows));
	int r;

	if (!context || !shadows)
		return -ENOMEM;
	context->set = set;
	context->env = env;
	context->shadows = shadows;
	read_arches(context);
	r = shadow_find(context);
	for (size_t i = 0; i < set->n_rules; i++)
		ret_by[i] = shadows[i].by;
	return r;
}

int lint_set(const struct rule_set *set, const struct rules_env *env)
{
	_cleanup_free_ struct lint_context *context = calloc(1, sizeof(*context));
	_cleanup_free_ struct shadow *shadows = calloc(set->n_rules + 1, sizeof(*shadows));
	_cleanup_free_ uint32_t (*twin_masks)[AUDIT_BITMASK_SIZE] = calloc(set->n_rules + 1, sizeof(*twin_masks));

	if (!context || !shadows || !twin_masks)
		return -ENOMEM;
	context->set = set;
	context->env = env;
	context->shadows = shadows;
	context->twin_masks = twin_masks;
	read_arches(context);
	return lint_all(context);
}
