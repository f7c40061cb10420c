#include "rules/parse/kernel.h"

#include <linux/audit.h>
#include <linux/limits.h>
#include <stdbool.h>
#include <string.h>

#include "rules/rule/data.h"
#include "setup/base/mem.h"

#define FEW_OPERATORS "takes the operators = and != only"
#define NO_BIT_OPERATORS "does not take the operators & and &="

enum field_kind {
	KIND_NUMBER,
	KIND_ID,	/* a user or group: not -1 */
	KIND_LOGINUID,	/* a user, where -1 means unset */
	KIND_STRING,	/* a security label */
	KIND_WATCH,
	KIND_DIR,
	KIND_INODE,
	KIND_KEY,
	KIND_EXE,
};

enum field_operators {
	OPERATORS_ALL,
	OPERATORS_ORDER,	/* all but & and &= */
	OPERATORS_EQUAL,	/* = and != */
};

/* kernel/auditfilter.c audit_field_valid(). Its checks of values (perm, filetype, field_compare,
 * saddr_fam) do nothing: they run before the value is stored. */
static const struct field_rule {
	uint32_t field;
	enum field_operators operators;
	enum field_kind kind;
	const char *why_operator;
} field_rules[] = {
#define ALL(field, kind) { field, OPERATORS_ALL, kind, NULL }
#define ORDER(field, name, kind) { field, OPERATORS_ORDER, kind, name " " NO_BIT_OPERATORS }
#define EQUAL(field, name, kind) { field, OPERATORS_EQUAL, kind, name " " FEW_OPERATORS }
	ALL(AUDIT_ARG0, KIND_NUMBER), ALL(AUDIT_ARG1, KIND_NUMBER),
	ALL(AUDIT_ARG2, KIND_NUMBER), ALL(AUDIT_ARG3, KIND_NUMBER),
	ALL(AUDIT_PERS, KIND_NUMBER), ALL(AUDIT_DEVMINOR, KIND_NUMBER),
	ORDER(AUDIT_UID, "uid", KIND_ID), ORDER(AUDIT_EUID, "euid", KIND_ID),
	ORDER(AUDIT_SUID, "suid", KIND_ID), ORDER(AUDIT_FSUID, "fsuid", KIND_ID),
	ORDER(AUDIT_LOGINUID, "auid", KIND_LOGINUID), ORDER(AUDIT_OBJ_UID, "obj_uid", KIND_ID),
	ORDER(AUDIT_GID, "gid", KIND_ID), ORDER(AUDIT_EGID, "egid", KIND_ID),
	ORDER(AUDIT_SGID, "sgid", KIND_ID), ORDER(AUDIT_FSGID, "fsgid", KIND_ID),
	ORDER(AUDIT_OBJ_GID, "obj_gid", KIND_ID), ORDER(AUDIT_PID, "pid", KIND_NUMBER),
	ORDER(AUDIT_MSGTYPE, "msgtype", KIND_NUMBER), ORDER(AUDIT_PPID, "ppid", KIND_NUMBER),
	ORDER(AUDIT_DEVMAJOR, "devmajor", KIND_NUMBER), ORDER(AUDIT_EXIT, "exit", KIND_NUMBER),
	ORDER(AUDIT_SUCCESS, "success", KIND_NUMBER), ORDER(AUDIT_INODE, "inode", KIND_INODE),
	ORDER(AUDIT_SESSIONID, "sessionid", KIND_NUMBER),
	ORDER(AUDIT_SUBJ_SEN, "subj_sen", KIND_STRING), ORDER(AUDIT_SUBJ_CLR, "subj_clr", KIND_STRING),
	ORDER(AUDIT_OBJ_LEV_LOW, "obj_lev_low", KIND_STRING),
	ORDER(AUDIT_OBJ_LEV_HIGH, "obj_lev_high", KIND_STRING),
	ORDER(AUDIT_SADDR_FAM, "saddr_fam", KIND_NUMBER),
	EQUAL(AUDIT_SUBJ_USER, "subj_user", KIND_STRING), EQUAL(AUDIT_SUBJ_ROLE, "subj_role", KIND_STRING),
	EQUAL(AUDIT_SUBJ_TYPE, "subj_type", KIND_STRING), EQUAL(AUDIT_OBJ_USER, "obj_user", KIND_STRING),
	EQUAL(AUDIT_OBJ_ROLE, "obj_role", KIND_STRING), EQUAL(AUDIT_OBJ_TYPE, "obj_type", KIND_STRING),
	EQUAL(AUDIT_WATCH, "path", KIND_WATCH), EQUAL(AUDIT_DIR, "dir", KIND_DIR),
	EQUAL(AUDIT_FILTERKEY, "key", KIND_KEY), EQUAL(AUDIT_ARCH, "arch", KIND_NUMBER),
	EQUAL(AUDIT_FSTYPE, "fstype", KIND_NUMBER), EQUAL(AUDIT_PERM, "perm", KIND_NUMBER),
	EQUAL(AUDIT_FILETYPE, "filetype", KIND_NUMBER), EQUAL(AUDIT_EXE, "exe", KIND_EXE),
	EQUAL(AUDIT_FIELD_COMPARE, "field_compare", KIND_NUMBER),
#undef ALL
#undef ORDER
#undef EQUAL
};

