/* struct audit_rule_data to a line of a rules file. Where several spellings give the same bytes,
 * the one is taken that auditctl 3.0.9 and 4.0.2 read alike on every host: -F path= and dir=
 * instead of -w, which looks at the file; numbers for users and groups; an architecture's own name
 * instead of b64. */
#include <linux/audit.h>
#include <string.h>

#include "rules/lex.h"
#include "rules/names.h"
#include "rules/rules.h"

#ifndef AUDIT_FILTER_URING_EXIT
#define AUDIT_FILTER_URING_EXIT 0x07
#endif

/* The top 16 system calls stand for classes; a kernel clears these bits when it takes a rule
 * (kernel/auditfilter.c audit_to_entry_common) and lists it without. */
#define CLASS_BITS 0xffff0000U

struct printer {
	struct text *out;
	const struct audit_rule_data *data;
	uint32_t list;
	uint32_t arch;	/* of the last arch field, whose names -S means; 0: none */
	uint32_t n_perms;
	bool all;	/* every system call */
	bool key_last;	/* the last field is the joined key */
	bool exact;
};

static void print_escaped(struct printer *p, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '\0' || s[i] == '\n' || s[i] == 0x07 || s[i] == 0x04) {
			text_addf(p->out, "\\x%02x", (unsigned char)s[i]);
			p->exact = false;
			continue;
		}
		if (s[i] == ' ' || s[i] == '\\')
			text_add(p->out, "\\");
		text_add_bytes(p->out, &s[i], 1);
	}
}

/* auditctl looks for an operator of two characters anywhere in NAME=VALUE. */
static bool has_operator(const char *s, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if (s[i + 1] == '=' && strchr("!><&", s[i]))
			return true;
	return false;
}

