/* -F, -C and keys: one row a field says where it is allowed and how its value is read. The limits
 * are those of audit_rule_fieldpair_data() in libaudit 3.0.9; what the kernel refuses besides is
 * in kernel.c. */
#include <ctype.h>
#include <linux/limits.h>
#include <string.h>
#include <strings.h>

#include "rules/parse/draft.h"
#include "rules/rule/names.h"
#include "rules/rule/value.h"

#define LIST(name) (1u << AUDIT_FILTER_##name)

enum {
	LISTS_EXIT = LIST(EXIT),
	LISTS_NOT_EXCLUDE = LIST(EXIT) | LIST(TASK) | LIST(USER) | LIST(FS),
	LISTS_ANY = LISTS_NOT_EXCLUDE | LIST(EXCLUDE),
};

struct pair {
	const char *text;	/* the whole token */
	const struct field_row *row;
	uint32_t operator;
	const char *value;
};

struct field_row {
	uint32_t field;
	unsigned lists;
	bool (*read)(struct draft *draft, const struct pair *pair);
	unsigned number;	/* VALUE_*, for numbers */
	bool equality;	/* takes = and != only */
};

static bool read_number(struct draft *draft, const struct pair *pair);
static bool read_argument(struct draft *draft, const struct pair *pair);
static bool read_user(struct draft *draft, const struct pair *pair);
static bool read_group(struct draft *draft, const struct pair *pair);
static bool read_session(struct draft *draft, const struct pair *pair);
static bool read_exit(struct draft *draft, const struct pair *pair);
static bool read_message_type(struct draft *draft, const struct pair *pair);
static bool read_arch(struct draft *draft, const struct pair *pair);
static bool read_perm(struct draft *draft, const struct pair *pair);
static bool read_file_type(struct draft *draft, const struct pair *pair);
static bool read_fs_type(struct draft *draft, const struct pair *pair);
static bool read_family(struct draft *draft, const struct pair *pair);
static bool read_string(struct draft *draft, const struct pair *pair);
static bool read_key(struct draft *draft, const struct pair *pair);