/* What a rule has already while its fields are gone through in order. */
struct state {
	const struct audit_rule_data *data;
	uint32_t list;
	bool watch, inode, key, exe;
};

static const char *check_one_place(const struct state *state)
{
	if (state->watch || state->inode)
		return "a rule can have one of path=, dir= and inode= only";
	if (state->list != AUDIT_FILTER_EXIT)
		return "path=, dir=, inode= and watches are for the list exit only";
	return NULL;
}

/* The last part of a path, which kern_path_locked() must be able to create: neither . nor .. */
static bool has_plain_name(const char *path, size_t len)
{
	const char *slash = memrchr(path, '/', len);
	size_t name = slash ? len - (size_t)(slash + 1 - path) : len;

	return !(name == 1 && path[len - 1] == '.') && !(name == 2 && memcmp(path + len - 2, "..", 2) == 0);
}

static bool has_long_part(const char *path, size_t len)
{
	const char *end = path + len, *slash;

	for (; path < end; path = slash + 1) {
		slash = memchr(path, '/', (size_t)(end - path));
		if (!slash)
			slash = end;
		if (slash - path > NAME_MAX)
			return true;
	}
	return false;
}

static const char *check_path(const char *path, size_t len, bool name)
{
	if (path[0] == '"' || path[0] == '\'')
		return "the path begins with a quote; auditctl knows none, write it without";
	if (path[0] != '/')
		return "the path does not begin with /";
	if (name && path[len - 1] == '/')
		return "the path ends in /";
	if (name && !has_plain_name(path, len))
		return "the path ends in . or ..";
	if (len >= PATH_MAX || has_long_part(path, len))
		return "the path, or a part of it, is too long";
	return NULL;
}

static const char *check_watch(struct state *state, bool name, uint32_t operator, const char *s, size_t len)
{
	const char *why = check_one_place(state);

	if (!why && operator != AUDIT_EQUAL)
		why = "path and dir take the operator = only";
	if (!why)
		why = check_path(s, len, name);
	state->watch = true;
	return why;
}

static const char *check_inode(struct state *state, uint32_t operator)
{
	const char *why = check_one_place(state);

	if (!why && operator != AUDIT_EQUAL && operator != AUDIT_NOT_EQUAL)
		why = "inode takes the operators = and != only";
	state->inode = true;
	return why;
}

static const char *check_key(struct state *state, size_t len)
{
	if (state->key)
		return "it has two key fields";
	state->key = true;
	return len > AUDIT_MAX_KEY_LEN ? "the key is longer than 256 bytes" : NULL;
}