static const char *operator_symbol(uint32_t operator)
{
	static const struct {
		uint32_t operator;
		const char *symbol;
	} symbols[] = {
		{ AUDIT_EQUAL, "=" }, { AUDIT_NOT_EQUAL, "!=" }, { AUDIT_GREATER_THAN, ">" },
		{ AUDIT_GREATER_THAN_OR_EQUAL, ">=" }, { AUDIT_LESS_THAN, "<" },
		{ AUDIT_LESS_THAN_OR_EQUAL, "<=" }, { AUDIT_BIT_MASK, "&" }, { AUDIT_BIT_TEST, "&=" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++)
		if (symbols[i].operator == operator)
			return symbols[i].symbol;
	return NULL;
}

static void print_number(struct printer *p, uint32_t value)
{
	text_addf(p->out, "%u", value);
}

static void print_unset(struct printer *p, uint32_t value)
{
	if (value == UINT32_MAX)
		text_add(p->out, "unset");
	else
		print_number(p, value);
}

static void print_exit(struct printer *p, uint32_t value)
{
	int number = (int)value;
	const char *name = number < 0 && number > -4096 ? names_of_errno((uint32_t)-number) : NULL;

	if (name)
		text_addf(p->out, "-%s", name);
	else
		text_addf(p->out, "%d", number);
}

static void print_message_type(struct printer *p, uint32_t value)
{
	const char *name = names_of_message_type(value);

	if (name)
		text_add(p->out, name);
	else
		print_number(p, value);
}

static void print_arch(struct printer *p, uint32_t value)
{
	const char *name = names_of_arch(value);

	if (name)
		text_add(p->out, name);
	else
		text_addf(p->out, "0x%x", value);
	p->exact = p->exact && names_arch_known(value);
}

static void print_perm(struct printer *p, uint32_t value)
{
	static const struct {
		uint32_t bit;
		char letter[2];
	} letters[] = {
		{ AUDIT_PERM_READ, "r" }, { AUDIT_PERM_WRITE, "w" },
		{ AUDIT_PERM_EXEC, "x" }, { AUDIT_PERM_ATTR, "a" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (value & letters[i].bit)
			text_add(p->out, letters[i].letter);
	if (!value)
		p->exact = false;
}

static void print_file_type(struct printer *p, uint32_t value)
{
	const char *name = names_of_file_type(value);

	if (name)
		text_add(p->out, name);
	else
		text_addf(p->out, "0%o", value);
	p->exact = p->exact && name;
}

static void print_hex(struct printer *p, uint32_t value)
{
	text_addf(p->out, "0x%x", value);
}

/* Fields whose value is not simply a decimal number. */
static const struct {
	uint32_t field;
	void (*print)(struct printer *p, uint32_t value);
} values[] = {
	{ AUDIT_LOGINUID, print_unset }, { AUDIT_SESSIONID, print_unset }, { AUDIT_EXIT, print_exit },
	{ AUDIT_MSGTYPE, print_message_type }, { AUDIT_ARCH, print_arch }, { AUDIT_PERM, print_perm },
	{ AUDIT_FILETYPE, print_file_type }, { AUDIT_FSTYPE, print_hex },
};

static void print_value(struct printer *p, uint32_t field, uint32_t value)
{
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i].field == field) {
			values[i].print(p, value);
			return;
		}
	print_number(p, value);
}

static bool is_string(uint32_t field)
{
	static const uint32_t strings[] = {
		AUDIT_SUBJ_USER, AUDIT_SUBJ_ROLE, AUDIT_SUBJ_TYPE, AUDIT_SUBJ_SEN, AUDIT_SUBJ_CLR,
		AUDIT_OBJ_USER, AUDIT_OBJ_ROLE, AUDIT_OBJ_TYPE, AUDIT_OBJ_LEV_LOW, AUDIT_OBJ_LEV_HIGH,
		AUDIT_WATCH, AUDIT_DIR, AUDIT_FILTERKEY, AUDIT_EXE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		if (strings[i] == field)
			return true;
	return false;
}

/* A string field's bytes; moves *offset on. Less than its length when the message is cut. */
static const char *take_string(const struct audit_rule_data *data, uint32_t i, size_t *offset,
			       size_t *ret_len)
{
	const char *s = data->buf + *offset;

	*ret_len = data->values[i];
	if (*ret_len > data->buflen - *offset)
		*ret_len = data->buflen - *offset;
	*offset += *ret_len;
	return s;
}

static bool print_comparison(struct printer *p, uint32_t i)
{
	uint32_t left, right, operator = p->data->fieldflags[i];

	if (p->data->fields[i] != AUDIT_FIELD_COMPARE || p->list != AUDIT_FILTER_EXIT ||
	    (operator != AUDIT_EQUAL && operator != AUDIT_NOT_EQUAL) ||
	    !names_of_comparison(p->data->values[i], &left, &right))
		return false;
	text_addf(p->out, " -C %s%s%s", names_of_field(left), operator_symbol(operator),
		  names_of_field(right));
	return true;
}

/* auditctl 4.0 turns -F perm= after an architecture into a list of system calls, -p never. */
static bool print_short_perm(struct printer *p, uint32_t i)
{
	if (p->data->fields[i] != AUDIT_PERM || p->data->fieldflags[i] != AUDIT_EQUAL || i == 0 ||
	    p->n_perms != 1 || (!p->arch && p->list == AUDIT_FILTER_EXIT))
		return false;
	text_add(p->out, " -p ");
	print_perm(p, p->data->values[i]);
	return true;
}

static void print_field(struct printer *p, uint32_t i, size_t *offset)
{
	uint32_t field = p->data->fields[i];
	const char *name = names_of_field(field), *symbol = operator_symbol(p->data->fieldflags[i]), *s;
	size_t len;

	if (print_comparison(p, i) || print_short_perm(p, i))
		return;
	/* In capitals it is not taken for one of the joined keys. */
	if (field == AUDIT_FILTERKEY && p->data->fieldflags[i] == AUDIT_EQUAL)
		name = "KEY";
	text_add(p->out, " -F ");
	if (name)
		text_add(p->out, name);
	else
		text_addf(p->out, "field%u", field);
	text_add(p->out, symbol ? symbol : "?");
	p->exact = p->exact && name && symbol;
	if (!is_string(field)) {
		print_value(p, field, p->data->values[i]);
		return;
	}
	s = take_string(p->data, i, offset, &len);
	p->exact = p->exact && !has_operator(s, len) && len;
	print_escaped(p, s, len);
}

static void print_keys(struct printer *p, const char *s, size_t len)
{
	const char *end = s + len, *stop;

	p->exact = p->exact && !has_operator(s, len);
	for (;; s = stop + 1) {
		stop = memchr(s, 1, (size_t)(end - s));
		text_add(p->out, " -F key=");
		print_escaped(p, s, (size_t)((stop ? stop : end) - s));
		/* An empty first key would be forgotten with its separator. */
		if (stop == s)
			p->exact = false;
		if (!stop)
			return;
	}
}

static void print_mask(struct printer *p)
{
	const char *name, *comma = " -S ";

	for (uint32_t n = 0; n < AUDIT_BITMASK_SIZE * 32; n++) {
		if (!(p->data->mask[AUDIT_WORD(n)] & AUDIT_BIT(n)))
			continue;
		name = p->arch ? names_of_syscall(n, p->arch) : NULL;
		text_add(p->out, comma);
		if (name)
			text_add(p->out, name);
		else
			text_addf(p->out, "%u", n);
		comma = ",";
	}
	/* A list of nothing but a comma leaves the mask empty. */
	if (*comma == ' ')
		text_add(p->out, " -S ,");
}

static bool is_all(const struct audit_rule_data *data)
{
	for (size_t i = 0; i + 1 < AUDIT_BITMASK_SIZE; i++)
		if (data->mask[i] != UINT32_MAX)
			return false;
	return (data->mask[AUDIT_BITMASK_SIZE - 1] | CLASS_BITS) == UINT32_MAX;
}

static bool is_empty(const struct audit_rule_data *data)
{
	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		if (data->mask[i])
			return false;
	return true;
}

/* Whether auditctl takes a key without a -S (libaudit EAU_KEYDEP). */
static bool carries_key(const struct audit_rule_data *data)
{
	static const uint32_t carriers[] = {
		AUDIT_WATCH, AUDIT_DIR, AUDIT_PERM, AUDIT_EXE, AUDIT_FSTYPE,
	};

	for (uint32_t i = 0; i < data->field_count; i++)
		for (size_t j = 0; j < ARRAY_SIZE(carriers); j++)
			if (data->fields[i] == carriers[j])
				return true;
	return false;
}

static bool has_field(const struct audit_rule_data *data, uint32_t field)
{
	for (uint32_t i = 0; i < data->field_count; i++)
		if (data->fields[i] == field)
			return true;
	return false;
}

static void print_list(struct printer *p)
{
	static const char *const lists[] = {
		[AUDIT_FILTER_USER] = "user", [AUDIT_FILTER_TASK] = "task", [AUDIT_FILTER_EXIT] = "exit",
		[AUDIT_FILTER_EXCLUDE] = "exclude", [AUDIT_FILTER_FS] = "filesystem",
		[AUDIT_FILTER_URING_EXIT] = "io_uring",
	};
	const char *list = p->list < ARRAY_SIZE(lists) ? lists[p->list] : NULL;

	text_add(p->out, p->data->flags & AUDIT_FILTER_PREPEND ? "-A " : "-a ");
	text_add(p->out, p->data->action == AUDIT_ALWAYS ? "always," :
		 p->data->action == AUDIT_NEVER ? "never," : "possible,");
	if (list)
		text_add(p->out, list);
	else
		text_addf(p->out, "list%u", p->list);
	p->exact = p->exact && list && p->list != AUDIT_FILTER_URING_EXIT &&
		   (p->data->action == AUDIT_ALWAYS || p->data->action == AUDIT_NEVER);
}

/* A path with an operator in it can be written as a watch only. Returns whether this is such a
 * rule, with its first two fields printed. */
static bool print_watch(struct printer *p, size_t *offset)
{
	const struct audit_rule_data *data = p->data;

	if (data->flags != AUDIT_FILTER_EXIT || data->action != AUDIT_ALWAYS || data->field_count < 2 ||
	    (data->fields[0] != AUDIT_WATCH && data->fields[0] != AUDIT_DIR) || !p->all || p->arch ||
	    data->fields[1] != AUDIT_PERM || data->fieldflags[0] != AUDIT_EQUAL ||
	    data->fieldflags[1] != AUDIT_EQUAL || data->values[0] > data->buflen ||
	    !has_operator(data->buf, data->values[0]) || p->n_perms != 1)
		return false;
	text_add(p->out, "-w ");
	print_escaped(p, data->buf, data->values[0]);
	*offset = data->values[0];
	text_add(p->out, " -p ");
	print_perm(p, data->values[1]);
	return true;
}

static void print_syscalls(struct printer *p, const char *all)
{
	if (p->all)
		text_add(p->out, all);
	else
		print_mask(p);
}

static void print_rule(struct printer *p)
{
	const struct audit_rule_data *data = p->data;
	bool syscalls = p->list == AUDIT_FILTER_EXIT || p->list == AUDIT_FILTER_URING_EXIT;
	uint32_t i = 0, end = data->field_count - p->key_last;
	size_t offset = 0, len;
	const char *s;

	if (print_watch(p, &offset)) {
		i = 2;
	} else {
		/* On these lists auditctl refuses -S, but only when it comes after the list. */
		if (!syscalls && p->list != AUDIT_FILTER_TASK && !p->all) {
			print_mask(p);
			text_add(p->out, " ");
			p->exact = !has_field(data, AUDIT_ARCH);
		}
		print_list(p);
	}
	for (; i < end; i++)
		print_field(p, i, &offset);
	if (syscalls && (!p->all || p->arch || (p->key_last && !carries_key(data))))
		print_syscalls(p, " -S all");
	else if (p->list == AUDIT_FILTER_TASK && !is_empty(data))
		p->exact = false;
	if (!p->key_last)
		return;
	s = take_string(data, end, &offset, &len);
	p->exact = p->exact && p->list != AUDIT_FILTER_EXCLUDE && (syscalls || carries_key(data) || !p->all);
	print_keys(p, s, len);
}

bool rule_print(struct text *out, const struct audit_rule_data *data, size_t size)
{
	_cleanup_text_ struct text line = { 0 };
	struct printer p = {
		.out = &line, .data = data, .list = data->flags & ~(uint32_t)AUDIT_FILTER_PREPEND,
		.all = is_all(data), .exact = true,
	};

	if (data->field_count > AUDIT_MAX_FIELDS || data->buflen > size - sizeof(*data)) {
		text_add(out, "# malformed rule");
		return false;
	}
	for (uint32_t i = 0; i < data->field_count; i++) {
		if (data->fields[i] == AUDIT_ARCH)
			p.arch = data->values[i];
		p.n_perms += data->fields[i] == AUDIT_PERM;
	}
	p.key_last = data->field_count && data->fields[data->field_count - 1] == AUDIT_FILTERKEY &&
		     data->fieldflags[data->field_count - 1] == AUDIT_EQUAL;
	print_rule(&p);
	/* A leading space, where -S came first. */
	if (line.s)
		text_add(out, line.s + strspn(line.s, " "));
	if (text_error(&line) < 0)
		out->failed = true;
	return p.exact && line.len <= LEX_LINE_MAX;
}