static const struct field_row rows[] = {
	{ AUDIT_PID, LISTS_ANY, read_number, 0, false },
	{ AUDIT_UID, LISTS_ANY, read_user, 0, false },
	{ AUDIT_EUID, LISTS_NOT_EXCLUDE, read_user, 0, false },
	{ AUDIT_SUID, LISTS_NOT_EXCLUDE, read_user, 0, false },
	{ AUDIT_FSUID, LISTS_NOT_EXCLUDE, read_user, 0, false },
	{ AUDIT_LOGINUID, LISTS_ANY, read_user, 0, false },
	{ AUDIT_OBJ_UID, LISTS_NOT_EXCLUDE, read_user, 0, false },
	{ AUDIT_GID, LISTS_ANY, read_group, 0, false },
	{ AUDIT_EGID, LISTS_NOT_EXCLUDE, read_group, 0, false },
	{ AUDIT_SGID, LISTS_NOT_EXCLUDE, read_group, 0, false },
	{ AUDIT_FSGID, LISTS_NOT_EXCLUDE, read_group, 0, false },
	{ AUDIT_OBJ_GID, LISTS_NOT_EXCLUDE, read_group, 0, false },
	{ AUDIT_PERS, LISTS_NOT_EXCLUDE, read_number, 0, false },
	{ AUDIT_ARCH, LISTS_NOT_EXCLUDE, read_arch, 0, true },
	{ AUDIT_MSGTYPE, LIST(EXCLUDE) | LIST(USER), read_message_type, 0, false },
	{ AUDIT_SUBJ_USER, LISTS_ANY, read_string, 0, false },
	{ AUDIT_SUBJ_ROLE, LISTS_ANY, read_string, 0, false },
	{ AUDIT_SUBJ_TYPE, LISTS_ANY, read_string, 0, false },
	{ AUDIT_SUBJ_SEN, LISTS_ANY, read_string, 0, false },
	{ AUDIT_SUBJ_CLR, LISTS_ANY, read_string, 0, false },
	{ AUDIT_PPID, LISTS_EXIT, read_number, 0, false },
	{ AUDIT_OBJ_USER, LISTS_EXIT, read_string, 0, false },
	{ AUDIT_OBJ_ROLE, LISTS_EXIT, read_string, 0, false },
	{ AUDIT_OBJ_TYPE, LISTS_EXIT, read_string, 0, false },
	{ AUDIT_OBJ_LEV_LOW, LISTS_EXIT, read_string, 0, false },
	{ AUDIT_OBJ_LEV_HIGH, LISTS_EXIT, read_string, 0, false },
	{ AUDIT_SESSIONID, LIST(EXIT) | LIST(USER), read_session, 0, false },
	{ AUDIT_DEVMAJOR, LISTS_EXIT, read_number, 0, false },
	{ AUDIT_DEVMINOR, LISTS_EXIT, read_number, 0, false },
	{ AUDIT_INODE, LISTS_EXIT, read_number, VALUE_STRTOUL, true },
	{ AUDIT_EXIT, LISTS_EXIT, read_exit, 0, false },
	{ AUDIT_SUCCESS, LISTS_EXIT, read_number, 0, false },
	{ AUDIT_WATCH, LISTS_EXIT, read_string, 0, false },
	{ AUDIT_DIR, LISTS_EXIT, read_string, 0, false },
	{ AUDIT_PERM, LISTS_EXIT, read_perm, 0, false },
	{ AUDIT_FILETYPE, LISTS_EXIT, read_file_type, 0, false },
	{ AUDIT_FSTYPE, LIST(FS), read_fs_type, 0, true },
	{ AUDIT_FIELD_COMPARE, LISTS_NOT_EXCLUDE, read_number, 0, false },
	{ AUDIT_ARG0, LISTS_NOT_EXCLUDE, read_argument, 0, false },
	{ AUDIT_ARG1, LISTS_NOT_EXCLUDE, read_argument, 0, false },
	{ AUDIT_ARG2, LISTS_NOT_EXCLUDE, read_argument, 0, false },
	{ AUDIT_ARG3, LISTS_NOT_EXCLUDE, read_argument, 0, false },
	{ AUDIT_FILTERKEY, LISTS_NOT_EXCLUDE, read_key, 0, false },
	{ AUDIT_EXE, LISTS_ANY, read_string, 0, true },
	{ AUDIT_SADDR_FAM, LISTS_NOT_EXCLUDE, read_family, 0, false },
};

static bool add(struct draft *draft, const struct pair *pair, uint32_t value)
{
	return draft_add(draft, pair->row->field, pair->operator, value);
}

/* A value that begins like a number, read strictly. */
static bool add_number(struct draft *draft, const struct pair *pair, unsigned flags)
{
	uint32_t value;
	const char *wrong = value_number(pair->value, flags, &value);

	if (!wrong)
		return add(draft, pair, value);
	if (!value_is_number(pair->value) || (*pair->value == '-' && !(flags & VALUE_NEGATIVE)))
		return draft_fail(draft, "-F %s: expected a number, not \"%s\"", pair->text, pair->value);
	return draft_fail(draft, "-F %s: \"%s\" is %s; auditctl would read it as %u", pair->text,
			  pair->value, wrong, value_as_auditctl(pair->value, flags));
}

static bool read_number(struct draft *draft, const struct pair *pair)
{
	return add_number(draft, pair, pair->row->number);
}

static bool read_argument(struct draft *draft, const struct pair *pair)
{
	/* Flags and modes are written in octal, and the rule sets that auditd ships do so: a1&0100. */
	bool bits = pair->operator == AUDIT_BIT_MASK || pair->operator == AUDIT_BIT_TEST;

	return add_number(draft, pair, VALUE_NEGATIVE | VALUE_STRTOUL | (bits ? VALUE_OCTAL : 0));
}

