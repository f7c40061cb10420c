#include "rules/rule/show.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "rules/rule/rule.h"

enum { RUN = 8 };

/* How many numbers in a row, each one more than the one before, stand at s; *ret_end is set behind
 * the last of them, *ret_last to it. */
static size_t count_run(const char *s, const char **ret_end, unsigned long *ret_last)
{
	size_t n = 0;

	while (isdigit((unsigned char)*s)) {
		const char *end = s;
		unsigned long number = 0;

		while (isdigit((unsigned char)*end) && number <= UINT32_MAX)
			number = number * 10 + (unsigned long)(*end++ - '0');
		if ((*end != ',' && *end != ' ' && *end) || (n > 0 && number != *ret_last + 1))
			break;
		n++;
		*ret_last = number;
		*ret_end = end;
		if (*end != ',')
			break;
		s = end + 1;
	}
	return n;
}

/* Shows the list of -S that starts at s; returns what follows it. */
static const char *show_list(struct text *out, const char *s)
{
	while (*s && *s != ' ') {
		const char *end = s + strcspn(s, ", ");
		unsigned long last = 0;
		const char *run_end = end;

		if (count_run(s, &run_end, &last) >= RUN) {
			text_addf(out, "%lu..%lu", strtoul(s, NULL, 10), last);
			end = run_end;
		} else {
			text_add_bytes(out, s, (size_t)(end - s));
		}
		if (*end == ',') {
			text_add(out, ",");
			end++;
		}
		s = end;
	}
	return s;
}

void rule_show_line(struct text *out, const char *line)
{
	const char *list;

	while ((list = strstr(line, " -S "))) {
		list += strlen(" -S ");
		text_add_bytes(out, line, (size_t)(list - line));
		line = show_list(out, list);
	}
	text_add(out, line);
}

void rule_show(struct text *out, const struct audit_rule_data *data, size_t size)
{
	_cleanup_text_ struct text line = {0};

	rule_print(&line, data, size);
	if (text_error(&line) < 0)
		out->failed = true;
	else
		rule_show_line(out, line.s ? line.s : "");
}