static const char *check_exe(struct state *state, const char *s, size_t len)
{
	if (state->exe)
		return "it has two exe= fields; write a rule for each program (to leave some out: rules with never and "
		       "exe= before this one)";
	state->exe = true;
	return check_path(s, len, true);
}

static const char *check_string(struct state *state, const struct field_rule *rule, uint32_t operator,
				const char *s, size_t len)
{
	if (len == 0)
		return "a value is empty";
	if (len > PATH_MAX)
		return "a value is longer than 4096 bytes";
	switch (rule->kind) {
	case KIND_WATCH:
	case KIND_DIR:
		return check_watch(state, rule->kind == KIND_WATCH, operator, s, len);
	case KIND_KEY:
		return check_key(state, len);
	case KIND_EXE:
		return check_exe(state, s, len);
	default:
		return NULL;
	}
}

static const char *check_operator(const struct field_rule *rule, uint32_t operator)
{
	bool bits = operator == AUDIT_BIT_MASK || operator == AUDIT_BIT_TEST;
	bool equal = operator == AUDIT_EQUAL || operator == AUDIT_NOT_EQUAL;

	if (rule->operators == OPERATORS_ALL || equal)
		return NULL;
	return rule->operators == OPERATORS_EQUAL || bits ? rule->why_operator : NULL;
}

static const char *check_list(uint32_t list, uint32_t field)
{
	if (field == AUDIT_MSGTYPE && list != AUDIT_FILTER_EXCLUDE && list != AUDIT_FILTER_USER)
		return "msgtype is for the lists exclude and user only";
	if (field == AUDIT_FSTYPE && list != AUDIT_FILTER_FS)
		return "fstype is for the list filesystem only";
	if (list == AUDIT_FILTER_FS && field != AUDIT_FSTYPE && field != AUDIT_FILTERKEY)
		return "the list filesystem takes the fields fstype and key only";
	return NULL;
}

static const struct field_rule *find_rule(uint32_t field)
{
	for (size_t i = 0; i < ARRAY_SIZE(field_rules); i++)
		if (field_rules[i].field == field)
			return &field_rules[i];
	return NULL;
}

static const char *check_field(struct state *state, uint32_t i, size_t *offset)
{
	const struct audit_rule_data *data = state->data;
	uint32_t field = data->fields[i], operator = data->fieldflags[i], value = data->values[i];
	const struct field_rule *rule = find_rule(field);
	const char *why, *s = data->buf + *offset;

	if (!rule)
		return "it has a field that the kernel does not know";
	why = check_list(state->list, field);
	if (!why)
		why = check_operator(rule, operator);
	/* audit_data_to_entry(): auid=-1 becomes another field, which takes = and != only. */
	if (!why && rule->kind == KIND_LOGINUID && value == UINT32_MAX && operator != AUDIT_EQUAL &&
	    operator != AUDIT_NOT_EQUAL)
		why = "an unset auid can be compared with = and != only";
	if (why)
		return why;
	if (rule->kind == KIND_ID && value == UINT32_MAX)
		return "-1 (unset) is a value of auid only";
	if (rule->kind == KIND_INODE)
		return check_inode(state, operator);
	if (!data_is_string(field))
		return NULL;
	if (value > data->buflen - *offset)
		return "its strings are longer than the message";
	*offset += value;
	return check_string(state, rule, operator, s, value);
}

const char *kernel_refuses(const struct audit_rule_data *data, size_t size)
{
	struct state state = { .data = data, .list = data_list(data) };
	size_t offset = 0;
	const char *why;

	if (size < sizeof(*data) || data->field_count > AUDIT_MAX_FIELDS ||
	    data->buflen > size - sizeof(*data))
		return "the message is malformed";
	for (uint32_t i = 0; i < data->field_count; i++) {
		why = check_field(&state, i, &offset);
		if (why)
			return why;
	}
	return NULL;
}