static bool read_id(struct draft *draft, const struct pair *pair, bool group)
{
	const struct rules_host *host = draft->env->host;
	const char *what = group ? "group" : "user";
	_cleanup_free_ char *near = NULL;
	uint32_t id;
	int r = (group ? host->group_id : host->user_id)(host->context, pair->value, &id);

	if (r < 0)
		return draft_fail(draft, "-F %s: cannot look up the %s \"%s\": %s", pair->text, what,
				  pair->value, strerror(-r));
	if (r > 0)
		return add(draft, pair, id);
	if (host->near_name)
		near = host->near_name(host->context, pair->value, group);
	if (near)
		return draft_fail(draft, "-F %s: the host has no %s \"%s\"; did you mean \"%s\"?", pair->text, what,
				  pair->value, near);
	return draft_fail(draft, "-F %s: the host has no %s \"%s\"", pair->text, what, pair->value);
}

static bool read_user(struct draft *draft, const struct pair *pair)
{
	if (value_is_number(pair->value))
		return add_number(draft, pair, VALUE_NEGATIVE | VALUE_STRTOUL);
	if (strcmp(pair->value, "unset") == 0)
		return add(draft, pair, UINT32_MAX);
	return read_id(draft, pair, false);
}

static bool read_group(struct draft *draft, const struct pair *pair)
{
	if (isdigit((unsigned char)*pair->value))
		return add_number(draft, pair, 0);
	return read_id(draft, pair, true);
}

static bool read_session(struct draft *draft, const struct pair *pair)
{
	if (strcmp(pair->value, "unset") == 0)
		return add(draft, pair, UINT32_MAX);
	if (!value_is_number(pair->value))
		return draft_fail(draft, "-F %s: expected a number or \"unset\", not \"%s\", which auditctl "
				  "would read as 0", pair->text, pair->value);
	return add_number(draft, pair, VALUE_NEGATIVE | VALUE_STRTOUL);
}

static bool read_exit(struct draft *draft, const struct pair *pair)
{
	const char *nearest;
	int number;

	if (value_is_number(pair->value))
		return add_number(draft, pair, VALUE_NEGATIVE);
	number = names_errno(pair->value);
	nearest = number ? NULL : names_nearest_errno(pair->value + (*pair->value == '-'));
	if (!number)
		return draft_fail(draft, "-F %s: expected a number or an error name such as -EACCES, not "
				  "\"%s\"%s%s%s", pair->text, pair->value, nearest ? "; did you mean -" : "",
				  nearest ? nearest : "", nearest ? "?" : "");
	if (number > 0)
		draft_warn(draft, "exit-sign", "-F %s: a call that fails returns -%s; %s is %d, which only a call that "
			   "succeeds can return, such as the descriptor of an open; write -%s", pair->text, pair->value,
			   pair->value, number, pair->value);
	return add(draft, pair, (uint32_t)number);
}

/* UNKNOWN[1300], as ausearch prints a type without a name. */
static bool read_unknown_type(struct draft *draft, const struct pair *pair)
{
	size_t len = strlen(pair->value);
	char digits[8] = "";
	uint32_t type;

	if (len < sizeof("UNKNOWN[]") || len - sizeof("UNKNOWN[]") + 1 >= sizeof(digits) ||
	    pair->value[len - 1] != ']')
		return draft_fail(draft, "-F %s: expected UNKNOWN[number]", pair->text);
	memcpy(digits, pair->value + strlen("UNKNOWN["), len - strlen("UNKNOWN[]"));
	if (value_number(digits, 0, &type) || strchr(digits, 'x') || strchr(digits, 'X') || !type)
		return draft_fail(draft, "-F %s: expected UNKNOWN[number]", pair->text);
	return add(draft, pair, type);
}

