#include "setup/output/tap.h"

#include <string.h>

/* # starts a directive, and a backslash would escape it; a control character would end the line. */
static void print_name(const char *name)
{
	for (; *name; name++) {
		if (*name == '#' || *name == '\\')
			putchar('\\');
		putchar((unsigned char)*name < 0x20 || *name == 0x7f ? ' ' : *name);
	}
}

/* YAML takes JSON's strings but for characters that it does not allow anywhere (YAML 1.2.2, 5.1): U+0080 to
 * U+009F and U+FFFE, U+FFFF, which JSON need not escape. */
static void print_yaml(const char *key, const char *value)
{
	_cleanup_text_ struct text json = {0};

	text_add_json(&json, value);
	printf("  %s: ", key);
	for (const char *s = text_error(&json) < 0 ? "\"out of memory\"" : json.s; *s; s++) {
		const unsigned char *u = (const unsigned char *)s;

		if (u[0] == 0xc2 && u[1] < 0xa0) {
			printf("\\u%04x", u[1]);
			s++;
		} else if (u[0] == 0xef && u[1] == 0xbf && u[2] >= 0xbe) {
			printf("\\uff%02x", u[2] + 0x40u);
			s += 2;
		} else {
			putchar(*s);
		}
	}
	putchar('\n');
}

static void print_point(size_t number, const struct check *check)
{
	bool notice = check->kind == CHECK_NOTICE;
	_cleanup_text_ struct text name = {0};

	check_add_name(check, &name);
	printf("%sok %zu - ", check->ok ? "" : "not ", number);
	print_name(text_error(&name) < 0 ? "out of memory" : name.s);
	if (check->skip)
		printf(" # SKIP %s", check->skip);
	else if (!check->ok && notice)
		printf(" # TODO a warning, no difference");
	putchar('\n');
	if (check->ok)
		return;
	printf("  ---\n  kind: %s\n  severity: %s\n", check_kind_name(check->kind), notice ? "todo" : "fail");
	print_yaml("found", check->detail);
	printf("  ...\n");
}

void tap_print(const struct checks *checks)
{
	printf("TAP version 13\n1..%zu\n", checks->n);
	for (size_t i = 0; i < checks->n; i++)
		print_point(i + 1, &checks->items[i]);
}

void tap_print_failure(const char *error)
{
	const struct check check = {
		.kind = CHECK_HOST, .name = (char[]){ "the node can be compared with the configuration" },
		.detail = strdup(error ? error : ""),
	};

	printf("TAP version 13\n1..1\n");
	if (check.detail)
		print_point(1, &check);
	free(check.detail);
}
