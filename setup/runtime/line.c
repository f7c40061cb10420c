#include "setup/runtime/line.h"

#include <string.h>

static const char digits[] = "0123456789ABCDEF";

void line_begin(struct line *line)
{
	line->s[0] = '\0';
	line->n = 0;
	line->cut = false;
}

void line_add_bytes(struct line *line, const char *bytes, size_t n)
{
	if (n >= sizeof(line->s) - line->n) {
		line->cut = true;
		return;
	}
	memcpy(line->s + line->n, bytes, n);
	line->n += n;
	line->s[line->n] = '\0';
}

void line_add(struct line *line, const char *s)
{
	line_add_bytes(line, s, strlen(s));
}

void line_add_all(struct line *line, const char *const *strings)
{
	for (; *strings; strings++)
		line_add(line, *strings);
}

void line_add_number(struct line *line, uint32_t number, int width)
{
	char text[10];
	size_t at = sizeof(text);

	do {
		text[--at] = digits[number % 10];
		number /= 10;
	} while (at > 0 && (number > 0 || (int)(sizeof(text) - at) < width));
	line_add_bytes(line, text + at, sizeof(text) - at);
}

static bool breaks_out(unsigned char c)
{
	return c == '"' || c == '\'' || c < 0x21 || c > 0x7e;
}

void line_add_untrusted(struct line *line, const char *name, const char *value, size_t n)
{
	size_t begun = line->n;
	bool encode = false;

	for (size_t i = 0; value && i < n && !encode; i++)
		encode = breaks_out((unsigned char)value[i]);
	line_add_all(line, (const char *const []){ line->n > 0 ? " " : "", name, "=", NULL });
	if (!value)
		line_add(line, "?");
	for (size_t i = 0; encode && i < n; i++) {
		unsigned char c = (unsigned char)value[i];

		line_add_bytes(line, (const char []){ digits[c >> 4], digits[c & 15] }, 2);
	}
	if (value && !encode) {
		line_add_bytes(line, "\"", 1);
		line_add_bytes(line, value, n);
		line_add_bytes(line, "\"", 1);
	}
	/* Half a value would be another one. */
	if (line->cut) {
		line->n = begun;
		line->s[begun] = '\0';
	}
}

void line_add_json(struct line *line, const char *s)
{
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			line_add_bytes(line, "\\", 1);
		line_add_bytes(line, *s < ' ' || *s > '~' ? "?" : s, 1);
	}
}