static bool read_message_type(struct draft *draft, const struct pair *pair)
{
	const char *nearest;
	int type;

	if (isdigit((unsigned char)*pair->value))
		return add_number(draft, pair, 0);
	if (strncmp(pair->value, "UNKNOWN[", 8) == 0)
		return read_unknown_type(draft, pair);
	type = names_message_type(pair->value);
	nearest = type > 0 ? NULL : names_nearest_message_type(pair->value);
	if (type <= 0)
		return draft_fail(draft, "-F %s: unknown record type \"%s\"%s%s%s", pair->text, pair->value,
				  nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
	return add(draft, pair, (uint32_t)type);
}

/* AUDIT_ARCH_* of a value: a number, b32, b64, a machine's name or bare hex digits. */
static uint32_t arch_value(const struct draft *draft, const char *value)
{
	uint32_t machine = draft->machine, arch = 0;
	char hex[11] = "0x";

	if (isdigit((unsigned char)*value))
		return value_number(value, 0, &arch) || !names_arch_known(arch) ? 0 : arch;
	if (strcasecmp(value, "b64") == 0)
		return machine & __AUDIT_ARCH_64BIT ? machine : 0;
	if (strcasecmp(value, "b32") == 0)
		return names_arch32(machine);
	arch = names_arch(value);
	if (arch || strlen(value) > 8)
		return arch;
	strcpy(hex + 2, value);
	return value_number(hex, 0, &arch) || !names_arch_known(arch) ? 0 : arch;
}

static bool read_arch(struct draft *draft, const struct pair *pair)
{
	if (draft->syscalls)
		return draft_fail(draft, "-F %s: the architecture must stand before -S and cannot follow -w",
				  pair->text);
	draft->arch = arch_value(draft, pair->value);
	if (!draft->arch)
		return draft_fail(draft, "-F %s: expected b64, b32 or an architecture of the audit system, "
				  "not \"%s\"", pair->text, pair->value);
	draft->arch_excluded = pair->operator == AUDIT_NOT_EQUAL;
	draft->arch_generic = strcasecmp(pair->value, "b64") == 0 || strcasecmp(pair->value, "b32") == 0;
	return add(draft, pair, draft->arch);
}

static bool read_perm(struct draft *draft, const struct pair *pair)
{
	uint32_t value;

	if (pair->operator != AUDIT_EQUAL)
		return draft_fail(draft, "-F %s: perm takes the operator = only", pair->text);
	if (!draft_permissions(draft, pair->value, &value))
		return false;
	draft->permissions = true;
	return add(draft, pair, value);
}

static bool read_file_type(struct draft *draft, const struct pair *pair)
{
	int type = names_file_type(pair->value);

	if (type < 0)
		return draft_fail(draft, "-F %s: expected file, dir, socket, link, character, block or fifo, "
				  "not \"%s\"", pair->text, pair->value);
	return add(draft, pair, (uint32_t)type);
}

static bool read_fs_type(struct draft *draft, const struct pair *pair)
{
	uint32_t type;

	draft->fs_type = true;
	if (isdigit((unsigned char)*pair->value)) {
		if (!value_number(pair->value, 0, &type) && type == UINT32_MAX)
			return draft_fail(draft, "-F %s: not a file system type", pair->text);
		return add_number(draft, pair, VALUE_STRTOUL);
	}
	if (!names_fs_type(pair->value, &type))
		return draft_fail(draft, "-F %s: expected tracefs, debugfs or the file system's magic number, "
				  "not \"%s\"", pair->text, pair->value);
	return add(draft, pair, type);
}

static bool read_family(struct draft *draft, const struct pair *pair)
{
	/* Linux has 46 families (include/linux/socket.h: AF_MAX) since 5.15; 5.10 has 45. */
	enum { FAMILIES = 46 };
	uint32_t family;

	if (!isdigit((unsigned char)*pair->value))
		return draft_fail(draft, "-F %s: expected the number of an address family, not \"%s\"; "
				  "auditctl would read it as %u", pair->text, pair->value,
				  value_as_auditctl(pair->value, VALUE_STRTOUL));
	if (!value_number(pair->value, 0, &family) && family >= FAMILIES)
		return draft_fail(draft, "-F %s: address families end at %d", pair->text, FAMILIES - 1);
	return add_number(draft, pair, VALUE_STRTOUL);
}

static bool read_string(struct draft *draft, const struct pair *pair)
{
	uint32_t field = pair->row->field;

	if (strlen(pair->value) > PATH_MAX)
		return draft_fail(draft, "-F: the value of %s is longer than %d bytes",
				  names_of_field(field), PATH_MAX);
	if (field == AUDIT_WATCH || field == AUDIT_DIR)
		draft->permissions = true;
	if (field == AUDIT_EXE)
		draft->exe = true;
	return draft_add_string(draft, field, pair->operator, pair->value);
}

/* KEY=x or key!=x: not collected with the other keys but a field in its place. */
static bool read_key(struct draft *draft, const struct pair *pair)
{
	if (!draft_key_allowed(draft))
		return draft_fail(draft, "-F %s: a key needs a watch, -S, -F path=, dir=, perm= or exe= "
				  "before it", pair->text);
	if (strlen(pair->value) > AUDIT_MAX_KEY_LEN)
		return draft_fail(draft, "-F: the key is longer than %d bytes", AUDIT_MAX_KEY_LEN);
	return draft_add_string(draft, AUDIT_FILTERKEY, pair->operator, pair->value);
}

/* In the order in which libaudit looks for them, each anywhere in the text. */
static const struct {
	const char *symbol;
	uint32_t operator;
} operators[] = {
	{ "!=", AUDIT_NOT_EQUAL }, { ">=", AUDIT_GREATER_THAN_OR_EQUAL },
	{ "<=", AUDIT_LESS_THAN_OR_EQUAL }, { "&=", AUDIT_BIT_TEST }, { "=", AUDIT_EQUAL },
	{ ">", AUDIT_GREATER_THAN }, { "<", AUDIT_LESS_THAN }, { "&", AUDIT_BIT_MASK },
};

/* Splits a pair at its operator. Returns where it is, NULL when there is none. */
static const char *find_operator(const char *pair, size_t n, size_t *ret_row)
{
	const char *at;

	for (size_t i = 0; i < n; i++) {
		at = strstr(pair, operators[i].symbol);
		if (at) {
			*ret_row = i;
			return at;
		}
	}
	return NULL;
}

/* The number of the field called name[0..len), -1 when there is none. */
static int field_number(const char *name, size_t len)
{
	char copy[32];

	if (len >= sizeof(copy))
		return -1;
	memcpy(copy, name, len);
	copy[len] = '\0';
	return names_field(copy);
}

static const struct field_row *find_row(int field)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if ((int)rows[i].field == field)
			return &rows[i];
	return NULL;
}

