#include "rules/rule/lex.h"

#include <string.h>

static const char bom[] = "\xef\xbb\xbf";

/* True when every newline follows a carriage return, and there is one. */
static bool is_crlf(const char *content, size_t size)
{
	const char *p = content, *end = content + size;
	bool any = false;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		if (p == content || p[-1] != '\r')
			return false;
		any = true;
		if (++p == end)
			break;
	}
	return any;
}

void lex_init(struct lexer *lexer, struct log *log, const char *file, const char *content, size_t size)
{
	lexer->log = log;
	lexer->file = file;
	lexer->line = 0;
	lexer->errors = 0;
	lexer->next = content;
	lexer->end = content + size;
	lexer->n_tokens = 0;
	lexer->crlf = size && is_crlf(content, size);
	if (lexer->crlf)
		log_at(log, LEVEL_WARNING, file, 1, "the lines end in CR LF and are read as LF; auditctl "
		       "would take each CR as part of the last word");
	if (size >= 3 && memcmp(content, bom, 3) == 0) {
		log_at(log, LEVEL_ERROR, file, 1, "the file begins with a byte order mark; auditctl would "
		       "fail at the first line");
		lexer->errors++;
		lexer->next += 3;
	}
}

/* Bytes that auditctl does not read as what they look like, outside comments. */
static const struct {
	char byte;
	const char *what;
} refused_bytes[] = {
	{ '\0', "a NUL byte: auditctl would ignore the rest of the line; what follows was not read" },
	{ '\r', "a carriage return: auditctl would take it as part of the word" },
	{ '\t', "a tab: auditctl separates words by spaces only and would take it as part of the word" },
	{ '\n', "a newline inside a word: a rules file has no way to write it" },
	{ 0x07, "the byte 0x07: auditctl takes it for its escape mark and would swallow the next byte" },
	{ 0x04, "the byte 0x04: auditctl takes it for its escape mark and would swallow the next byte" },
};

static bool lex_fail(struct lexer *lexer, const char *what)
{
	log_at(lexer->log, LEVEL_ERROR, lexer->file, lexer->line, "%s", what);
	lexer->errors++;
	return false;
}

static bool check_bytes(struct lexer *lexer, const char *line, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused_bytes); i++) {
		if (!memchr(line, refused_bytes[i].byte, size))
			continue;
		/* No text: else a program given by mistake has as many mistakes as lines. */
		if (refused_bytes[i].byte == '\0')
			lexer->next = lexer->end;
		return lex_fail(lexer, refused_bytes[i].what);
	}
	return true;
}

/* Copies one token, unescaped, to out and NUL-terminates it. Returns where it ended in the line;
 * *ret_escaped tells whether it had an escape, *ret_open whether it ends in a lone backslash. */
static const char *copy_token(const char *p, const char *end, char **out, bool *ret_escaped,
			      bool *ret_open)
{
	char *to = *out;

	*ret_escaped = *ret_open = false;
	while (p < end && *p != ' ') {
		if (*p == '\\' && p + 1 == end)
			*ret_open = true;
		if (*p == '\\' && p + 1 < end && (p[1] == ' ' || p[1] == '\\')) {
			p++;
			*ret_escaped = true;
		}
		*to++ = *p++;
	}
	*to++ = '\0';
	*out = to;
	return p;
}

bool lex_line(struct lexer *lexer, const char *line, size_t size)
{
	const char *p = line, *end = line + size;
	char *out = lexer->text;
	bool escaped, open;

	lexer->n_tokens = 0;
	if (size > LEX_LINE_MAX)
		return lex_fail(lexer, "the line is longer than 6143 bytes; auditctl would cut it and read "
				"the pieces as lines of their own");
	while (p < end && *p == ' ')
		p++;
	if (p == end || *p == '#')
		return true;
	if (!check_bytes(lexer, line, size))
		return false;
	while (p < end) {
		lexer->tokens[lexer->n_tokens] = out;
		p = copy_token(p, end, &out, &escaped, &open);
		if (open)
			return lex_fail(lexer, "a backslash at the end of the line; auditctl has no "
					"continuation lines and would take it as it is (write \\\\ for a "
					"backslash)");
		if (escaped && lexer->n_tokens == 0)
			return lex_fail(lexer, "an escape in the first word, where auditctl does not "
					"resolve it; put a space after the option");
		lexer->n_tokens++;
		while (p < end && *p == ' ')
			p++;
	}
	/* auditctl has strlen/3 + 3 slots, of which its own name and a NULL take one each. */
	if (lexer->n_tokens > size / 3 + 1)
		return lex_fail(lexer, "too many short words for the length of the line; auditctl would "
				"silently drop the last ones (join system calls with commas, write -F key= "
				"for -k)");
	return true;
}

bool lex_next(struct lexer *lexer)
{
	while (lexer->next < lexer->end) {
		const char *start = lexer->next;
		const char *stop = memchr(start, '\n', (size_t)(lexer->end - start));
		size_t size = (size_t)((stop ? stop : lexer->end) - start);

		lexer->next = stop ? stop + 1 : lexer->end;
		lexer->line++;
		if (lexer->crlf && size && start[size - 1] == '\r')
			size--;
		if (lex_line(lexer, start, size) && lexer->n_tokens)
			return true;
	}
	return false;
}
