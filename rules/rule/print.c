/* struct audit_rule_data to a line of a rules file. Where several spellings give the same bytes,
 * the one is taken that auditctl 3.0.9 and 4.0.2 read alike on every host: -F path= and dir=
 * instead of -w, which looks at the file; numbers for users and groups; an architecture's own name
 * instead of b64. */
#include <linux/audit.h>
#include <string.h>

#include "rules/rule/data.h"
#include "rules/rule/lex.h"
#include "rules/rule/names.h"
#include "rules/rule/rule.h"
#include "rules/rule/show.h"

struct printer {
	struct text *out;
	const struct audit_rule_data *data;
	uint32_t list;
	uint32_t arch;	/* of the last arch field, whose names -S means; 0: none */
	uint32_t n_perms;
	bool all;	/* every system call */
	bool runs;	/* of calls without names, in a row, the ends alone: no line of a rules file */
	bool key_last;	/* the last field is the joined key */
	bool syscalls_printed;
	bool exact;
	const struct text *printed;	/* where the rule before stands */
	struct rule_printed before, now;
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

static bool print_comparison(struct printer *p, const struct data_field *f)
{
	uint32_t left, right;

	if (f->field != AUDIT_FIELD_COMPARE || p->list != AUDIT_FILTER_EXIT ||
	    (f->operator != AUDIT_EQUAL && f->operator != AUDIT_NOT_EQUAL) ||
	    !names_of_comparison(f->value, &left, &right))
		return false;
	text_addf(p->out, " -C %s%s%s", names_of_field(left), operator_symbol(f->operator),
		  names_of_field(right));
	return true;
}

/* auditctl 4.0 turns -F perm= after an architecture or a -S into a list of system calls, -p never. */
static bool print_short_perm(struct printer *p, const struct data_field *f, bool first)
{
	if (f->field != AUDIT_PERM || f->operator != AUDIT_EQUAL || first || p->n_perms != 1 ||
	    (!p->arch && !p->syscalls_printed && p->list == AUDIT_FILTER_EXIT))
		return false;
	text_add(p->out, " -p ");
	print_perm(p, f->value);
	return true;
}

static void print_field(struct printer *p, const struct data_field *f, bool first)
{
	const char *name = names_of_field(f->field), *symbol = operator_symbol(f->operator);

	if (print_comparison(p, f) || print_short_perm(p, f, first))
		return;
	/* In capitals it is not taken for one of the joined keys. */
	if (f->field == AUDIT_FILTERKEY && f->operator == AUDIT_EQUAL)
		name = "KEY";
	text_add(p->out, " -F ");
	if (name)
		text_add(p->out, name);
	else
		text_addf(p->out, "field%u", f->field);
	text_add(p->out, symbol ? symbol : "?");
	p->exact = p->exact && name && symbol;
	if (!f->text) {
		print_value(p, f->field, f->value);
		return;
	}
	p->exact = p->exact && !has_operator(f->text, f->len) && f->len;
	print_escaped(p, f->text, f->len);
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

/* The digits of a number at s; returns what follows. */
static char *put_number(char *s, uint32_t number)
{
	char digits[10];
	size_t n = 0;

	/* Most of them. */
	if (number >= 100 && number < 1000) {
		*s++ = (char)('0' + number / 100);
		*s++ = (char)('0' + number / 10 % 10);
		*s++ = (char)('0' + number % 10);
		return s;
	}
	do
		digits[n++] = (char)('0' + number % 10);
	while (number /= 10);
	while (n > 0)
		*s++ = digits[--n];
	return s;
}

/* How many numbers in a row the mask has from n on that have no names. */
static uint32_t count_run(const struct printer *p, uint32_t n)
{
	uint32_t end = n;

	while (end < AUDIT_BITMASK_SIZE * 32 && p->data->mask[AUDIT_WORD(end)] & AUDIT_BIT(end) &&
	       !(p->arch && names_of_syscall(end, p->arch)))
		end++;
	return end - n;
}

/* By the buffer: where a list has hundreds of numbers, appending each would take most of the time. */
static void print_mask(struct printer *p)
{
	enum { RUN = 8 };	/* shown by its ends */
	char buffer[256], *end = buffer;
	uint32_t next = 0, n, run;
	bool first = true;

	text_add(p->out, " -S ");
	for (; data_next_syscall(p->data, &next, &n); first = false) {
		const char *name = p->arch ? names_of_syscall(n, p->arch) : NULL;

		if (!first)
			*end++ = ',';
		if (!name)
			end = put_number(end, n);
		if (!name && p->runs && (run = count_run(p, n)) >= RUN) {
			*end++ = '.';
			*end++ = '.';
			end = put_number(end, n + run - 1);
			next = n + run;
		}
		if (name || end > buffer + sizeof(buffer) - 16) {
			text_add_bytes(p->out, buffer, (size_t)(end - buffer));
			end = buffer;
		}
		if (name)
			text_add(p->out, name);
	}
	text_add_bytes(p->out, buffer, (size_t)(end - buffer));
	/* A list of nothing but a comma leaves the mask empty. */
	if (first)
		text_add(p->out, ",");
}

static void print_calls(struct printer *p)
{
	const struct rule_printed *before = &p->before;

	p->now = (struct rule_printed){ .data = p->data, .arch = p->arch, .at = p->out->len };
	if (before->data && before->arch == p->arch && memcmp(before->data->mask, p->data->mask, sizeof(p->data->mask)) == 0)
		text_add_bytes(p->out, p->printed->s + before->at, before->len);
	else
		print_mask(p);
	p->now.len = p->out->len - p->now.at;
}

/* Whether auditctl takes a key after this field, without a -S (libaudit EAU_KEYDEP). */
static bool is_key_carrier(uint32_t field)
{
	static const uint32_t carriers[] = {
		AUDIT_WATCH, AUDIT_DIR, AUDIT_PERM, AUDIT_EXE, AUDIT_FSTYPE,
	};

	for (size_t i = 0; i < ARRAY_SIZE(carriers); i++)
		if (carriers[i] == field)
			return true;
	return false;
}

static bool carries_key(const struct audit_rule_data *data)
{
	for (uint32_t i = 0; i < data->field_count; i++)
		if (is_key_carrier(data->fields[i]))
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

/* A path with an operator in it can be written as a watch only: path or dir, then perm. */
static bool is_watch(const struct printer *p)
{
	const struct audit_rule_data *data = p->data;

	return data->flags == AUDIT_FILTER_EXIT && data->action == AUDIT_ALWAYS && data->field_count >= 2 &&
	       (data->fields[0] == AUDIT_WATCH || data->fields[0] == AUDIT_DIR) && p->all && !p->arch &&
	       data->fields[1] == AUDIT_PERM && data->fieldflags[0] == AUDIT_EQUAL &&
	       data->fieldflags[1] == AUDIT_EQUAL && data->values[0] <= data->buflen &&
	       has_operator(data->buf, data->values[0]) && p->n_perms == 1;
}

static void print_watch(struct printer *p, const struct data_field *path, const struct data_field *perm)
{
	text_add(p->out, "-w ");
	print_escaped(p, path->text, path->len);
	/* auditctl cuts the slash, and looks whether there is a directory. */
	if (path->field == AUDIT_DIR)
		text_add(p->out, "/");
	text_add(p->out, " -p ");
	print_perm(p, perm->value);
}

static void print_syscalls(struct printer *p)
{
	if (p->all)
		text_add(p->out, " -S all");
	else
		print_calls(p);
	p->syscalls_printed = true;
}

/* Before a key that is a field in its place auditctl wants something to hang it on. */
static void print_key_carrier(struct printer *p, uint32_t at)
{
	const struct audit_rule_data *data = p->data;
	bool arch_follows = false;

	for (uint32_t i = at; i < data->field_count; i++)
		arch_follows = arch_follows || data->fields[i] == AUDIT_ARCH;
	for (uint32_t i = 0; i < at; i++)
		if (is_key_carrier(data->fields[i]))
			return;
	if (p->list != AUDIT_FILTER_EXIT || arch_follows)
		p->exact = false;
	else if (!p->syscalls_printed)
		print_syscalls(p);
}

/* The list, and what must stand before or in place of it. */
static void print_head(struct printer *p, bool syscalls, uint32_t *at, size_t *offset)
{
	struct data_field path, perm;

	if (is_watch(p) && data_next(p->data, at, offset, &path) && data_next(p->data, at, offset, &perm)) {
		print_watch(p, &path, &perm);
		return;
	}
	/* On these lists auditctl refuses -S, but only when it comes after the list. */
	if (!syscalls && p->list != AUDIT_FILTER_TASK && !p->all) {
		print_mask(p);
		text_add(p->out, " ");
		p->exact = !data_has(p->data, AUDIT_ARCH);
	}
	if (p->list == AUDIT_FILTER_TASK && !data_mask_empty(p->data))
		p->exact = false;
	print_list(p);
}

static void print_rule(struct printer *p)
{
	const struct audit_rule_data *data = p->data;
	bool syscalls = p->list == AUDIT_FILTER_EXIT || p->list == AUDIT_FILTER_URING_EXIT;
	bool carried = carries_key(data);
	uint32_t at = 0, end = data->field_count - p->key_last;
	struct data_field field;
	size_t offset = 0;

	print_head(p, syscalls, &at, &offset);
	while (at < end && data_next(data, &at, &offset, &field)) {
		if (field.field == AUDIT_FILTERKEY)
			print_key_carrier(p, at);
		print_field(p, &field, at == 1);
	}
	if (syscalls && !p->syscalls_printed && (!p->all || p->arch || (p->key_last && !carried)))
		print_syscalls(p);
	if (!p->key_last || !data_next(data, &at, &offset, &field))
		return;
	p->exact = p->exact && p->list != AUDIT_FILTER_EXCLUDE && (syscalls || carried || !p->all);
	print_keys(p, field.text, field.len);
}

static bool print(struct text *out, const struct audit_rule_data *data, size_t size, bool runs, struct rule_printed *before)
{
	_cleanup_text_ struct text line = { 0 };
	struct printer p = {
		.out = &line, .data = data, .list = data_list(data), .printed = out, .before = *before,
		.all = data_mask_all(data), .runs = runs, .exact = true,
	};
	size_t start = out->len, spaces;

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
	spaces = line.s ? strspn(line.s, " ") : 0;
	if (line.s)
		text_add_bytes(out, line.s + spaces, line.len - spaces);
	if (text_error(&line) < 0)
		out->failed = true;
	if (p.now.data && text_error(out) == 0) {
		*before = p.now;
		before->at += start - spaces;
	}
	return p.exact && line.len <= LEX_LINE_MAX;
}

bool rule_print_next(struct text *out, const struct audit_rule_data *data, size_t size, struct rule_printed *before)
{
	return print(out, data, size, false, before);
}

bool rule_print(struct text *out, const struct audit_rule_data *data, size_t size)
{
	struct rule_printed none = { 0 };

	return print(out, data, size, false, &none);
}

void rule_show(struct text *out, const struct audit_rule_data *data, size_t size)
{
	struct rule_printed none = { 0 };

	print(out, data, size, true, &none);
}

/* Without printing it, which would be most of the time for a large set. What besides a list that is
 * too long can hinder is a path with an operator in it, which -w can have only. */
static bool surely_fits(const struct audit_rule_data *data)
{
	enum { HEAD = 32, FIELD = 40, NAME = 24, NUMBER = 5, NAMED = 15 };	/* words of the mask */
	size_t name = data_has(data, AUDIT_ARCH) ? NAME : NUMBER;
	size_t length = HEAD + FIELD * data->field_count + 2 * data->buflen;

	for (size_t i = 0; i < AUDIT_BITMASK_SIZE; i++)
		length += (size_t)__builtin_popcount(data->mask[i]) * (i < NAMED ? name : NUMBER);
	return length <= LEX_LINE_MAX && !memchr(data->buf, '=', data->buflen);
}

bool rule_fits(const struct rule *rule)
{
	_cleanup_text_ struct text line = { 0 };

	return surely_fits(rule->data) || (rule_print(&line, rule->data, rule->size) && text_error(&line) == 0);
}