static const char *nearest_field(const char *name, size_t len)
{
	char copy[32];

	if (!len || len >= sizeof(copy))
		return NULL;
	memcpy(copy, name, len);
	copy[len] = '\0';
	return names_nearest_field(copy);
}

static bool fail_unknown(struct draft *draft, char option, const char *pair, const char *name, size_t len)
{
	const char *nearest;

	if (*name == '"' || *name == '\'')
		return draft_fail(draft, "-%c %s: auditctl knows no quotes; write the field without them", option,
				  pair);
	nearest = nearest_field(name, len);
	return draft_fail(draft, "-%c %s: unknown field \"%.*s\"%s%s%s", option, pair, (int)len, name,
			  nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

/* FIELD or FIELD>= where the rest of the pair stands in words of its own. */
static bool fail_apart(struct draft *draft, const char *text)
{
	return draft_fail(draft, "-F %s %s: FIELD, operator and value are one word; leave out the blanks", text, draft->next);
}

bool draft_field(struct draft *draft, const char *text)
{
	struct pair pair = { .text = text };
	const char *at;
	size_t which, len;

	if (draft->list == DRAFT_LIST_UNSET)
		return draft_fail(draft, "-F %s: the list (-a LIST,ACTION) must stand before it", text);
	if (strncmp(text, "key=", 4) == 0)
		return draft_key(draft, text + 4);
	at = find_operator(text, ARRAY_SIZE(operators), &which);
	if (!at && draft->next && strchr("=!<>&", *draft->next))
		return fail_apart(draft, text);
	if (!at)
		return draft_fail(draft, "-F %s: expected FIELD, an operator (= != > >= < <= & &=) and a value",
				  text);
	len = (size_t)(at - text);
	pair.operator = operators[which].operator;
	pair.value = at + strlen(operators[which].symbol);
	if (!len)
		return draft_fail(draft, "-F %s: the field's name is missing", text);
	if (!*pair.value && draft->next && *draft->next != '-')
		return fail_apart(draft, text);
	if (!*pair.value)
		return draft_fail(draft, "-F %s: the value is missing", text);
	pair.row = find_row(field_number(text, len));
	if (!pair.row)
		return fail_unknown(draft, 'F', text, text, len);
	if (!(pair.row->lists & (1u << draft->list)))
		return draft_fail(draft, "-F %s: the field %.*s is not for the list %s", text, (int)len, text,
				  draft_list_name(draft));
	if (pair.row->equality && pair.operator != AUDIT_EQUAL && pair.operator != AUDIT_NOT_EQUAL)
		return draft_fail(draft, "-F %s: %.*s takes the operators = and != only", text, (int)len, text);
	return pair.row->read(draft, &pair);
}

bool draft_compare(struct draft *draft, const char *text)
{
	const char *at = strstr(text, "!="), *value;
	uint32_t operator = at ? AUDIT_NOT_EQUAL : AUDIT_EQUAL, comparison = 0;
	int left, right;

	if (!at)
		at = strchr(text, '=');
	if (!at)
		return draft_fail(draft, "-C %s: expected FIELD=FIELD or FIELD!=FIELD", text);
	value = at + (operator == AUDIT_NOT_EQUAL ? 2 : 1);
	left = field_number(text, (size_t)(at - text));
	right = names_field(value);
	if (left < 0 || right < 0)
		return fail_unknown(draft, 'C', text, left < 0 ? text : value,
				    left < 0 ? (size_t)(at - text) : strlen(value));
	if (draft->list != AUDIT_FILTER_EXIT)
		return draft_fail(draft, "-C %s: fields can be compared in the list exit only%s", text,
				  draft->list == DRAFT_LIST_UNSET ? ", which must be given before" : "");
	comparison = names_comparison((uint32_t)left, (uint32_t)right);
	if (!comparison)
		return draft_fail(draft, "-C %s: the kernel cannot compare these two fields", text);
	return draft_add(draft, AUDIT_FIELD_COMPARE, operator, comparison);
}

bool draft_key_allowed(const struct draft *draft)
{
	return draft->syscalls || draft->permissions || draft->exe || draft->fs_type;
}

bool draft_key(struct draft *draft, const char *key)
{
	size_t which;
	const char separator = 1;	/* AUDIT_KEY_SEPARATOR of libaudit.h */

	if (draft->key.len + (draft->key.len ? 1 : 0) + strlen(key) > AUDIT_MAX_KEY_LEN)
		return draft_fail(draft, "-k %s: the keys of a rule together are longer than %d bytes", key,
				  AUDIT_MAX_KEY_LEN);
	/* auditctl builds "key=..." and looks for the operator in all of it. */
	if (find_operator(key, 4, &which))
		return draft_fail(draft, "-k %s: a key with \"%s\" in it cannot be loaded; auditctl would take "
				  "that for the operator", key, operators[which].symbol);
	if (*key && strchr("\"'", *key) && key[strlen(key) - 1] == *key)
		draft_warn(draft, "quotes", "-k %s: the quotes become part of the key, for auditctl knows none; write the "
			   "key without them", key);
	if (draft->key.len)
		text_add_bytes(&draft->key, &separator, 1);
	text_add(&draft->key, key);
	return true;
}
