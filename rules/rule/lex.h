/* The bytes of a rules file to lines, the lines to tokens.
 *
 * auditctl (src/auditctl.c: fileopt, preprocess, postprocess) splits on spaces only, knows "\ " and
 * "\\" as escapes, no quotes, no continuation lines, and takes every other byte as it comes. What
 * it would silently cut, drop or misread is an error here. */
#ifndef RULES_LEX_H
#define RULES_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "setup/base/log.h"
#include "setup/base/mem.h"

/* auditctl's buffer is 6144 bytes with the NUL; a longer line is parsed in pieces. */
#define LEX_LINE_MAX 6143

struct lexer {
	struct log *log;
	const char *file;
	unsigned line;	/* of the last line that was read */
	unsigned errors;
	const char *next, *end;
	bool crlf;	/* every line ends in CR LF: read as LF */
	char text[LEX_LINE_MAX + 2];
	const char *tokens[LEX_LINE_MAX / 2 + 2];
	size_t n_tokens;
};

/* Begins to read size bytes; all arguments are borrowed until the last lex_next(). Warns once of a
 * file with CR LF line ends; counts a byte order mark as an error. */
void lex_init(struct lexer *lexer, struct log *log, const char *file, const char *content, size_t size);

/* The tokens of the next line that has any, unescaped and NUL-terminated, in lexer->tokens until
 * the next call. Lines with mistakes are logged, counted in lexer->errors and passed over. Returns
 * false at the end. */
bool lex_next(struct lexer *lexer) _must_check_;

/* Takes apart one line of size bytes without its newline. Returns false after logging. */
bool lex_line(struct lexer *lexer, const char *line, size_t size) _must_check_;

#endif
